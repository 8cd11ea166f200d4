"""Every command of the README, run as it is printed.

Each block of commands runs in a shell of its own, in a terminal and an empty home. `cargo` in its PATH is a stand-in that runs
the program that is built already in place of `cargo run --release --`, and refuses everything else; so is `jq` where the machine
has none. What would need more than
this machine is here too: the profile `work` leads to a served AWS, and `ca.pem` is an authority that was made for it.

A block that is in none of the tables below fails, so that whoever adds one says how it is run. So does an entry without a block.

Usage: python readme.py PROGRAM
"""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import pyte

PROGRAM = None
README = pathlib.Path(__file__).parents[2] / "README.md"
PATIENCE = 60
SIZE = (120, 40)
CTRL_C = "\x03"
NEXT, DOWN, REVIEW = "\x0e", "\x1b[B", "\x1b8"
# From the first step of the wizard, whose box has to be selected, to Finish.
WIZARD = [
    ("Key usage", " " + NEXT),
    ("Frankfurt HSM", DOWN + " \tpayments-2026"),
    ("payments-2026", REVIEW),
    ("[ Edit ]", NEXT),
]
QUIT = [("External key stores", CTRL_C)]

# Blocks of commands by their first line: what to wait for on the terminal and then to type, the exit code, and what
# has to be on the terminal at the end. A first line that stands twice has an entry for each.
COMMANDS = {
    "cargo run --release": [(QUIT, 0, "")],
    "cargo run --release -- serve -- aws kms describe-custom-key-stores": [([], 0, "Frankfurt HSM")],
    'eval "$(cargo run --release -- serve --detach)"': [
        ([], 0, "Stopped the server"),
        ([], 0, "The proxy meets every requirement that was checked."),
        (QUIT, 0, ""),
    ],
    "cargo run --release -- serve --connect-to xks.example.com=127.0.0.1:8443 --proxy-ca ca.pem": [
        ([("Listening on http://127.0.0.1:", CTRL_C)], 0, "")
    ],
    "cargo run --release -- --aws --profile work --region eu-west-1": [(QUIT, 0, "")],
    "cargo run --release -- create-key --alias payments | jq -r .KeyMetadata.Arn": [(WIZARD, 0, "arn:aws:kms:us-west-2:111122223333:key/")],
    "cargo run --release -- create-key --yes --custom-key-store-id 'Frankfurt HSM' --xks-key-id payments-2026 \\": [
        ([], 0, '"KeyState": "Enabled"')
    ],
    "cargo run --release -- create-key --batch keys.csv --custom-key-store-id 'Frankfurt HSM'": [
        ([], 0, '"outcome":"made"')
    ],
}
# Blocks that are what a file holds, by their first line, and the file in the home.
FILES = {
    "[profile.work]": ".config/xks-console/config.toml",
    "xks-key-id,alias,tag": "keys.csv",
}
# Blocks that are not run, and why.
SKIPPED = {
    "cargo test --locked": "the tests run beside this one, and take minutes",
}

CARGO = """#!/bin/sh
# Stands for cargo: runs the program that is built already.
[ "$1 $2" = "run --release" ] || { echo "cargo $*: not here" >&2; exit 64; }
shift 2
[ "${1---}" = -- ] || { echo "cargo run --release $*: not here" >&2; exit 64; }
[ $# -eq 0 ] || shift
exec "$XKS" "$@"
"""

JQ = """#!{python}
# Stands for jq where there is none: `jq -r .A.B`.
import functools, json, sys
print(functools.reduce(lambda value, name: value[name], sys.argv[2].split(".")[1:], json.load(sys.stdin)))
"""


def blocks(text):
    """The blocks that are set in four spaces or between fences."""
    found, block, is_fenced = [], [], False
    for line in [*text.splitlines(), ""]:
        if line.startswith("```"):
            is_fenced = not is_fenced
            is_code = False
        else:
            is_code = is_fenced or line.startswith("    ")
        if is_code:
            block.append(line if is_fenced else line[4:])
        elif block:
            found.append("\n".join(block) + "\n")
            block = []
    return found


def without_sequences(written):
    """What was written, without what a terminal obeys."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)


class Home:
    """An empty home, with the stand-in for cargo and what the README takes as given."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        programs = self.path / "programs"
        programs.mkdir()
        (programs / "cargo").write_text(CARGO)
        (programs / "cargo").chmod(0o755)
        (programs / "xks-console").symlink_to(PROGRAM)
        if not shutil.which("jq"):
            (programs / "jq").write_text(JQ.format(python=sys.executable))
            (programs / "jq").chmod(0o755)
        clients = pathlib.Path(sys.executable).parent
        self.environment = {
            "HOME": str(self.path),
            "PATH": f"{programs}:{clients}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "AWS_PAGER": "",
            # What goes to AWS all the same gets nowhere.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "XKS": PROGRAM,
        }

    def run(self, *arguments):
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def put(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add_aws(self):
        """An AWS for the profile `work`."""
        aws = str(self.path / "aws")
        served = self.run("serve", "--detach", "--data-dir", aws, "--listen", "127.0.0.1:0")
        assert served.returncode == 0, served.stderr
        values = dict(re.findall(r"^export (\w+)=(.*)$", served.stdout, re.M))
        self.put(
            ".aws/config",
            f"[profile work]\nendpoint_url = {values['AWS_ENDPOINT_URL']}\n"
            f"aws_access_key_id = {values['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {values['AWS_SECRET_ACCESS_KEY']}\n",
        )

    def add_authority(self):
        """A certificate authority, which `serve --tls-self-signed` makes."""
        aws = self.path / "tls"
        self.run("serve", "--tls-self-signed", "--data-dir", str(aws), "--", "true")
        shutil.copy(aws / "tls-ca.pem", self.path / "ca.pem")

    def close(self):
        for directory in [[], ["--data-dir", str(self.path / "aws")]]:
            self.run("serve", "--stop", *directory)
        self.directory.cleanup()


class Terminal:
    """A shell that runs a block of commands in a pseudo-terminal."""

    def __init__(self, home, script):
        self.screen = pyte.HistoryScreen(*SIZE, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        # All that was ever written, for what has left the screen.
        self.written = ""
        self.terminal, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.process = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=home.environment,
            cwd=home.path,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, deadline):
        ready, _, _ = select.select([self.terminal], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"nothing came in time:\n{self.text()}"
        data = os.read(self.terminal, 65536)
        self.written += data.decode(errors="replace")
        self.stream.feed(data)

    def wait(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.text():
            try:
                self.read(deadline)
            except OSError as error:
                raise AssertionError(f'"{words}" never came:\n{self.text()}') from error

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def end(self):
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(OSError):
            while True:
                self.read(deadline)
        os.close(self.terminal)
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Readme(unittest.TestCase):
    def setUp(self):
        self.text = README.read_text()
        self.blocks = blocks(self.text)

    def test_each_block_is_accounted_for_and_each_entry_has_a_block(self):
        firsts = [block.splitlines()[0] for block in self.blocks]
        for first in firsts:
            self.assertIn(first, {**COMMANDS, **FILES, **SKIPPED}, "say in a table of this file how this block is run")
        for first, runs in COMMANDS.items():
            self.assertEqual(firsts.count(first), len(runs), first)
        for first in {**FILES, **SKIPPED}:
            self.assertEqual(firsts.count(first), 1, first)

    def test_each_block_of_commands_does_what_it_says(self):
        seen = {}
        for block in self.blocks:
            first = block.splitlines()[0]
            if first not in COMMANDS:
                continue
            steps, code, words = COMMANDS[first][seen.get(first, 0)]
            seen[first] = seen.get(first, 0) + 1
            with self.subTest(block), contextlib.closing(Home()) as home:
                for other in self.blocks:
                    if other.splitlines()[0] in FILES and "config" not in FILES[other.splitlines()[0]]:
                        home.put(FILES[other.splitlines()[0]], other)
                if "--profile work" in block:
                    home.add_aws()
                if "ca.pem" in block:
                    home.add_authority()
                terminal = Terminal(home, block)
                self.addCleanup(terminal.kill)
                for shown, keys in steps:
                    terminal.wait(shown)
                    terminal.send(keys)
                self.assertEqual(terminal.end(), code, terminal.text())
                self.assertTrue(words in without_sequences(terminal.written), terminal.text())

    def test_the_configuration_makes_the_console_read_only(self):
        block = next(block for block in self.blocks if block.startswith("[profile.work]"))
        with contextlib.closing(Home()) as home:
            home.put(FILES["[profile.work]"], block)
            home.add_aws()
            for profile, is_read_only in [("work", True), ("other", False)]:
                config = (home.path / ".aws/config").read_text()
                home.put(".aws/config", config + config.replace("profile work", "profile other") if is_read_only else config)
                terminal = Terminal(home, f"xks-console --aws --profile {profile} --region us-west-2")
                self.addCleanup(terminal.kill)
                terminal.wait("Frankfurt HSM")
                self.assertEqual("read-only" in terminal.text().lower(), is_read_only, terminal.text())
                terminal.send(CTRL_C)
                terminal.end()

    def test_each_command_within_a_sentence_works(self):
        commands = re.findall(r"`(xks-console [^`]*)`", self.text)
        self.assertGreater(len(commands), 2)
        for command in commands:
            with self.subTest(command), contextlib.closing(Home()) as home:
                done = subprocess.run(
                    ["bash", "-c", command], env=home.environment, cwd=home.path, capture_output=True, timeout=PATIENCE
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout)


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
