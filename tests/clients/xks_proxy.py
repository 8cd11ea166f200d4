"""The served external key store proxy under curl, which signs by itself.

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


def decrypt_body(sealed, **more):
    names = ("ciphertext", "initializationVector", "authenticationTag", "ciphertextMetadata")
    parts = {name: sealed[name] for name in names}
    aad = encrypt_body()["additionalAuthenticatedData"]
    body = {"requestMetadata": METADATA, "encryptionAlgorithm": "AES_GCM", "additionalAuthenticatedData": aad}
    return body | parts | more


def signed_at(time, url, body, credential):
    """The headers of a signature with another clock; curl signs with that of the machine."""
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


class Served:
    """The program, serving a new account with the partition `lab` and the keys `good`, `off` and `sealer`."""

    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        self.credential = self.credential_in(self.proxy("create-partition", "lab"))
        self.proxy("create-key", "--partition", "lab", "--id", "good")
        self.proxy("create-key", "--partition", "lab", "--id", "off", "--disabled")
        self.proxy("create-key", "--partition", "lab", "--id", "sealer", "--usage", "encrypt")
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
    def credential_in(file):
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
        """Runs curl; gives the HTTP status (0 without an answer) and the body."""
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", *arguments]
        if "AWS_CA_BUNDLE" in self.environment:
            command += ["--cacert", self.environment["AWS_CA_BUNDLE"]]
        # What is secret comes in by a file, as it would for anyone: arguments can be seen by all.
        config = f'url = "{url}"\n'
        if credential:
            config += f'user = "{credential[0]}:{credential[1]}"\naws-sigv4 = "aws:amz:us-west-2:{service}"\n'
        if body is not None:
            descriptor, file = tempfile.mkstemp(dir=self.path)
            with open(descriptor, "wb") as opened:
                opened.write(body)
            config += f'header = "Content-Type: application/json"\ndata-binary = "@{file}"\n'
        done = subprocess.run([*command, "--config", "-"], input=config, capture_output=True, text=True)
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    def call(self, api, body, credential=None, *arguments, **more):
        """Calls an API of the proxy; gives the status and the JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.url}/lab/kms/xks/v1{api}"
        status, text = self.curl(url, *arguments, body=sent, credential=credential or self.credential, **more)
        return status, json.loads(text) if text else None


class Conformance:
    """What holds over every wire."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.served = Served(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        cls.served.stop()

    def refused(self, answer, status, name):
        self.assertEqual((answer[0], answer[1]["errorName"]), (status, name))
        self.assertLessEqual(set(answer[1]), {"errorName", "errorMessage"})
        message = answer[1].get("errorMessage", "")
        self.assertTrue(len(message) < 512 and all(" " <= letter <= "~" for letter in message), message)

    def test_health_and_metadata(self):
        status, health = self.served.call("/health", HEALTH)
        self.assertEqual(status, 200)
        self.assertGreater(health["xksProxyFleetSize"], 0)
        self.assertTrue(health["xksProxyVendor"] and health["xksProxyModel"] and health["ekmVendor"])
        self.assertEqual([one["healthStatus"] for one in health["ekmFleetDetails"]], ["ACTIVE"])
        usage = ["ENCRYPT", "DECRYPT"]
        for key, uses, state in (("good", usage, "ENABLED"), ("off", usage, "DISABLED"), ("sealer", usage[:1], "ENABLED")):
            expected = {"keySpec": "AES_256", "keyUsage": uses, "keyStatus": state}
            self.assertEqual(self.served.call(f"/keys/{key}/metadata", {"requestMetadata": METADATA}), (200, expected))
        self.assertEqual(self.served.curl(f"{self.served.url}/ping"), (200, "pong\n"))

    def test_what_is_encrypted_decrypts(self):
        for plaintext, aad in ((b"Hello World!", b"project=nile"), (b"", b""), (b"p" * 4300, b"a" * 8192)):
            encoded = {
                "plaintext": base64.b64encode(plaintext).decode(),
                "additionalAuthenticatedData": base64.b64encode(aad).decode(),
            }
            asked = encrypt_body(**encoded, ciphertextDataIntegrityValueAlgorithm="SHA_256")
            status, sealed = self.served.call("/keys/good/encrypt", asked)
            self.assertEqual(status, 200, sealed)
            decoded = {name: base64.b64decode(value, validate=True) for name, value in sealed.items()}
            self.assertEqual(len(decoded["ciphertext"]), len(plaintext))
            self.assertIn(len(decoded["initializationVector"]), (12, 16))
            self.assertEqual(len(decoded["authenticationTag"]), 16)
            self.assertLessEqual(len(decoded["ciphertextMetadata"]), 20)
            names = ("ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag")
            value = hashlib.sha256(aad + b"".join(decoded[name] for name in names)).digest()
            self.assertEqual(decoded["ciphertextDataIntegrityValue"], value)
            opening = decrypt_body(sealed, additionalAuthenticatedData=encoded["additionalAuthenticatedData"])
            self.assertEqual(
                self.served.call("/keys/good/decrypt", opening), (200, {"plaintext": encoded["plaintext"]})
            )
            wrong = self.served.call("/keys/good/decrypt", opening | {"additionalAuthenticatedData": "YWFk"})
            self.refused(wrong, 400, "InvalidCiphertextException")

    def test_refusals_have_the_names_of_the_specification(self):
        sealed = self.served.call("/keys/good/encrypt", encrypt_body())[1]
        integrity = {"ciphertextDataIntegrityValueAlgorithm": "SHA_256"}
        long = base64.b64encode(bytes(65_536)).decode()
        liar = (self.served.credential[0], "A" * 43)
        for api, body, credential, status, name in (
            ("/keys/none/metadata", {"requestMetadata": METADATA}, None, 404, "KeyNotFoundException"),
            ("/keys/off/encrypt", encrypt_body(), None, 400, "InvalidStateException"),
            ("/keys/sealer/encrypt", encrypt_body(**integrity), None, 400, "InvalidKeyUsageException"),
            ("/keys/sealer/decrypt", decrypt_body(sealed), None, 400, "InvalidKeyUsageException"),
            ("/keys/good/encrypt", encrypt_body(plaintext="QQ"), None, 400, "ValidationException"),
            ("/keys/good/encrypt", b"{", None, 400, "ValidationException"),
            ("/keys/good/decrypt", decrypt_body(sealed, authenticationTag="AAAA"), None, 400, "InvalidCiphertextException"),
            ("/keys/good/decrypt", decrypt_body(sealed, additionalAuthenticatedData=long), None, 501, "UnsupportedOperationException"),
            ("/keys/good/sign", HEALTH, None, 404, "InvalidUriPathException"),
            ("/keys/good/sign", HEALTH, liar, 404, "InvalidUriPathException"),
            ("/health", HEALTH, liar, 401, "AuthenticationFailedException"),
            ("/health", b"x" * 600_000, liar, 501, "UnsupportedOperationException"),
        ):
            with self.subTest(api=api, name=name):
                self.refused(self.served.call(api, body, credential), status, name)
        self.refused(self.served.call("/health", HEALTH, service="kms"), 401, "AuthenticationFailedException")
        self.assertEqual(self.served.curl(f"{self.served.url}/lab/kms/xks/v1/health")[0], 405)

    def test_dates_far_from_now_are_refused(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        url, body = f"{self.served.url}/lab/kms/xks/v1/health", json.dumps(HEALTH).encode()
        for minutes, status in ((0, 200), (-4, 200), (4, 200), (-6, 401), (6, 401)):
            headers = signed_at(now + datetime.timedelta(minutes=minutes), url, body, self.served.credential)
            arguments = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
            with self.subTest(minutes=minutes):
                answer = self.served.curl(url, *arguments, body=body)
                self.assertEqual(answer[0], status, answer)

    def test_credentials_and_keys_change_beside_the_server(self):
        old = self.served.credential
        new = self.served.credential_in(self.served.proxy("rotate-credential", "lab"))
        for credential in (old, new):
            self.assertEqual(self.served.call("/health", HEALTH, credential)[0], 200)
        self.served.proxy("revoke-credential", "lab", new[0])
        self.refused(self.served.call("/health", HEALTH, new), 401, "AuthenticationFailedException")
        self.assertEqual(self.served.call("/health", HEALTH, old)[0], 200)
        self.served.proxy("create-key", "--partition", "lab", "--id", "brief")
        sealed = self.served.call("/keys/brief/encrypt", encrypt_body())[1]
        self.served.proxy("rotate-key", "--partition", "lab", "--id", "brief")
        self.assertEqual(self.served.call("/keys/brief/decrypt", decrypt_body(sealed))[0], 200)
        self.served.proxy("set-callers", "--partition", "lab", "--id", "brief", "--caller", "AWS Internal")
        self.refused(self.served.call("/keys/brief/decrypt", decrypt_body(sealed)), 403, "AccessDeniedException")
        self.assertEqual(self.served.call("/health", HEALTH)[0], 200)
        alices = ("--caller", "arn:aws:iam::111122223333:user/A*", "--caller", "ec2.amazonaws.com")
        self.served.proxy("set-callers", "--partition", "lab", "--id", "brief", *alices)
        self.assertEqual(self.served.call("/keys/brief/decrypt", decrypt_body(sealed))[0], 200)
        self.assertIn((403, "callers: AWS Internal"), self.denials("brief"))
        self.served.proxy("disable-key", "--partition", "lab", "--id", "brief")
        self.refused(self.served.call("/keys/brief/decrypt", decrypt_body(sealed)), 400, "InvalidStateException")
        self.served.proxy("delete-key", "--partition", "lab", "--id", "brief", "--yes")
        self.refused(self.served.call("/keys/brief/decrypt", decrypt_body(sealed)), 404, "KeyNotFoundException")

    def denials(self, key):
        """What the log tells of denials; the server writes it half a second behind."""
        for _ in range(50):
            log = [json.loads(line) for line in self.served.proxy("log", "--key", key).splitlines()]
            denials = [(one["status"], one["deniedBy"]) for one in log if "deniedBy" in one]
            if denials:
                return denials
            time.sleep(0.1)
        return []

    def test_100_continue_and_many_at_once(self):
        answer = self.served.call("/health", HEALTH, None, "--header", "Expect: 100-continue")
        self.assertEqual(answer[0], 200)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.served.call("/keys/good/encrypt", encrypt_body()), range(24)))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual(len({sealed["initializationVector"] for _, sealed in answers}), 24)


class Http(Conformance, unittest.TestCase):
    pass


class Tls(Conformance, unittest.TestCase):
    arguments = ("--tls-self-signed",)

    def test_versions_of_tls(self):
        ping = f"{self.served.url}/ping"
        for versions, status in (
            (("--tlsv1.3",), 200),
            (("--tlsv1.2", "--tls-max", "1.2"), 200),
            (("--tlsv1.0", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"), 0),
        ):
            with self.subTest(versions=versions):
                self.assertEqual(self.served.curl(ping, *versions)[0], status)

    def test_a_client_that_speaks_http_2_falls_back(self):
        status, _ = self.served.call("/health", HEALTH, None, "--http2")
        self.assertEqual(status, 200)


class Quota(unittest.TestCase):
    def test_a_partition_that_asks_too_often_is_told_so(self):
        served = Served("--proxy-rate", "1")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: served.call("/health", HEALTH), range(16)))
        names = {(status, body.get("errorName")) for status, body in answers}
        self.assertEqual(names, {(200, None), (429, "ThrottlingException")})
        served.stop()


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
