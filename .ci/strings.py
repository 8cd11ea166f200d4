"""Lists the text that people read: string literals of the program outside tests, and the help of the command line.

Usage: python3 .ci/strings.py [FOLDER OF src] > target/strings.txt

Each line is FILE:LINE, a tab, and the text. Literals that are no sentence or label (names of AWS operations and members, SQL,
file names, patterns) are left out by their form, so a few of them stay and a few short labels are missing.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
# Their doc comments are the help of the command line.
HELP = ["cli.rs", "cli/", "create_key/key_options.rs"]
TEST_FILES = ("tests.rs", "testing.rs", "_tests.rs", "forward_compatibility.rs")
TOKEN = re.compile(
    r"""
    (?P<doc>///[^\n]*)
    | //[^\n]* | /\*.*?\*/
    | b?r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)
    | b?"(?P<text>(?:\\.|[^"\\])*)"
    | '(?:\\.[^']*|[^'\\])' | '\w+
    """,
    re.S | re.X,
)
NOT_TEXT = [
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|DROP|BEGIN|WITH|AND|WHERE)\b",
    r"^[\w:./{}@#%&=?*+$-]*$(?<![a-z]{3})",
    r"^[a-z0-9_:./*{}=-]+$",
    r"^[A-Za-z0-9]+([.:/-][A-Za-z0-9{}]+)+$",
    r"^[A-Z][a-z0-9]+([A-Z][A-Za-z0-9]*)+$",
    r"^[A-Z0-9_]+$",
    r"^\W*$",
    r"NOT NULL|STRICT|= \?\d|VALUES \(|^<|^\w+::",
]
# Elsewhere, a single word is a name rather than a label.
LABELS = ("tui/", "create_key/", "cli")


def without_tests(text):
    """The code before the first test module of the file."""
    found = re.search(r"^#\[cfg\(test\)\]\s*\n(?:#\[[^\n]*\n)*mod \w+ \{", text, re.M)
    return text[: found.start()] if found else text


def literal(text):
    """The value of a string literal: continued lines joined, escapes for quotes and line breaks resolved."""
    text = re.sub(r"\\\n\s*", "", text)
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def texts(path):
    source = without_tests(path.read_text())
    name = path.relative_to(SRC).as_posix()
    is_help = any(name == help or (help.endswith("/") and name.startswith(help)) for help in HELP)
    for token in TOKEN.finditer(source):
        line = source.count("\n", 0, token.start()) + 1
        if token["doc"] is not None:
            if is_help:
                yield line, token["doc"][3:].strip()
        elif (value := token["raw"] or token["text"]) is not None:
            value = value if token["raw"] else literal(value)
            for part in value.split("\n"):
                is_label = " " in part or name.startswith(LABELS)
                if is_label and not any(re.search(pattern, part) for pattern in NOT_TEXT):
                    yield line, part.strip()


def main():
    count = 0
    for path in sorted(SRC.rglob("*.rs")):
        if path.name.endswith(TEST_FILES):
            continue
        for line, text in texts(path):
            if text:
                print(f"{path.relative_to(ROOT)}:{line}\t{text}")
                count += 1
    print(f"{count} texts", file=sys.stderr)


main()
