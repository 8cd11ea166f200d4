"""Tests of the served external key store proxy with curl, which signs the requests itself.

Usage: python xks_proxy.py PROGRAM
"""

import atexit
import base64
import concurrent.futures
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

PROGRAM = None
METADATA = {
    "awsPrincipalArn": "arn:aws:iam::111122223333:user/Alice",
    "kmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "kmsOperation": "Encrypt",
    "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
}
HEALTH = {"requestMetadata": {"kmsOperation": "KmsHealthCheck", "kmsRequestId": "4112f4d6"}}


def encrypt_body(**more):
    body = {
        "requestMetadata": METADATA,
        "plaintext": base64.b64encode(b"Hello World!").decode(),
        "additionalAuthenticatedData": base64.b64encode(b"project=nile").decode(),
        "encryptionAlgorithm": "AES_GCM",
    }
    return body | more


def decrypt_body(encrypted, **more):
    names = ("ciphertext", "initializationVector", "authenticationTag", "ciphertextMetadata")
    parts = {name: encrypted[name] for name in names}
    aad = encrypt_body()["additionalAuthenticatedData"]
    body = {"requestMetadata": METADATA, "encryptionAlgorithm": "AES_GCM", "additionalAuthenticatedData": aad}
    return body | parts | more


def signed_at(time, url, body, credential):
    """Returns the headers of a signature at another time. curl can sign only at the current time."""
    parts, date = urllib.parse.urlsplit(url), time.strftime("%Y%m%dT%H%M%SZ")
    covered = f"host:{parts.netloc}\nx-amz-date:{date}\n\nhost;x-amz-date"
    canonical = f"POST\n{parts.path}\n\n{covered}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date[:8]}/us-west-2/kms-xks-proxy/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credential[1]}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    value = f"AWS4-HMAC-SHA256 Credential={credential[0]}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return {"X-Amz-Date": date, "Authorization": value}


class Server:
    """The program, serving a new account with the partition `lab` and the keys `good`, `off`, and `encrypt-only`."""

    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        self.credential = self.parse_credential(self.proxy("create-partition", "lab"))
        self.proxy("create-key", "--partition", "lab", "--id", "good")
        self.proxy("create-key", "--partition", "lab", "--id", "off", "--disabled")
        self.proxy("create-key", "--partition", "lab", "--id", "encrypt-only", "--usage", "encrypt")
        command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(self.path), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.environment = {}
        while "AWS_SECRET_ACCESS_KEY" not in self.environment:
            line = self.process.stdout.readline()
            assert line.startswith("export "), line
            name, value = shlex.split(line)[1].split("=", 1)
            self.environment[name] = value
        self.url = self.environment["AWS_ENDPOINT_URL"]

    @staticmethod
    def parse_credential(file):
        credential = json.loads(file)["XksProxyAuthenticationCredential"]
        return credential["AccessKeyId"], credential["RawSecretAccessKey"]

    def proxy(self, *arguments):
        command = [PROGRAM, "proxy", *arguments, "--data-dir", str(self.path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.process.stdout.close()
        self.directory.cleanup()

    def curl(self, url, *arguments, body=None, credential=None, service="kms-xks-proxy"):
        """Runs curl and returns the HTTP status, 0 if there is no response, and the body."""
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", *arguments]
        if "AWS_CA_BUNDLE" in self.environment:
            command += ["--cacert", self.environment["AWS_CA_BUNDLE"]]
        # Secrets are passed on standard input, because other users can see arguments.
        config = f'url = "{url}"\n'
        if credential:
            config += f'user = "{credential[0]}:{credential[1]}"\naws-sigv4 = "aws:amz:us-west-2:{service}"\n'
        if body is not None:
            descriptor, file = tempfile.mkstemp(dir=self.path)
            with open(descriptor, "wb") as opened:
                opened.write(body)
            config += f'header = "Content-Type: application/json"\ndata-binary = "@{file}"\n'
        result = subprocess.run([*command, "--config", "-"], input=config, capture_output=True, text=True)
        text, _, status = result.stdout.rpartition("\n")
        return int(status), text

    def call(self, api, body, credential=None, *arguments, **more):
        """Calls an API of the proxy and returns the status and the JSON body."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.url}/lab/kms/xks/v1{api}"
        status, text = self.curl(url, *arguments, body=sent, credential=credential or self.credential, **more)
        return status, json.loads(text) if text else None


class Conformance:
    """Tests that run over both HTTP and TLS."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.served = Server(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        cls.served.stop()

    def assert_error(self, response, status, name):
        self.assertEqual((response[0], response[1]["errorName"]), (status, name))
        self.assertLessEqual(set(response[1]), {"errorName", "errorMessage"})
        message = response[1].get("errorMessage", "")
        self.assertTrue(len(message) < 512 and all(" " <= letter <= "~" for letter in message), message)

    def test_health_and_metadata(self):
        status, health = self.served.call("/health", HEALTH)
        self.assertEqual(status, 200)
        self.assertGreater(health["xksProxyFleetSize"], 0)
        self.assertTrue(health["xksProxyVendor"] and health["xksProxyModel"] and health["ekmVendor"])
        self.assertEqual([one["healthStatus"] for one in health["ekmFleetDetails"]], ["ACTIVE"])
        usage = ["ENCRYPT", "DECRYPT"]
        for key, uses, state in (("good", usage, "ENABLED"), ("off", usage, "DISABLED"), ("encrypt-only", usage[:1], "ENABLED")):
            expected = {"keySpec": "AES_256", "keyUsage": uses, "keyStatus": state}
            self.assertEqual(self.served.call(f"/keys/{key}/metadata", {"requestMetadata": METADATA}), (200, expected))
        self.assertEqual(self.served.curl(f"{self.served.url}/ping"), (200, "pong\n"))

    def test_encrypt_and_decrypt_round_trip(self):
        for plaintext, aad in ((b"Hello World!", b"project=nile"), (b"", b""), (b"p" * 4300, b"a" * 8192)):
            encoded = {
                "plaintext": base64.b64encode(plaintext).decode(),
                "additionalAuthenticatedData": base64.b64encode(aad).decode(),
            }
            body = encrypt_body(**encoded, ciphertextDataIntegrityValueAlgorithm="SHA_256")
            status, encrypted = self.served.call("/keys/good/encrypt", body)
            self.assertEqual(status, 200, encrypted)
            decoded = {name: base64.b64decode(value, validate=True) for name, value in encrypted.items()}
            self.assertEqual(len(decoded["ciphertext"]), len(plaintext))
            self.assertIn(len(decoded["initializationVector"]), (12, 16))
            self.assertEqual(len(decoded["authenticationTag"]), 16)
            self.assertLessEqual(len(decoded["ciphertextMetadata"]), 20)
            names = ("ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag")
            value = hashlib.sha256(aad + b"".join(decoded[name] for name in names)).digest()
            self.assertEqual(decoded["ciphertextDataIntegrityValue"], value)
            decrypt = decrypt_body(encrypted, additionalAuthenticatedData=encoded["additionalAuthenticatedData"])
            self.assertEqual(
                self.served.call("/keys/good/decrypt", decrypt), (200, {"plaintext": encoded["plaintext"]})
            )
            wrong = self.served.call("/keys/good/decrypt", decrypt | {"additionalAuthenticatedData": "YWFk"})
            self.assert_error(wrong, 400, "InvalidCiphertextException")

    def test_errors_have_the_specified_names(self):
        encrypted = self.served.call("/keys/good/encrypt", encrypt_body())[1]
        integrity = {"ciphertextDataIntegrityValueAlgorithm": "SHA_256"}
        long = base64.b64encode(bytes(65_536)).decode()
        wrong_secret = (self.served.credential[0], "A" * 43)
        for api, body, credential, status, name in (
            ("/keys/none/metadata", {"requestMetadata": METADATA}, None, 404, "KeyNotFoundException"),
            ("/keys/off/encrypt", encrypt_body(), None, 400, "InvalidStateException"),
            ("/keys/encrypt-only/encrypt", encrypt_body(**integrity), None, 400, "InvalidKeyUsageException"),
            ("/keys/encrypt-only/decrypt", decrypt_body(encrypted), None, 400, "InvalidKeyUsageException"),
            ("/keys/good/encrypt", encrypt_body(plaintext="QQ"), None, 400, "ValidationException"),
            ("/keys/good/encrypt", b"{", None, 400, "ValidationException"),
            ("/keys/good/decrypt", decrypt_body(encrypted, authenticationTag="AAAA"), None, 400, "InvalidCiphertextException"),
            ("/keys/good/decrypt", decrypt_body(encrypted, additionalAuthenticatedData=long), None, 501, "UnsupportedOperationException"),
            ("/keys/good/sign", HEALTH, None, 404, "InvalidUriPathException"),
            ("/keys/good/sign", HEALTH, wrong_secret, 404, "InvalidUriPathException"),
            ("/health", HEALTH, wrong_secret, 401, "AuthenticationFailedException"),
            ("/health", b"x" * 600_000, wrong_secret, 501, "UnsupportedOperationException"),
        ):
            with self.subTest(api=api, name=name):
                self.assert_error(self.served.call(api, body, credential), status, name)
        self.assert_error(self.served.call("/health", HEALTH, service="kms"), 401, "AuthenticationFailedException")
        self.assertEqual(self.served.curl(f"{self.served.url}/lab/kms/xks/v1/health")[0], 405)

    def test_requests_with_skewed_dates_are_rejected(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        url, body = f"{self.served.url}/lab/kms/xks/v1/health", json.dumps(HEALTH).encode()
        for minutes, status in ((0, 200), (-4, 200), (4, 200), (-6, 401), (6, 401)):
            headers = signed_at(now + datetime.timedelta(minutes=minutes), url, body, self.served.credential)
            arguments = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
            with self.subTest(minutes=minutes):
                response = self.served.curl(url, *arguments, body=body)
                self.assertEqual(response[0], status, response)

    def test_credentials_and_keys_can_change_while_serving(self):
        old = self.served.credential
        new = self.served.parse_credential(self.served.proxy("rotate-credential", "lab"))
        for credential in (old, new):
            self.assertEqual(self.served.call("/health", HEALTH, credential)[0], 200)
        self.served.proxy("revoke-credential", "lab", new[0])
        self.assert_error(self.served.call("/health", HEALTH, new), 401, "AuthenticationFailedException")
        self.assertEqual(self.served.call("/health", HEALTH, old)[0], 200)
        self.served.proxy("create-key", "--partition", "lab", "--id", "temporary")
        encrypted = self.served.call("/keys/temporary/encrypt", encrypt_body())[1]
        self.served.proxy("rotate-key", "--partition", "lab", "--id", "temporary")
        self.assertEqual(self.served.call("/keys/temporary/decrypt", decrypt_body(encrypted))[0], 200)
        self.served.proxy("set-callers", "--partition", "lab", "--id", "temporary", "--caller", "AWS Internal")
        self.assert_error(self.served.call("/keys/temporary/decrypt", decrypt_body(encrypted)), 403, "AccessDeniedException")
        self.assertEqual(self.served.call("/health", HEALTH)[0], 200)
        callers = ("--caller", "arn:aws:iam::111122223333:user/A*", "--caller", "ec2.amazonaws.com")
        self.served.proxy("set-callers", "--partition", "lab", "--id", "temporary", *callers)
        self.assertEqual(self.served.call("/keys/temporary/decrypt", decrypt_body(encrypted))[0], 200)
        self.assertIn((403, "callers: AWS Internal"), self.denials("temporary"))
        self.served.proxy("disable-key", "--partition", "lab", "--id", "temporary")
        self.assert_error(self.served.call("/keys/temporary/decrypt", decrypt_body(encrypted)), 400, "InvalidStateException")
        self.served.proxy("delete-key", "--partition", "lab", "--id", "temporary", "--yes")
        self.assert_error(self.served.call("/keys/temporary/decrypt", decrypt_body(encrypted)), 404, "KeyNotFoundException")

    def denials(self, key):
        """Returns the denials in the log, which the server writes with a delay of half a second."""
        for _ in range(50):
            log = [json.loads(line) for line in self.served.proxy("log", "--key", key).splitlines()]
            denials = [(one["status"], one["deniedBy"]) for one in log if "deniedBy" in one]
            if denials:
                return denials
            time.sleep(0.1)
        return []

    def test_100_continue_and_concurrent_requests(self):
        response = self.served.call("/health", HEALTH, None, "--header", "Expect: 100-continue")
        self.assertEqual(response[0], 200)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(lambda _: self.served.call("/keys/good/encrypt", encrypt_body()), range(24)))
        self.assertEqual({status for status, _ in responses}, {200})
        self.assertEqual(len({encrypted["initializationVector"] for _, encrypted in responses}), 24)


class Http(Conformance, unittest.TestCase):
    pass


class Tls(Conformance, unittest.TestCase):
    arguments = ("--tls-self-signed",)

    def test_supported_tls_versions(self):
        ping = f"{self.served.url}/ping"
        for versions, status in (
            (("--tlsv1.3",), 200),
            (("--tlsv1.2", "--tls-max", "1.2"), 200),
            (("--tlsv1.0", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"), 0),
        ):
            with self.subTest(versions=versions):
                self.assertEqual(self.served.curl(ping, *versions)[0], status)

    def test_http_2_client_falls_back_to_http_1_1(self):
        status, _ = self.served.call("/health", HEALTH, None, "--http2")
        self.assertEqual(status, 200)


class Quota(unittest.TestCase):
    def test_requests_above_the_quota_are_throttled(self):
        served = Server("--proxy-rate", "1")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(lambda _: served.call("/health", HEALTH), range(16)))
        names = {(status, body.get("errorName")) for status, body in responses}
        self.assertEqual(names, {(200, None), (429, "ThrottlingException")})
        served.stop()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
