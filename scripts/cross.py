#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles lib/ for processors without an operating system, and reports its sizes.

usage: cross.py build | size | size-update

build        compiles lib/ for each target, with all warnings, and checks that it needs nothing from outside
size         the same for size: prints the table, compares its totals with docs/size-table.txt
size-update  the same, rewrites docs/size-table.txt
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "size-table.txt"
DETAILED = "rv32imc"  # the target whose object files and stack frames are listed
ALLOWED_GROWTH = 0.03
FRAMES_LISTED = 12

# Name -> compiler with its options, prefix of its binutils.
TARGETS = {
    "x86_64-gcc": (["gcc", "-fno-pie"], ""),
    "x86_64-clang": (["clang", "-fno-pie"], ""),
    "rv32imc": (["riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2"], "riscv64-unknown-elf-"),
    "cortex-m0": (["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m0"], "arm-none-eabi-"),
    "cortex-m4": (["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4"], "arm-none-eabi-"),
    "lx106": (["xtensa-lx106-elf-gcc"], "xtensa-lx106-elf-"),
}
OPTIONS = ["-std=c11", "-ffreestanding", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla", "-Werror",
           "-Iinclude", "-I.", "-Iscripts/freestanding"]
BUILD_OPTIONS = ["-O2"]
SIZE_OPTIONS = ["-Os", "-ffunction-sections", "-fdata-sections"]

# What lib/ may leave undefined: three functions of <string.h>, memmove (compilers make calls of it) and the
# compiler's own helpers, for instance for 64-bit arithmetic.
OUTSIDE = re.compile(r"^(memcpy|memset|memcmp|memmove|__\w+)$")


class Failure(Exception):
    """Something to tell the user, then to end with status 1."""


def run(command):
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Failure(f"{command[0]} is missing; packaging/install-packages.sh build cross installs it") from error
    if result.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def compile_target(name, options):
    """Compiles lib/ for a target; returns its object files."""
    compiler, _ = TARGETS[name]
    folder = ROOT / "build" / "cross" / name
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.iterdir():
        left_over.unlink()
    if name == DETAILED:
        options = options + ["-fstack-usage"]
    objects = []
    for source in sorted(ROOT.glob("lib/*.c")):
        compiled = folder / (source.stem + ".o")
        run(compiler + OPTIONS + options + ["-c", str(source.relative_to(ROOT)), "-o", str(compiled)])
        objects.append(compiled)
    if not objects:
        raise Failure("lib/ has no *.c files")
    return objects


def check_outside(name, objects):
    """Fails if the library needs any function from outside but those of OUTSIDE."""
    defined, undefined = set(), set()
    for line in run([TARGETS[name][1] + "nm", "-P", *objects]).splitlines():
        fields = line.split()
        if len(fields) >= 2:
            (undefined if fields[1] == "U" else defined).add(fields[0])
    foreign = sorted(symbol for symbol in undefined - defined if not OUTSIDE.match(symbol))
    if foreign:
        raise Failure(f"{name}: lib/ needs from outside: {', '.join(foreign)}")


def measure(name, objects):
    """(text, data, bss) of each object file."""
    sizes = {}
    for line in run([TARGETS[name][1] + "size", *objects]).splitlines()[1:]:
        fields = line.split()
        sizes[Path(fields[5]).stem + ".c"] = tuple(int(field) for field in fields[:3])
    return sizes


def frames():
    """(bytes, function, file) of the detailed target's stack frames, the largest first."""
    found = []
    for report in (ROOT / "build" / "cross" / DETAILED).glob("*.su"):
        for line in report.read_text().splitlines():
            place, size, kind = line.split("\t")
            if kind != "static":
                raise Failure(f"{place}: a stack frame of a size not known when compiling ({kind})")
            found.append((int(size), place.split(":")[-1], report.stem + ".c"))
    return sorted(found, key=lambda frame: (-frame[0], frame[1], frame[2]))


def total(sizes):
    return tuple(sum(column) for column in zip(*sizes.values()))


def build_all(options):
    """Compiles and checks all targets; returns target -> object file -> sizes."""

    def one(name):
        objects = compile_target(name, options)
        check_outside(name, objects)
        sizes = measure(name, objects)
        _, data, bss = total(sizes)
        if data or bss:
            raise Failure(f"{name}: lib/ has variables of its own: {data} bytes of data, {bss} of bss")
        return sizes

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(zip(TARGETS, pool.map(one, TARGETS)))


def table(sizes_of_targets):
    lines = ["Sizes of lib/ in bytes, compiled with -Os. `make size` compares, `make size-update` rewrites.", "",
             f"{'target':<20} {'text':>7} {'data':>5} {'bss':>5}"]
    for name, sizes in sizes_of_targets.items():
        lines.append("{:<20} {:>7} {:>5} {:>5}".format(name, *total(sizes)))
    lines += ["", f"{'file (' + DETAILED + ')':<20} {'text':>7} {'data':>5} {'bss':>5}"]
    for name, size in sizes_of_targets[DETAILED].items():
        lines.append("{:<20} {:>7} {:>5} {:>5}".format(name, *size))
    lines += ["", f"largest stack frames ({DETAILED}), each function alone"]
    for size, function, file in frames()[:FRAMES_LISTED]:
        lines.append(f"{size:>7}  {function} ({file})")
    return "\n".join(lines) + "\n"


def totals_of_table(text):
    """target -> (text, data, bss) of a table that was written before."""
    totals = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[0] in TARGETS:
            totals[fields[0]] = tuple(int(field) for field in fields[1:])
    return totals


def compare(sizes_of_targets):
    """Fails if a total grew by more than ALLOWED_GROWTH over the committed table."""
    if not TABLE.exists():
        raise Failure("docs/size-table.txt is missing; `make size-update` writes it")
    committed = totals_of_table(TABLE.read_text())
    grown = []
    for name, sizes in sizes_of_targets.items():
        if name not in committed:
            grown.append(f"{name} is not in the table")
            continue
        for column, now, before in zip(("text", "data", "bss"), total(sizes), committed[name]):
            if now > before * (1 + ALLOWED_GROWTH):
                grown.append(f"{name}: {column} grew from {before} to {now} bytes")
    if grown:
        raise Failure("\n".join(grown) + "\nIf that is what the change is worth: `make size-update`, and commit the table")


def main(arguments):
    if arguments not in (["build"], ["size"], ["size-update"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if arguments == ["build"]:
            build_all(BUILD_OPTIONS)
            print(f"lib/ compiles for {', '.join(TARGETS)}")
            return 0
        sizes_of_targets = build_all(SIZE_OPTIONS)
        text = table(sizes_of_targets)
        print(text, end="")
        if arguments == ["size-update"]:
            TABLE.write_text(text)
        else:
            compare(sizes_of_targets)
            print(f"\nno total grew by more than {ALLOWED_GROWTH:.0%} over docs/size-table.txt")
    except Failure as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
