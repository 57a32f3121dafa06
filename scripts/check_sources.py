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

# Folder -> (folders or headers that it may include, system headers it may include; None: any). The longest that fits.
ROOMS = {
    "include": (["lifeboat"], FREESTANDING),
    "lib": (["lifeboat", "lib"], FREESTANDING),
    "lib/patch": (["lifeboat", "lib"], FREESTANDING),
    "boot": (["lifeboat", "boot"], WITHOUT_SYSTEM),
    "module": (["lifeboat", "module"], WITHOUT_SYSTEM),
    "ports": (["lifeboat", "module", "boot", "ports"], None),
    "ports/spi": (["lifeboat", "module", "ports/spi", "ports/block_device.h"], WITHOUT_SYSTEM),
    "ports/fat": (["lifeboat", "module", "ports/fat", "ports/block_device.h"], WITHOUT_SYSTEM),
    "ports/http": (["lifeboat", "module", "ports/http"], WITHOUT_SYSTEM),
    "ports/serial": (["lifeboat", "module", "ports/serial"], WITHOUT_SYSTEM),
    "ports/lwip": (["lifeboat", "module", "ports/lwip", "ports/http"], None),
    "ports/sifive_u": (["lifeboat", "module", "boot", "ports"], WITHOUT_SYSTEM),
    "ports/sifive_u/libc": ([], None),  # the board's own
    "tool": (["lifeboat", "module", "boot", "ports", "tool"], None),
    "tool/patch": (["lifeboat", "lib/patch", "ports", "tool/patch"], None),  # the encoder runs the decoder
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
    fitting = [room for room in ROOMS if name.startswith(room + "/")]
    if not fitting or not name.endswith((".c", ".h")):
        return
    folders, system_headers = ROOMS[max(fitting, key=len)]
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        if kind == "<":
            if system_headers is not None and header not in system_headers:
                yield f"{name}:{number}: <{header}> is not for this room, only {', '.join(sorted(system_headers))}"
        elif not any(header == folder or header.startswith(folder + "/") for folder in folders) or ".." in header:
            yield f'{name}:{number}: "{header}" is not for this room, only {", ".join(folders)}'


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
