"""Tests that botocore computes the same signatures for the requests in signatures.json.

The Rust test `signatures` compares the requests of the client with the same table.

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
# Headers that a signer adds to a request.
SIGNERS = {"authorization", "host", "x-amz-date", "x-amz-security-token"}


def sign_with_botocore(case):
    """Signs the request with botocore and returns its headers, with lowercase names."""
    headers = case["headers"]
    scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", headers["authorization"])
    access_key_id, region, service = scope.groups()
    unsigned_headers = {name: value for name, value in headers.items() if name not in SIGNERS}
    request = AWSRequest("POST", case["url"], headers=unsigned_headers, data=case["body"].encode())
    credentials = Credentials(access_key_id, SECRET, headers.get("x-amz-security-token"))
    now = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    with mock.patch("botocore.auth.get_current_datetime", return_value=now):
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    host = botocore.auth._host_from_url(case["url"])
    return {"host": host, **{name.lower(): value for name, value in request.headers.items()}}


class Signatures(unittest.TestCase):
    def test_botocore_signatures_match(self):
        cases = json.loads(TABLE.read_text())
        self.assertGreater(len(cases), 10)
        for case in cases:
            with self.subTest(case["name"]):
                self.assertEqual(sign_with_botocore(case), case["headers"])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    sys.exit(not program.result.wasSuccessful())
