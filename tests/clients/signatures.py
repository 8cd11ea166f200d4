"""Signatures: botocore signs the requests of signatures.json, and must come to the same, byte for byte.

The Rust test `signatures` holds what the client sends against the same table.

Usage: python signatures.py
"""

import datetime
import json
import pathlib
import re
import sys
import unittest
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TABLE = pathlib.Path(__file__).with_name("signatures.json")
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
# What a signer adds to a request.
SIGNERS = {"authorization", "host", "x-amz-date", "x-amz-security-token"}


def signed(case):
    """The headers of the request as botocore sends it, in lower case."""
    headers = case["headers"]
    scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", headers["authorization"])
    access_key_id, region, service = scope.groups()
    given = {name: value for name, value in headers.items() if name not in SIGNERS}
    request = AWSRequest("POST", case["url"], headers=given, data=case["body"].encode())
    credentials = Credentials(access_key_id, SECRET, headers.get("x-amz-security-token"))
    now = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    host = botocore.auth._host_from_url(case["url"])
    return {"host": host, **{name.lower(): value for name, value in request.headers.items()}}


class Signatures(unittest.TestCase):
    def test_botocore_signs_alike(self):
        cases = json.loads(TABLE.read_text())
        self.assertGreater(len(cases), 10)
        for case in cases:
            with self.subTest(case["name"]):
                self.assertEqual(signed(case), case["headers"])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    sys.exit(not program.result.wasSuccessful())
