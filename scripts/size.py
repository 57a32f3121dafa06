#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints how big everything is that is built without an operating system: code, variables, stack and structs.

usage: size.py [--update]

Compares the numbers with docs/size-table.txt, and fails if one grew by more than 3 %; with --update rewrites the table.
The board's programs are those in build/board: `make board-build`.
"""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

from sizes import board, targets, uses
from sizes.targets import FOLDER, ROOT, TARGETS, Failure

TABLE = ROOT / "docs" / "size-table.txt"
DETAILED = "rv32imc"  # the target whose files, functions and frames are listed
ALLOWED_GROWTH = 0.03
LISTED = 12
# The goals of the project for DETAILED: what, bytes.
GOALS = {"bootloader's decision": 8192, "bootloader, silent, with hashes": 8192, "update path": 12288,
         "RAM of an update's session": 6144, "... with table and device": 6144}


def row(name, *numbers):
    return f"{name:<46}" + "".join(f" {number:>8}" for number in numbers)


def total(sizes):
    return tuple(sum(column) for column in zip(*sizes.values()))


def compile_library(target):
    """Source file -> its sizes, of the whole library."""
    objects = targets.compile_library(target, targets.SIZE_OPTIONS + targets.SMALLER.get(target, []))
    sizes = {}
    for file, numbers in targets.sections(target, objects).items():
        prefix = "patch/" if file.parent.name == targets.LIBRARY["lib/patch"] else ""
        sizes[f"{prefix}{file.stem}.c"] = numbers
    return sizes


def library_lines(sizes):
    lines = [row("lib/ whole: target", "text", "data", "bss")]
    lines += [row(target, *total(files)) for target, files in sizes.items()]
    lines += ["", row(f"lib/ by file, {DETAILED}", "text")]
    return lines + [row(file, numbers[0]) for file, numbers in sizes[DETAILED].items()]


def measure_uses(target):
    """Use -> ((code, data, stack), chain) and struct -> bytes."""
    uses.compile_all(target)
    return {name: uses.measure_use(target, name) for name in uses.USES}, uses.structs(target)


def use_lines(measured):
    lines = []
    for target, (found, _) in measured.items():
        lines += [row(f"linked for a use, {target}", "code", "data", "stack")]
        lines += [row(name, *numbers) for name, (numbers, _) in found.items()] + [""]
    lines += [row("structs of the caller", *measured)]
    for name in next(iter(measured.values()))[1]:
        lines.append(row(name, *(sizes[name] for _, sizes in measured.values())))
    sessions = [uses.sessions(found, sizes) for found, sizes in measured.values()]
    lines += ["", row("RAM of an update, without a sector buffer", *measured)]
    lines.append(row(f"session: stack, {', '.join(uses.SESSION)}", *(own for own, _ in sessions)))
    lines.append(row(f"with {', '.join(uses.AROUND)}", *(all_of_it for _, all_of_it in sessions)))
    return lines


def goal_lines(measured):
    found, sizes = measured[DETAILED]
    numbers = {name: use[0][0] for name, use in found.items()}
    numbers["RAM of an update's session"], numbers["... with table and device"] = uses.sessions(found, sizes)
    lines = [row(f"goals, {DETAILED} at {' '.join(['-Os'] + targets.SMALLER[DETAILED])}", "bytes", "goal")]
    for name, goal in GOALS.items():
        lines.append(row(name, numbers[name], goal) + ("  met" if numbers[name] < goal else "  missed"))
    return lines


def detail_lines(measured):
    lines = []
    for name in ("update path", "patch decoder", "bootloader, silent, with hashes"):
        lines += [f"largest functions of: {name} ({DETAILED})"]
        lines += [f"{size:>7}  {function}" for size, function in uses.largest_functions(DETAILED, name, LISTED)] + [""]
    for name, (_, chain) in measured[DETAILED][0].items():
        lines.append(f"deepest stack of: {name} ({DETAILED})")
        lines += [f"{frame:>7}  {function}" for function, frame in chain] + [""]
    return lines


def numbers_of(text):
    """(section, name) -> numbers of a table that was written before."""
    found, section = {}, ""
    for line in text.splitlines():
        match = re.match(r"^(.{46})((?: +\d+)+)(?:  met|  missed)?$", line)
        if match:
            found[section, match[1].strip()] = [int(number) for number in match[2].split()]
        elif line and not line.startswith(" "):
            section = line[:46].strip()
    return found


def compare(text):
    """Fails if a number grew by more than ALLOWED_GROWTH over the committed table, or is not in it."""
    if not TABLE.exists():
        raise Failure("docs/size-table.txt is missing; `make size-update` writes it")
    committed = numbers_of(TABLE.read_text())
    grown = []
    for (section, name), numbers in numbers_of(text).items():
        before = committed.get((section, name))
        if section.startswith(("goals", "lib/ by file")):
            continue
        if before is None or len(before) != len(numbers):
            grown.append(f"{section}: {name} is not in the table")
        elif any(now > max(old * (1 + ALLOWED_GROWTH), old + 16) for now, old in zip(numbers, before)):
            grown.append(f"{section}: {name} grew from {before} to {numbers}")
    if grown:
        grown.append("If that is what the change is worth: `make size-update`, and commit the table")
        raise Failure("\n".join(grown))


def table():
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        library = dict(zip(TARGETS, pool.map(compile_library, TARGETS)))
        measured = dict(zip(uses.MEASURED, pool.map(measure_uses, uses.MEASURED)))
    lines = ["Sizes in bytes, compiled with -Os. `make size` compares, `make size-update` rewrites.", ""]
    lines += goal_lines(measured) + [""] + use_lines(measured) + [""] + board.lines(row) + [""]
    lines += library_lines(library) + [""] + detail_lines(measured)
    return "\n".join(lines).rstrip() + "\n"


def main(arguments):
    if arguments not in ([], ["--update"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        text = table()
        print(text, end="")
        if arguments:
            TABLE.write_text(text)
        else:
            compare(text)
            print(f"\nno number grew by more than {ALLOWED_GROWTH:.0%} over docs/size-table.txt")
    except Failure as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
