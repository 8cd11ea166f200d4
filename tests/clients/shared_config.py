"""Tests that the console reads the shared config and credentials files as the AWS CLI does.

For each sample in `shared_config/`, and each profile that botocore finds in it, both programs call KMS on a server that records
the access key, the Region, the session token, and the path of the request. The console also gets each sample with a byte order
mark and with Windows line endings.

Usage: python shared_config.py PROGRAM
"""

import concurrent.futures
import http.server
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = None
SAMPLES = pathlib.Path(__file__).with_name("shared_config")
CLI = pathlib.Path(sys.executable).with_name("aws")
LIST_PROFILES = "import botocore.session as s; print(*s.Session().available_profiles, sep='\\n')"
TIMEOUT = 60
ASSUME_ROLE_RESPONSE = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/Admin/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{base}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>of the role</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
CALLER_IDENTITY_RESPONSE = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/Ana</Arn><UserId>A</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Recorder(http.server.ThreadingHTTPServer):
    """A server that responds to STS, denies all KMS requests, and records the first KMS request of each run."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.calls = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        signed = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        key, region, service = signed.groups()
        # Each run of a program has its own path, which identifies its requests.
        _, run, *rest = self.path.split("/")
        if service == "sts":
            text = ASSUME_ROLE_RESPONSE.format(base=key[4:]) if "Action=AssumeRole" in body else CALLER_IDENTITY_RESPONSE
            return self.respond(200, "text/xml", text)
        token = self.headers.get("X-Amz-Security-Token")
        self.server.calls.setdefault(run, (key, region, token, "/".join(rest).rstrip("/")))
        return self.respond(400, "application/x-amz-json-1.1", '{"__type":"AccessDeniedException","message":"Recorded."}')

    def respond(self, status, content_type, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Home:
    """A home directory with one sample."""

    def __init__(self, directory, sample, url, transform=lambda text: text):
        self.path = pathlib.Path(directory)
        (self.path / ".aws").mkdir(parents=True)
        self.environment = {"HOME": directory, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true"}
        has_endpoint = False
        for name in ["config", "credentials"]:
            source = SAMPLES / f"{sample}.{name}"
            if source.exists():
                text = source.read_bytes().decode()
                has_endpoint |= "@URL@" in text
                (self.path / ".aws" / name).write_bytes(transform(text.replace("@URL@", url)).encode())
        if not has_endpoint:
            self.environment["AWS_ENDPOINT_URL"] = url

    def run(self, *command):
        return subprocess.run(
            [str(word) for word in command], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=TIMEOUT,
        )


class SharedConfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorder = Recorder()
        cls.directory = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.recorder.shutdown()
        cls.recorder.server_close()
        cls.directory.cleanup()

    def home(self, sample, run, transform=lambda text: text):
        return Home(f"{self.directory.name}/{run}", sample, f"{self.recorder.url}/{run}", transform)

    def call_from_console(self, sample, run, profile, transform):
        home = self.home(sample, run, transform)
        result = home.run(PROGRAM, "create-key", "--yes", "--aws", "--profile", profile, "--origin", "AWS_KMS", "--alias", "a")
        return self.recorder.calls.get(run), result.stderr

    def compare(self, sample):
        profiles = self.home(sample, f"{sample}-list").run(sys.executable, "-c", LIST_PROFILES).stdout.splitlines()
        compared = []
        for number, profile in enumerate(profiles):
            run = f"{sample}-cli-{number}"
            result = self.home(sample, run).run(CLI, "kms", "list-keys", "--profile", profile)
            if (expected := self.recorder.calls.get(run)) is None:
                # The AWS CLI can't use this profile, for example because it needs a sign-in to IAM Identity Center.
                continue
            for variant, transform in {
                "unchanged": lambda text: text,
                "with a byte order mark": lambda text: "\ufeff" + text,
                "with Windows line endings": lambda text: text.replace("\n", "\r\n"),
            }.items():
                run = f"{sample}-console-{number}-{len(compared)}"
                actual, error = self.call_from_console(sample, run, profile, transform)
                compared.append((f"{sample}, profile {profile!r}, {variant}", expected, actual, error or result.stderr))
        return sample, compared

    def test_profiles_are_read_as_the_aws_cli_reads_them(self):
        samples = sorted({path.stem for path in SAMPLES.iterdir()})
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for sample, compared in pool.map(self.compare, samples):
                with self.subTest(sample):
                    self.assertTrue(compared, "the AWS CLI finds no profile in this sample")
                for name, expected, actual, error in compared:
                    with self.subTest(name):
                        self.assertEqual(actual, expected, error)


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop()).resolve()
    unittest.main()
