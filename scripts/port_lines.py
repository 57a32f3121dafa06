#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the lines of the example port again that docs/porting.md states in its table, by `wc -l` of the files that a
row names.

usage: port_lines.py [--update]

Prints the rows, and fails if the document states something else; with --update rewrites the document.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "porting.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<files>`[^|]+`) \| (?P<lines>\d+) \|$", re.MULTILINE)
ALL = re.compile(r"\*\*(\d+) lines\*\*")


def count(files):
    found = [path for pattern in re.findall(r"`([^`]+)`", files) for path in sorted(ROOT.glob(pattern))]
    if not found:
        raise SystemExit(f"Error: docs/porting.md: there is no {files}")
    return sum(path.read_bytes().count(b"\n") for path in found)


def main(arguments):
    if arguments not in ([], ["--update"]):
        print(__doc__, file=sys.stderr)
        return 2
    text = DOCUMENT.read_text()
    rows = [(match, count(match["files"])) for match in ROW.finditer(text)]
    for match, lines in rows:
        print(f"{lines:>6}  {match['what']}")
    board = sum(lines for match, lines in rows if "sifive_u" in match["files"])
    print(f"{board:>6}  all of the board's own")
    right = ROW.sub(lambda match: f"| {match['what']} | {match['files']} | {count(match['files'])} |", text)
    right = ALL.sub(f"**{board} lines**", right)
    if arguments:
        DOCUMENT.write_text(right)
    elif right != text:
        print("Error: docs/porting.md states other numbers; `make port-lines-update` rewrites them", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
