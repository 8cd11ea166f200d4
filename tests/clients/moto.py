"""The console against moto, an AWS of others: what it lists and changes, and keys that it and `create-key` make.

moto knows no custom key stores, no events of CloudTrail, and nothing of what the bundled AWS alone has: the pages have to
say so in place, and the rest has to work.

Usage: python moto.py PROGRAM
"""

import atexit
import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

import boto3
import pyte

PROGRAM = None
PATIENCE = 30
REGION = "us-west-2"
SIZE = (120, 40)
NEXT, DOWN = "\x0e", "\x1b[B"
# To the search field, and what stands there goes.
AGAIN = "/\x15"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "moto takes any"}


class Moto:
    """moto, served on a port of its own."""

    def __init__(self):
        command = [pathlib.Path(sys.executable).with_name("moto_server"), "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **CREDENTIALS}
        )
        atexit.register(self.process.kill)
        self.url = None
        while not self.url:
            line = self.process.stderr.readline()
            assert line, "moto_server ended"
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            self.url = found and found[1]
        # It goes on writing, and must not wait for a reader.
        self.log = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.log.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.join()
        self.process.stderr.close()

    def client(self, service):
        return boto3.client(
            service,
            REGION,
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


def program(url, *words):
    return [PROGRAM, *words, "--endpoint-url", url, "--region", REGION]


def environment(home):
    return {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": home, **CREDENTIALS}


class Console:
    """The console in a pseudo-terminal, and its screen; `command` is what follows the name of the program."""

    def __init__(self, url, *command, stdout=None):
        self.home = tempfile.TemporaryDirectory()
        self.screen = pyte.Screen(*SIZE)
        self.stream = pyte.ByteStream(self.screen)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.process = subprocess.Popen(
            program(url, *command),
            stdin=slave,
            stdout=stdout or slave,
            stderr=slave,
            env=environment(self.home.name),
            start_new_session=True,
            # So that it is /dev/tty, too.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        atexit.register(self.process.kill)
        os.close(slave)
        self.terminal = master

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.text():
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.terminal], [], [], max(left, 0))
            assert ready, f"‘{words}’ never came:\n{self.text()}"
            self.stream.feed(os.read(self.terminal, 65536))

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def menu(self, steps, words):
        """Chooses an entry of the navigation, so many below the one that is open, or above it."""
        self.send("\t")
        self.send((DOWN if steps > 0 else "\x1b[A") * abs(steps) + "\r")
        self.wait(words)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.end(128 + signal.SIGTERM)

    def end(self, code):
        """Waits until it has ended with this exit code."""
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):
            # What it still writes has to be read, else it waits.
            while select.select([self.terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
                self.stream.feed(os.read(self.terminal, 65536))
        assert self.process.wait(20) == code, self.text()
        os.close(self.terminal)
        self.home.cleanup()


class Lists(unittest.TestCase):
    """What is there already is listed; what moto lacks is told where it would be."""

    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        kms = cls.moto.client("kms")
        for number in range(20):
            kms.create_key(Description=f"key {number}")
        cls.key = kms.create_key(
            Description="Card payments",
            KeyUsage="ENCRYPT_DECRYPT",
            Tags=[{"TagKey": "team", "TagValue": "payments"}],
        )["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/payments-2025", TargetKeyId=cls.key)
        kms.create_alias(AliasName="alias/payments-live", TargetKeyId=cls.key)
        kms.disable_key(KeyId=cls.key)
        cls.console = Console(cls.moto.url)

    @classmethod
    def tearDownClass(cls):
        cls.console.stop()
        cls.moto.stop()

    def test_lists(self):
        console = self.console
        console.wait("123456789012")
        console.wait("Could not load external key stores")
        console.menu(1, "Not available from the API")
        console.menu(1, "Could not load events")
        console.menu(-4, "Customer managed keys (21)")
        console.send("/payments-\r")
        console.wait("1 of 21")
        console.send("\r")
        for words in ("Card payments", "Disabled", "General configuration"):
            console.wait(words)
        self.assertIn(self.key, console.text())
        for words in ("SYMMETRIC_DEFAULT", "team", "alias/payments-live", "Encrypt up to", '"kms:*"'):
            console.wait(words)
            console.send("\x1b[C")


class Changes(unittest.TestCase):
    """What a key's page changes is changed."""

    def test_actions(self):
        moto = Moto()
        kms = moto.client("kms")
        key = kms.create_key(Description="before")["KeyMetadata"]["KeyId"]
        console = Console(moto.url)
        console.wait("Could not load external key stores")
        console.menu(-2, "Customer managed keys (1)")
        console.send("\r")
        console.wait("General configuration")
        for below, keys, words in (
            (3, ", and after", "The description of"),
            (4, "team=payments", "The tags of"),
            (5, "moved", "The alias moved was created"),
            (0, "", "is disabled."),
        ):
            console.send("m")
            console.wait("Key actions")
            console.send(DOWN * below + "\r")
            console.wait("Do it")
            console.send(keys + NEXT)
            console.wait(words)
        metadata = kms.describe_key(KeyId="alias/moved")["KeyMetadata"]
        self.assertEqual(
            [metadata[name] for name in ("KeyId", "Description", "KeyState")],
            [key, "before, and after", "Disabled"],
        )
        self.assertEqual(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "team", "TagValue": "payments"}])
        console.stop()
        moto.stop()


class CreateKey(unittest.TestCase):
    """Method 2 from start to success, and `create-key`, for keys whose material KMS makes."""

    def setUp(self):
        self.moto = Moto()
        iam = self.moto.client("iam")
        trust = {"Version": "2012-10-17", "Statement": []}
        for path, name in (("/security/", "KeyAdministrator"), ("/payments/", "PaymentsApi"), ("/", "Auditor")):
            iam.create_role(Path=path, RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        for path, name in (("/security/", "alice"), ("/payments/", "grace"), ("/", "mallory")):
            iam.create_user(Path=path, UserName=name)

    def tearDown(self):
        self.moto.stop()

    def test_by_the_console(self):
        console = Console(self.moto.url)
        console.wait("Could not load external key stores")
        console.menu(-2, "Customer managed keys (0)")
        for words, keys in (
            ("Customer managed keys (0)", "n"),
            ("Encrypt and decrypt", NEXT),
            ("Add alias and description", f"payments\tCard payments{NEXT}"),
            ("Add tags", "\rteam\tpayments" + NEXT),
            ("Define key administrative permissions", "/keyadmin\r "),
            ("(1/6)", AGAIN + "alice\r "),
            ("(2/6)", NEXT),
            ("Define key usage permissions", "/paymentsapi\r "),
            ("(1/6)", AGAIN + "grace\r "),
            ("(2/6)", NEXT),
            ("Edit key policy", NEXT),
            ("▸ 7 Review", NEXT),
            ("Success", "v"),
            ("General configuration", ""),
        ):
            console.wait(words)
            console.send(keys)
        key = self.assert_made("payments")
        self.assertIn(key, console.text())
        console.stop()

    def test_without_external_key_stores(self):
        console = Console(self.moto.url)
        console.wait("Could not load external key stores")
        console.menu(-2, "Customer managed keys (")
        for words, keys in (
            ("Customer managed keys (", "n"),
            ("Encrypt and decrypt", "\t\t\r"),
            ("External (Import Key material)", DOWN * 3 + " "),
            ("I understand that a KMS key", "\t " + NEXT),
            ("Choose external key for this KMS key", ""),
            ("Could not load external key stores", ""),
        ):
            console.wait(words)
            console.send(keys)
        console.stop()

    def create_key(self, alias):
        """The command for a key with all that `test_by_the_console` chooses."""
        arn = "arn:aws:iam::123456789012:"
        return (
            *("create-key", "--origin", "AWS_KMS", "--alias", alias, "--description", "Card payments"),
            *("--tag", "team=payments"),
            *("--administrator", arn + "role/security/KeyAdministrator"),
            *("--administrator", arn + "user/security/alice"),
            *("--user", arn + "role/payments/PaymentsApi", "--user", arn + "user/payments/grace"),
        )

    def run_silently(self, *command):
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run(
                program(self.moto.url, *command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=environment(home),
                timeout=PATIENCE,
            )

    def test_without_a_screen(self):
        done = self.run_silently(*self.create_key("by-command"), "--yes")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assert_printed(done.stdout, self.assert_made("by-command"))
        # The alias is taken now; another key is not made.
        again = self.run_silently(*self.create_key("by-command"), "--yes")
        self.assertEqual((again.returncode, again.stdout), (2, ""))
        self.assertIn("--alias: The alias by-command already exists", again.stderr)
        self.assert_made("by-command")

    def test_by_the_wizard_that_is_filled_in(self):
        with tempfile.TemporaryFile("w+") as out:
            console = Console(self.moto.url, *self.create_key("by-wizard"), stdout=out)
            # Before AWS has told the account no key policy is right.
            console.wait("moto @ 123456789012")
            for words in (
                "Key material origin: KMS",
                "Add alias and description",
                "Add tags",
                "Define key administrative permissions",
                "Define key usage permissions",
                "Edit key policy",
                "▸ 7 Review",
            ):
                console.wait(words)
                self.assertNotIn("key stores can't be told", console.text())
                console.send(NEXT)
            console.end(0)
            out.seek(0)
            self.assert_printed(out.read(), self.assert_made("by-wizard"))

    def assert_printed(self, printed, key):
        """What was printed is what boto3 tells of the key."""
        told = json.loads(printed)
        expected = self.moto.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        created = datetime.datetime.fromisoformat(told["KeyMetadata"]["CreationDate"])
        # AWS tells milliseconds; moto tells more.
        self.assertLessEqual(abs(created - expected["CreationDate"]), datetime.timedelta(milliseconds=1))
        expected["CreationDate"] = created
        told["KeyMetadata"]["CreationDate"] = created
        self.assertEqual(told, {"KeyMetadata": expected})

    def assert_made(self, alias):
        """There is one key with all that was chosen; gives its ID."""
        kms = self.moto.client("kms")
        (key,) = [key["KeyId"] for key in kms.list_keys()["Keys"]]
        self.assertEqual([one["AliasName"] for one in kms.list_aliases(KeyId=key)["Aliases"]], [f"alias/{alias}"])
        metadata = kms.describe_key(KeyId=f"alias/{alias}")["KeyMetadata"]
        expected = {
            "KeyId": key,
            "Description": "Card payments",
            "Origin": "AWS_KMS",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
        }
        self.assertEqual({name: metadata[name] for name in expected}, expected)
        self.assertEqual(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "team", "TagValue": "payments"}])
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        principals = {one["Sid"]: one["Principal"]["AWS"] for one in policy["Statement"]}
        arn = "arn:aws:iam::123456789012:"
        administrators = [arn + "role/security/KeyAdministrator", arn + "user/security/alice"]
        users = [arn + "role/payments/PaymentsApi", arn + "user/payments/grace"]
        self.assertEqual(principals["Enable IAM User Permissions"], arn + "root")
        self.assertEqual(sorted(principals["Allow access for Key Administrators"]), administrators)
        self.assertEqual(sorted(principals["Allow use of the key"]), users)
        self.assertEqual(sorted(principals["Allow attachment of persistent resources"]), users)
        # What was made is of use.
        blob = kms.encrypt(KeyId=f"alias/{alias}", Plaintext=b"four corners")["CiphertextBlob"]
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"four corners")
        return key


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    # What this machine is set up with must reach neither moto nor its clients.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    unittest.main(verbosity=1)
