"""Writes a directory as an archive that is the same for the same files, whoever makes it and when.

Entries are sorted, and belong to root. Their time is SOURCE_DATE_EPOCH, and their mode is 755 for directories and programs and 644
for everything else. The directory itself becomes NAME in the archive.

Usage: python archive.py DIRECTORY NAME ARCHIVE.tar.gz [LEVEL]
"""

import gzip
import os
import pathlib
import sys
import tarfile


def normalize(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def main(directory, name, archive, level=9):
    root = pathlib.Path(directory)
    with open(archive, "wb") as file, gzip.GzipFile("", "wb", int(level), file, 0) as compressed:
        with tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in [root, *sorted(root.rglob("*"))]:
                tar.add(path, pathlib.PurePath(name) / path.relative_to(root), recursive=False, filter=normalize)


if __name__ == "__main__":
    main(*sys.argv[1:])
