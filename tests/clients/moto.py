"""Tests of the console and `create-key` with moto, an independent AWS simulator: lists, changes, and new keys.

moto supports no custom key stores, no CloudTrail events, and nothing that only the bundled AWS has. The affected pages must
say so, and everything else must work.

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
TIMEOUT = 30
REGION = "us-west-2"
SIZE = (120, 40)
NEXT, DOWN = "\x0e", "\x1b[B"
# Moves to the search field and clears it.
NEW_SEARCH = "/\x15"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not checked by moto"}


class Moto:
    """A moto server on its own port."""

    def __init__(self):
        command = [pathlib.Path(sys.executable).with_name("moto_server"), "--host", "127.0.0.1", "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **CREDENTIALS}
        )
        atexit.register(self.process.kill)
        self.url = None
        while not self.url:
            line = self.process.stderr.readline()
            assert line, "moto_server exited"
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            self.url = found and found[1]
        # moto keeps writing, so its output must be read.
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


def command_line(url, *arguments):
    return [PROGRAM, *arguments, "--endpoint-url", url, "--region", REGION]


def environment(home):
    return {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "HOME": home, **CREDENTIALS}


class Console:
    """The console in a pseudo-terminal, and its screen. `command` is the arguments of the program."""

    def __init__(self, url, *command, stdout=None):
        self.home = tempfile.TemporaryDirectory()
        self.screen = pyte.Screen(*SIZE)
        self.stream = pyte.ByteStream(self.screen)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.process = subprocess.Popen(
            command_line(url, *command),
            stdin=slave,
            stdout=stdout or slave,
            stderr=slave,
            env=environment(self.home.name),
            start_new_session=True,
            # Makes the pseudo-terminal the controlling terminal, /dev/tty.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        atexit.register(self.process.kill)
        os.close(slave)
        self.terminal = master

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.text():
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.terminal], [], [], max(left, 0))
            assert ready, f'"{text}" did not appear:\n{self.text()}'
            self.stream.feed(os.read(self.terminal, 65536))

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def navigate(self, steps, text):
        """Opens the navigation entry `steps` below the current one, or above it if negative, and waits for `text`."""
        self.send("\t")
        self.send((DOWN if steps > 0 else "\x1b[A") * abs(steps) + "\r")
        self.wait_for(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.wait_for_exit(128 + signal.SIGTERM)

    def wait_for_exit(self, code):
        """Waits until the console exits with this code."""
        deadline = time.monotonic() + TIMEOUT
        with contextlib.suppress(OSError):
            # The remaining output must be read, or the console blocks.
            while select.select([self.terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
                self.stream.feed(os.read(self.terminal, 65536))
        assert self.process.wait(20) == code, self.text()
        os.close(self.terminal)
        self.home.cleanup()


class Lists(unittest.TestCase):
    """Lists show existing resources, and pages for features that moto lacks say so."""

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

    def test_lists_show_existing_resources(self):
        console = self.console
        console.wait_for("123456789012")
        console.wait_for("Couldn't load external key stores")
        console.navigate(1, "Not available from the API")
        console.navigate(2, "Couldn't load events")
        console.navigate(-5, "Customer managed keys (21)")
        console.send("/payments-\r")
        console.wait_for("1 of 21")
        console.send("\r")
        for text in ("Card payments", "Disabled", "General configuration"):
            console.wait_for(text)
        self.assertIn(self.key, console.text())
        for text in ("SYMMETRIC_DEFAULT", "team", "alias/payments-live", "Encrypt text or a file", '"kms:*"'):
            console.wait_for(text)
            console.send("\x1b[C")


class Changes(unittest.TestCase):
    """Actions on the page of a key change the key."""

    def test_actions_change_keys(self):
        moto = Moto()
        kms = moto.client("kms")
        key = kms.create_key(Description="before")["KeyMetadata"]["KeyId"]
        console = Console(moto.url)
        console.wait_for("Couldn't load external key stores")
        console.navigate(-2, "Customer managed keys (1)")
        console.send("\r")
        console.wait_for("General configuration")
        for below, keys, text in (
            (3, ", and after", "The description of"),
            (4, "team=payments", "The tags of"),
            (5, "moved", "The alias moved was created"),
            (0, "", "is disabled."),
        ):
            console.send("m")
            console.wait_for("Key actions")
            console.send(DOWN * below + "\r")
            console.wait_for("Ctrl-N ")
            console.send(keys + NEXT)
            console.wait_for(text)
        metadata = kms.describe_key(KeyId="alias/moved")["KeyMetadata"]
        self.assertEqual(
            [metadata[name] for name in ("KeyId", "Description", "KeyState")],
            [key, "before, and after", "Disabled"],
        )
        self.assertEqual(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "team", "TagValue": "payments"}])
        console.stop()
        moto.stop()


class CreateKey(unittest.TestCase):
    """Method 2 and `create-key`, for keys with KMS origin."""

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

    def test_console_creates_a_key(self):
        console = Console(self.moto.url)
        console.wait_for("Couldn't load external key stores")
        console.navigate(-2, "Customer managed keys (0)")
        for text, keys in (
            ("Customer managed keys (0)", "n"),
            ("Encrypt and decrypt", NEXT),
            ("Add alias and description", f"payments\tCard payments{NEXT}"),
            ("Add tags", "\rteam\tpayments" + NEXT),
            ("Define key administrative permissions", "/keyadmin\r "),
            ("(1/6)", NEW_SEARCH + "alice\r "),
            ("(2/6)", NEXT),
            ("Define key usage permissions", "/paymentsapi\r "),
            ("(1/6)", NEW_SEARCH + "grace\r "),
            ("(2/6)", NEXT),
            ("Edit key policy", NEXT),
            ("● 7 Review", NEXT),
            ("Success", "v"),
            ("General configuration", ""),
        ):
            console.wait_for(text)
            console.send(keys)
        key = self.assert_created("payments")
        self.assertIn(key, console.text())
        console.stop()

    def test_wizard_works_without_external_key_stores(self):
        console = Console(self.moto.url)
        console.wait_for("Couldn't load external key stores")
        console.navigate(-2, "Customer managed keys (")
        for text, keys in (
            ("Customer managed keys (", "n"),
            ("Encrypt and decrypt", "\t\t\r"),
            ("External (Import Key material)", DOWN * 3 + " "),
            ("I understand that a KMS key", "\t " + NEXT),
            ("Choose external key for this KMS key", ""),
            ("Couldn't load external key stores", ""),
        ):
            console.wait_for(text)
            console.send(keys)
        console.stop()

    def create_key(self, alias):
        """Returns the command for a key with the settings of `test_console_creates_a_key`."""
        arn = "arn:aws:iam::123456789012:"
        return (
            *("create-key", "--origin", "AWS_KMS", "--alias", alias, "--description", "Card payments"),
            *("--tag", "team=payments"),
            *("--administrator", arn + "role/security/KeyAdministrator"),
            *("--administrator", arn + "user/security/alice"),
            *("--user", arn + "role/payments/PaymentsApi", "--user", arn + "user/payments/grace"),
        )

    def run_command(self, *command):
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run(
                command_line(self.moto.url, *command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=environment(home),
                timeout=TIMEOUT,
            )

    def test_create_key_without_a_screen(self):
        result = self.run_command(*self.create_key("by-command"), "--yes")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assert_printed(result.stdout, self.assert_created("by-command"))
        # The alias is in use now, so no second key is created.
        again = self.run_command(*self.create_key("by-command"), "--yes")
        self.assertEqual((again.returncode, again.stdout), (2, ""))
        self.assertIn("--alias: The alias by-command already exists", again.stderr)
        self.assert_created("by-command")

    def test_prefilled_wizard_creates_a_key(self):
        with tempfile.TemporaryFile("w+") as out:
            console = Console(self.moto.url, *self.create_key("by-wizard"), stdout=out)
            # A key policy needs the account ID.
            console.wait_for("moto @ 123456789012")
            for text in (
                "Key material origin: KMS",
                "Add alias and description",
                "Add tags",
                "Define key administrative permissions",
                "Define key usage permissions",
                "Edit key policy",
                "● 7 Review",
            ):
                console.wait_for(text)
                self.assertNotIn("couldn't load the key stores", console.text())
                console.send(NEXT)
            console.wait_for_exit(0)
            out.seek(0)
            self.assert_printed(out.read(), self.assert_created("by-wizard"))

    def assert_printed(self, text, key):
        """Asserts that the output matches what boto3 returns for the key."""
        output = json.loads(text)
        expected = self.moto.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        created = datetime.datetime.fromisoformat(output["KeyMetadata"]["CreationDate"])
        # AWS returns milliseconds, moto a higher precision.
        self.assertLessEqual(abs(created - expected["CreationDate"]), datetime.timedelta(milliseconds=1))
        expected["CreationDate"] = created
        output["KeyMetadata"]["CreationDate"] = created
        self.assertEqual(output, {"KeyMetadata": expected})

    def assert_created(self, alias):
        """Asserts that there is exactly one key, with all chosen settings, and returns its ID."""
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
        # The new key works.
        blob = kms.encrypt(KeyId=f"alias/{alias}", Plaintext=b"four corners")["CiphertextBlob"]
        self.assertEqual(kms.decrypt(CiphertextBlob=blob)["Plaintext"], b"four corners")
        return key


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    # The AWS settings of this machine must reach neither moto nor its clients.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    unittest.main(verbosity=1)
