"""The console's reading of the AWS CLI's files, held against the AWS CLI.

For each sample in `shared_config/`, and each profile that the AWS CLI's library finds in it, both programs call KMS
on a server that records who signed, for which Region, with which session token, and where the request went. Each sample
is also given to the console with a byte order mark, and with the line ends of Windows.

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
LIST = "import botocore.session as s; print(*s.Session().available_profiles, sep='\\n')"
PATIENCE = 60
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/Admin/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{base}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>of the role</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/Ana</Arn><UserId>A</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Recorder(http.server.ThreadingHTTPServer):
    """Answers STS, refuses whatever KMS is asked, and records the first request to KMS by the path it was sent to."""

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
        # Each program gets a path of its own, which tells its requests from those of others.
        _, run, *rest = self.path.split("/")
        if service == "sts":
            text = ASSUMED.format(base=key[4:]) if "Action=AssumeRole" in body else IDENTITY
            return self.answer(200, "text/xml", text)
        token = self.headers.get("X-Amz-Security-Token")
        self.server.calls.setdefault(run, (key, region, token, "/".join(rest).rstrip("/")))
        return self.answer(400, "application/x-amz-json-1.1", '{"__type":"AccessDeniedException","message":"Recorded."}')

    def answer(self, status, kind, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Home:
    """A home folder with one sample in it."""

    def __init__(self, folder, sample, url, spoil=lambda text: text):
        self.path = pathlib.Path(folder)
        (self.path / ".aws").mkdir(parents=True)
        self.environment = {"HOME": folder, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true"}
        is_told = False
        for name in ["config", "credentials"]:
            source = SAMPLES / f"{sample}.{name}"
            if source.exists():
                text = source.read_bytes().decode()
                is_told |= "@URL@" in text
                (self.path / ".aws" / name).write_bytes(spoil(text.replace("@URL@", url)).encode())
        if not is_told:
            self.environment["AWS_ENDPOINT_URL"] = url

    def run(self, *command):
        return subprocess.run(
            [str(word) for word in command], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE,
        )


class SharedConfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recorder = Recorder()
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.recorder.shutdown()
        cls.recorder.server_close()
        cls.folder.cleanup()

    def home(self, sample, run, spoil=lambda text: text):
        return Home(f"{self.folder.name}/{run}", sample, f"{self.recorder.url}/{run}", spoil)

    def by_console(self, sample, run, profile, spoil):
        home = self.home(sample, run, spoil)
        done = home.run(PROGRAM, "create-key", "--yes", "--aws", "--profile", profile, "--origin", "AWS_KMS", "--alias", "a")
        return self.recorder.calls.get(run), done.stderr

    def compare(self, sample):
        listed = self.home(sample, f"{sample}-list").run(sys.executable, "-c", LIST).stdout.splitlines()
        compared = []
        for number, profile in enumerate(listed):
            run = f"{sample}-cli-{number}"
            done = self.home(sample, run).run(CLI, "kms", "list-keys", "--profile", profile)
            if (expected := self.recorder.calls.get(run)) is None:
                # A profile of another kind, such as one of IAM Identity Center that nobody has signed in to.
                continue
            for spoilt, spoil in {
                "as it is": lambda text: text,
                "with a byte order mark": lambda text: "\ufeff" + text,
                "with line ends of Windows": lambda text: text.replace("\n", "\r\n"),
            }.items():
                run = f"{sample}-console-{number}-{len(compared)}"
                found, words = self.by_console(sample, run, profile, spoil)
                compared.append((f"{sample}, profile {profile!r}, {spoilt}", expected, found, words or done.stderr))
        return sample, compared

    def test_every_profile_that_the_aws_cli_reads_is_read_the_same(self):
        samples = sorted({path.stem for path in SAMPLES.iterdir()})
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for sample, compared in pool.map(self.compare, samples):
                with self.subTest(sample):
                    self.assertTrue(compared, "the AWS CLI finds no profile in this sample")
                for name, expected, found, words in compared:
                    with self.subTest(name):
                        self.assertEqual(found, expected, words)


if __name__ == "__main__":
    PROGRAM = pathlib.Path(sys.argv.pop()).resolve()
    unittest.main()
