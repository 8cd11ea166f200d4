"""Runs every command of the README and of the book in docs/ as printed.

Each block of commands runs in its own shell, in a terminal and an empty home directory. The blocks of the pages in SEQUENCES
run one after the other in the same home directory, with the variables that earlier blocks exported. `cargo` in its PATH is a substitute
that runs the program that is already built instead of `cargo run --release --`, and rejects everything else. `curl` is a substitute that takes
the files of a release from a local directory. `jq` is also a substitute if the machine doesn't have it. Everything outside this machine is simulated: the profile `work` is for a served
AWS, and `ca.pem` is a certificate authority created for the test.

A block that isn't in one of the tables below fails, so whoever adds a block must state how to run it. An entry without a
block fails, too.

Usage: python documentation.py PROGRAM RELEASE_FILES
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
import tomllib
import unittest

import pyte

PROGRAM = None
RELEASE_FILES = None
ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs/src").rglob("*.md"))]
TIMEOUT = 60
SIZE = (120, 40)
CTRL_C = "\x03"
NEXT, DOWN, REVIEW = "\x0e", "\x1b[B", "\x1b8"
# Goes from the first step of the wizard, whose check box must be selected, to Finish.
WIZARD = [
    ("Key usage", " " + NEXT),
    ("Frankfurt HSM", DOWN + " \tpayments-2026"),
    ("payments-2026", REVIEW),
    ("[ Edit ]", NEXT),
]
QUIT = [("External key stores", CTRL_C)]
# The same questions in accessible mode. Enter keeps the defaults.
ACCESSIBLE_WIZARD = [
    ("Key type, or Enter", "\n"),
    ("Key usage, or Enter", "\n"),
    ("Key material origin, or Enter", "\n"),
    ("Do you confirm this?", "yes\n"),
    ("4. Zurich DR", "Frankfurt HSM\n"),
    ("External key ID:", "payments-2026\n"),
    ("Alias, or Enter", "\n"),
    ("Description - optional", "\n"),
    ("Tag key of a new tag", "review\n"),
    ("10. Go to step 7", "1\n"),
]
# Pages whose blocks build on the earlier ones.
SEQUENCES = [ROOT / "docs/src/how-to" / name for name in ("test-flows.md", "test-your-proxy-in-ci.md", "play-for-an-audience.md", "teach.md", "teach-a-class.md")]
TEST_PROXY = "xks-console test flows --connect-to localhost=127.0.0.1:8443 --proxy-ca my-proxy/tls-ca.pem"

VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
DOWNLOADS = f"https://github.com/xks-console/xks-console/releases/download/v{VERSION}"

# Blocks of commands by their first line that doesn't start a server: the text to wait for and the keys to send then, the exit
# code, and the text that the terminal must show at the end.
COMMANDS = {
    f"curl -fsSL {DOWNLOADS}/xks-console-{VERSION}-$(uname -m)-unknown-linux-gnu.tar.gz \\": (QUIT, 0, ""),
    "mkdir -p ~/.local/bin": ([], 0, f"xks-console {VERSION}"),
    f"curl -fsSLO {DOWNLOADS}/xks-console-{VERSION}-$(uname -m)-unknown-linux-gnu.tar.gz": ([], 0, "unknown-linux-gnu.tar.gz: OK"),
    "echo 'source <(xks-console completions bash)' >> ~/.bashrc": ([], 0, "manual pages were written to"),
    "cargo run --release": (QUIT, 0, ""),
    "cargo run --release -- --accessible": ([("Choose an entry:", "quit\n")], 0, "8. Quit"),
    "export ACCESSIBLE=1": ([], 0, ""),
    "printf '%s\\n' 3 quit | cargo run --release -- --accessible": ([], 0, "4 external key stores."),
    "cargo run --release -- create-key --accessible --alias payments > key.json": (
        ACCESSIBLE_WIZARD,
        0,
        "Your AWS KMS key was created with alias payments",
    ),
    "cargo run --release -- --aws --profile work --region eu-west-1": (QUIT, 0, ""),
    "cargo run --release -- --aws --profile work --region eu-west-1 --read-only": (QUIT, 0, ""),
    'cargo run --release -- --endpoint-url "$AWS_ENDPOINT_URL"': (QUIT, 0, ""),
    "cargo run --release -- serve -- aws kms describe-custom-key-stores": ([], 0, "Frankfurt HSM"),
    "cargo run --release -- serve -- aws kms list-keys": ([], 0, "KeyArn"),
    "cargo run --release -- serve -- aws --profile KeyAdministrator kms list-keys": ([], 0, "KeyArn"),
    "cargo run --release -- --data-dir ./test-account serve -- aws kms list-aliases": ([], 0, "alias/customer-db"),
    "aws kms describe-custom-key-stores": ([], 0, "Stopped the server"),
    "cargo run --release -- serve --access-log -": ([("Listening on http://127.0.0.1:", CTRL_C)], 0, ""),
    "cargo run --release -- serve --connect-to xks.example.com=127.0.0.1:8443 --proxy-ca ca.pem": (
        [("Listening on http://127.0.0.1:", CTRL_C)],
        0,
        "",
    ),
    "cargo run --release -- proxy rotate-credential oslo > oslo.json": (
        [],
        0,
        "The proxy meets every requirement that was checked.",
    ),
    'aws kms encrypt --key-id alias/customer-db --plaintext "$(printf \'hello\' | base64)"': ([], 0, '"Encrypt"'),
    "cargo run --release -- serve -- aws kms encrypt --key-id alias/customer-db --plaintext aGVsbG8= > ciphertext.json": (
        [],
        0,
        "encrypted twice",
    ),
    "cargo run --release -- serve -- aws kms encrypt --key-id alias/customer-db --plaintext aGVsbG8= --encryption-context project=nile": (
        [
            ("External key stores", "\x0bX-ray\r"),
            ("X-ray (1)", "\r"),
            ("project=nile", CTRL_C),
        ],
        0,
        "",
    ),
    "cargo run --release -- proxy fault add 'xks:Encrypt timeout 2 times partition frankfurt'": ([], 0, "timeout"),
    "cargo run --release -- learn first-key": ([("Step 1 of 6", CTRL_C)], 0, ""),
    "cargo run --release -- proxy disable-key --partition frankfurt --id payments-2026": ([], 0, ""),
    "cargo run --release -- proxy enable-key --partition frankfurt --id payments-2026": ([], 0, ""),
    "cargo run --release -- create-key --alias payments | jq -r .KeyMetadata.Arn": (
        WIZARD,
        0,
        "arn:aws:kms:us-west-2:111122223333:key/",
    ),
    "cargo run --release -- create-key --yes --custom-key-store-id 'Frankfurt HSM' --xks-key-id ledger-archive \\": (
        [],
        0,
        '"KeyState": "Enabled"',
    ),
    "cargo run --release -- create-key --batch keys.csv --custom-key-store-id 'Frankfurt HSM'": ([], 0, '"outcome":"made"'),
    "xks-console learn": ([], 0, "first-key-method-2"),
    "xks-console learn first-key": ([("Step 1 of 6", CTRL_C)], 0, ""),
    "xks-console learn report": ([], 0, "first-key: "),
    "xks-console learn first-key --reset --step 1": ([], 0, "at the beginning of step 1"),
    "xks-console learn new disable-a-key": ([], 0, "xks-console learn check disable-a-key.toml"),
    "xks-console learn check disable-a-key.toml": ([], 0, "disable-a-key.toml: ok"),
    "xks-console learn disable-a-key.toml": ([("Step 1 of 3", CTRL_C)], 0, ""),
    "xks-console tape new open-a-key-store": ([], 0, "4 screens accepted"),
    "xks-console test open-a-key-store.tape": ([], 0, "2 passed, 0 failed"),
    "sed -i 's/frankfurt/dublin/' open-a-key-store.tape": ([], 1, "+ |  Custom key store name  Dublin HSM"),
    "rm open-a-key-store.*": ([], 0, "2 passed, 0 failed"),
    "xks-console serve --detach --tls-self-signed --data-dir ./my-proxy --listen 127.0.0.1:8443": ([], 0, ""),
    "xks-console record draft.tape --connect-to localhost=127.0.0.1:8443 --proxy-ca my-proxy/tls-ca.pem": (
        QUIT,
        0,
        "draft.tape was written",
    ),
    "export PROXY_HOST=localhost PROXY_CONFIGURATION=ci.json EXTERNAL_KEY_ID=ci-key": ([], 0, "2 screens accepted"),
    TEST_PROXY: ([], 0, "1 passed, 0 failed"),
    "xks-console proxy disable-key --partition ci --id ci-key --data-dir ./my-proxy": (
        [],
        3,
        "XksKeyInvalidConfigurationException",
    ),
    "xks-console proxy enable-key --partition ci --id ci-key --data-dir ./my-proxy": ([], 0, "1 passed, 0 failed"),
    "xks-console --ephemeral --scenario training list-stores": ([], 0, "Frankfurt HSM"),
    "xks-console config print": ([], 0, 'theme = "auto"'),
    "xks-console config check": ([], 0, "No problems found"),
    "xks-console config schema > config.schema.json": ([], 0, ""),
    "xks-console tape new demo": ([("the console is yours", CTRL_C)], 0, ""),
    "xks-console record my-flow.tape": (QUIT, 0, "my-flow.tape was written"),
    "xks-console list-keys --store 'Frankfurt HSM' --status enabled": ([], 0, "arn:aws:kms:us-west-2:111122223333:key/"),
    "source <(xks-console completions bash)": ([], 0, ""),
    "xks-console man --dir ~/.local/share/man/man1": ([], 0, "manual pages were written to"),
    "xks-console version": ([], 0, "aws-lc-rs:"),
    "xks-console play demo.tape --cast demo.cast": ([], 0, "4 images were written to images"),
    "xks-console serve --accounts 3 --data-dir class": ([("Serving 3 accounts.", CTRL_C)], 0, "student-03 http://127.0.0.1:"),
    "xks-console --data-dir class/student-01": (QUIT, 0, ""),
    "# Disable the external key of customer-db.": ([], 0, ""),
    "# Who has created a key with the alias payments?": ([], 0, "class/student-03/: no"),
    "# Delete the accounts.": ([], 0, ""),
}
# Blocks with the content of a file, by their first line, and the path of the file in the home directory.
FILES = {
    "[profile.work]": ".config/xks-console/config.toml",
    'theme = "dark"': ".config/xks-console/config.toml",
    "[keys]": ".config/xks-console/config.toml",
    "xks-key-id,alias,tag": "keys.csv",
    "# The proxy: create a key store, connect it, create a key, and encrypt with it.": "flows/my-proxy.tape",
}
# Blocks that aren't run, by their first line, and why.
SKIPPED = {
    "cargo install --locked --path .": "it builds the program once more",
    f"curl -fsSLO {DOWNLOADS}/xks-console_{VERSION}_$(dpkg --print-architecture).deb": "it needs root; `.ci/release try` does the same",
    f"sudo dnf install {DOWNLOADS}/xks-console-{VERSION}-1.$(uname -m).rpm": "it needs RHEL; `.ci/release try` checks the package",
    f"curl -fsSLO {DOWNLOADS}/PKGBUILD": "it needs Arch Linux; `.ci/release try` calls the functions of the file",
    "brew install xks-console/tap/xks-console": "it needs Homebrew and the release",
    f"nix run github:xks-console/xks-console/v{VERSION}": "it needs Nix and the release",
    f"cargo binstall xks-console@{VERSION}": "it needs the release",
    f"cargo install --locked xks-console@{VERSION}": "it needs the release; `.ci/run` checks the package",
    "cargo audit bin ~/.local/bin/xks-console": "it needs cargo-audit and its database",
    f"docker build --tag xks-console https://github.com/xks-console/xks-console.git#v{VERSION}": "it needs Docker and the release",
    "docker run --rm --publish 127.0.0.1:4599:4599 xks-console serve --ephemeral --listen 0.0.0.0:4599 --beyond-loopback": "it needs Docker",
    'docker run --rm --user "$(id -u)" --volume "$PWD:/work" xks-console test flows': "it needs Docker",
    'docker run --rm --network host --user "$(id -u)" --volume "$PWD:/work" \\': "it needs Docker",
    "name: Flows": "a workflow, which runs on GitHub",
    "#:schema ./config.schema.json": "a line for an editor",
    'title = "Disable a key"': "the Rust tests check it",
    "#: lesson disable-a-key.toml": "a part of a tape",
    "xks:Encrypt timeout 2 times partition frankfurt": "the words of a fault",
    'extends = "default"': "the Rust tests open it",
    'extends = "training"': "the Rust tests open it",
    "#: world default": "an example of a tape for reading",
    "xks-console golden 1": "an example of a golden file",
    "FAILED     open-a-key-store.tape at 80x24": "output, whose rows another entry checks",
    "FAILED     flows/my-proxy.tape at 80x24": "output, whose error another entry checks",
    "use xks_console::flow::suite::Suite;": "the API documentation has the same example",
    "source class/student-01.env": "it needs the server of another block; the Rust tests do the same",
    "xks-console serve --progress": "it needs the server of another block; the Rust tests do the same",
    "set-option -g prefix None": "a configuration for tmux",
    "ttyd --writable --check-origin --port 7701 --credential ada:PASSWORD \\": "it needs ttyd",
    "tmux new-session -d -s class xks-console --data-dir class/trainer --theme projector": "it needs tmux",
    "ttyd --port 7700 --check-origin tmux attach-session -r -t class": "it needs ttyd",
    " In AWS                                                         Outside of AWS": "a diagram",
    " Encrypt": "a diagram",
    " GenerateDataKey": "a diagram",
    "cargo test --workspace --locked": "the Rust tests run separately and take minutes",
    "use xks_console::aws::kms::DescribeCustomKeyStores;": "the API documentation has the same example, which runs as a test",
}

CARGO = """#!/bin/sh
# Substitute for cargo: runs the program that is already built.
[ "$1 $2" = "run --release" ] || { echo "cargo $*: not supported here" >&2; exit 64; }
shift 2
[ "${1---}" = -- ] || { echo "cargo run --release $*: not supported here" >&2; exit 64; }
[ $# -eq 0 ] || shift
exec "$XKS" "$@"
"""

CURL = """#!/bin/sh
# Substitute for curl: prints a file of the release (-fsSL), or copies it to the current directory (-fsSLO).
case "$2" in
    https://github.com/xks-console/xks-console/releases/download/v*/*) ;;
    *) echo "curl $*: not supported here" >&2 && exit 64 ;;
esac
file="$RELEASE_FILES/${2##*/}"
case "$1" in
    -fsSL) exec cat "$file" ;;
    -fsSLO) exec cp "$file" . ;;
    *) echo "curl $*: not supported here" >&2 && exit 64 ;;
esac
"""

JQ = """#!{python}
# Substitute for jq: supports `jq -r .A.B`.
import functools, json, sys
print(functools.reduce(lambda value, name: value[name], sys.argv[2].split(".")[1:], json.load(sys.stdin)))
"""


def code_blocks(text):
    """Returns the indented and fenced code blocks."""
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


def strip_escape_sequences(text):
    """Removes terminal escape sequences from text."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class Home:
    """An empty home directory, with the substitute for cargo and everything that the README assumes."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        programs = self.path / "programs"
        programs.mkdir()
        (programs / "cargo").write_text(CARGO)
        (programs / "cargo").chmod(0o755)
        (programs / "xks-console").symlink_to(PROGRAM)
        (programs / "curl").write_text(CURL)
        (programs / "curl").chmod(0o755)
        if not shutil.which("jq"):
            (programs / "jq").write_text(JQ.format(python=sys.executable))
            (programs / "jq").chmod(0o755)
        clients = pathlib.Path(sys.executable).parent
        self.environment = {
            "HOME": str(self.path),
            "PATH": f"{programs}:{clients}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "AWS_PAGER": "",
            # Requests to the real AWS must fail.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "XKS": PROGRAM,
            "RELEASE_FILES": RELEASE_FILES,
        }

    def run(self, *arguments):
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    def write_file(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start_aws(self):
        """Starts an AWS for the profile `work`."""
        aws = str(self.path / "aws")
        served = self.run("serve", "--detach", "--data-dir", aws, "--listen", "127.0.0.1:0")
        assert served.returncode == 0, served.stderr
        values = dict(re.findall(r"^export (\w+)=(.*)$", served.stdout, re.M))
        self.write_file(
            ".aws/config",
            f"[profile work]\nendpoint_url = {values['AWS_ENDPOINT_URL']}\n"
            f"aws_access_key_id = {values['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {values['AWS_SECRET_ACCESS_KEY']}\n",
        )

    def create_authority(self):
        """Creates a certificate authority with `serve --tls-self-signed`."""
        aws = self.path / "tls"
        self.run("serve", "--tls-self-signed", "--data-dir", str(aws), "--", "true")
        shutil.copy(aws / "tls-ca.pem", self.path / "ca.pem")

    def close(self):
        self.run("serve", "--stop")
        for directory in [self.path / "aws", self.path / "my-proxy", *self.path.glob("class/*/")]:
            self.run("serve", "--stop", "--data-dir", str(directory))
        self.directory.cleanup()


class Terminal:
    """A shell that runs a block of commands in a pseudo-terminal."""

    def __init__(self, home, script):
        self.screen = pyte.HistoryScreen(*SIZE, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        # All output so far, including text that scrolled off the screen.
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
        assert ready, f"no output in time:\n{self.text()}"
        data = os.read(self.terminal, 65536)
        self.written += data.decode(errors="replace")
        self.stream.feed(data)

    def wait_for(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.text():
            try:
                self.read(deadline)
            except OSError as error:
                raise AssertionError(f'"{text}" did not appear:\n{self.text()}') from error

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def wait_for_exit(self):
        deadline = time.monotonic() + TIMEOUT
        with contextlib.suppress(OSError):
            while True:
                self.read(deadline)
        os.close(self.terminal)
        return self.process.wait(TIMEOUT)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def first_line(block):
    """Returns the first line that tells what a block is about."""
    lines = block.splitlines()
    return next((line for line in lines if not line.startswith("eval ")), lines[0])


class Documentation(unittest.TestCase):
    def setUp(self):
        self.text = "\n".join(document.read_text() for document in DOCUMENTS)
        self.blocks = [block for document in DOCUMENTS for block in code_blocks(document.read_text())]

    def test_every_code_block_has_an_entry_and_every_entry_a_block(self):
        found = {first_line(block) for block in self.blocks}
        entries = {*COMMANDS, *FILES, *SKIPPED}
        self.assertEqual(found - entries, set(), "add these blocks to a table of this file")
        self.assertEqual(entries - found, set(), "remove these entries")

    def write_files(self, home):
        for block in self.blocks:
            name = FILES.get(first_line(block), "config")
            if "config" not in name:
                home.write_file(name, block)

    def run_block(self, home, block, script):
        steps, code, text = COMMANDS[first_line(block)]
        terminal = Terminal(home, script)
        self.addCleanup(terminal.kill)
        for shown, keys in steps:
            terminal.wait_for(shown)
            terminal.send(keys)
        self.assertEqual(terminal.wait_for_exit(), code, terminal.text())
        self.assertTrue(text in strip_escape_sequences(terminal.written), terminal.text())

    def test_every_command_block_works_as_described(self):
        in_sequences = [block for document in SEQUENCES for block in code_blocks(document.read_text())]
        for block in dict.fromkeys(self.blocks):
            if first_line(block) not in COMMANDS or block in in_sequences:
                continue
            with self.subTest(block), contextlib.closing(Home()) as home:
                self.write_files(home)
                if "--profile work" in block:
                    home.start_aws()
                if "ca.pem" in block:
                    home.create_authority()
                self.run_block(home, block, block)

    def test_blocks_that_build_on_each_other_work_in_their_order(self):
        for document in SEQUENCES:
            with self.subTest(document.name), contextlib.closing(Home()) as home:
                self.write_files(home)
                home.write_file("exported", "")
                for block in code_blocks(document.read_text()):
                    if first_line(block) in COMMANDS:
                        self.run_block(home, block, f". ./exported\ntrap 'export -p > exported' EXIT\n{block}")

    def test_configuration_example_makes_the_console_read_only(self):
        block = next(block for block in self.blocks if block.startswith("[profile.work]"))
        with contextlib.closing(Home()) as home:
            home.write_file(FILES["[profile.work]"], block)
            home.start_aws()
            for profile, is_read_only in [("work", True), ("other", False)]:
                config = (home.path / ".aws/config").read_text()
                home.write_file(".aws/config", config + config.replace("profile work", "profile other") if is_read_only else config)
                terminal = Terminal(home, f"xks-console --aws --profile {profile} --region us-west-2")
                self.addCleanup(terminal.kill)
                terminal.wait_for("Frankfurt HSM")
                self.assertEqual("read-only" in terminal.text().lower(), is_read_only, terminal.text())
                terminal.send(CTRL_C)
                terminal.wait_for_exit()

    def test_every_inline_command_works(self):
        commands = re.findall(r"`(xks-console [^`]*)`", self.text)
        self.assertGreater(len(commands), 2)
        for command in commands:
            with self.subTest(command), contextlib.closing(Home()) as home:
                result = subprocess.run(
                    ["bash", "-c", command], env=home.environment, cwd=home.path, capture_output=True, timeout=TIMEOUT
                )
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertTrue(result.stdout)


if __name__ == "__main__":
    PROGRAM, RELEASE_FILES = (str(pathlib.Path(sys.argv.pop(1)).resolve()) for _ in range(2))
    unittest.main()
