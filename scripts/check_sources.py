#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every source file names its licence and that includes point downwards only."""

import re
import subprocess
import sys

LICENCE = "SPDX-License-Identifier: MIT"
LICENSED = re.compile(r"(\.(c|h|S|ld|py|sh|cmake)|(^|/)(CMakeLists\.txt|Makefile|requirements\.txt)|^\.ci/.*)$")

FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "string.h"}
WITHOUT_SYSTEM = FREESTANDING | {"limits.h", "stdarg.h"}

# Folder -> (folders whose headers it may include, system headers it may include; None: any).
ROOMS = {
    "include": (["lifeboat"], FREESTANDING),
    "lib": (["lifeboat", "lib"], FREESTANDING),
    "boot": (["lifeboat", "boot"], WITHOUT_SYSTEM),
    "module": (["lifeboat", "module"], WITHOUT_SYSTEM),
    "ports": (["lifeboat", "module", "boot", "ports"], None),
    "tool": (["lifeboat", "module", "boot", "ports", "tool"], None),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def source_files():
    """All files of the project, those not added to git yet among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        check=True, capture_output=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name)


def licence_faults(name, lines):
    if LICENSED.search(name) and not any(LICENCE in line for line in lines[:2]):
        yield f"{name}:1: no line '{LICENCE}' at the top"


def include_faults(name, lines):
    room = ROOMS.get(name.split("/")[0])
    if not room or not name.endswith((".c", ".h")):
        return
    folders, system_headers = room
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        if kind == "<":
            if system_headers is not None and header not in system_headers:
                yield f"{name}:{number}: <{header}> is not for this room, only {', '.join(sorted(system_headers))}"
        elif header.split("/")[0] not in folders or "/" not in header or ".." in header:
            yield f'{name}:{number}: "{header}" is not for this room, only {"/, ".join(folders)}/'


def main():
    names = source_files()
    faults = []
    checked = 0
    for name in names:
        try:
            with open(name, encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            continue  # deleted, but not yet in git's index
        except UnicodeDecodeError:
            continue  # no text
        checked += 1
        faults += licence_faults(name, lines)
        faults += include_faults(name, lines)
    for fault in faults:
        print(fault)
    if not checked:
        print("Error: git lists no files here: run this in the checkout")
    return 1 if faults or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
