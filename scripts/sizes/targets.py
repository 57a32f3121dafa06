# SPDX-License-Identifier: MIT
"""The cross compilers, and how lib/ and lib/patch/ are compiled with them."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "cross"

# Name -> compiler with its options, prefix of its binutils.
TARGETS = {
    "x86_64-gcc": (["gcc", "-fno-pie"], ""),
    "x86_64-clang": (["clang", "-fno-pie"], ""),
    "rv32imc": (["riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2"], "riscv64-unknown-elf-"),
    "cortex-m0": (["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m0"], "arm-none-eabi-"),
    "cortex-m4": (["arm-none-eabi-gcc", "-mthumb", "-mcpu=cortex-m4"], "arm-none-eabi-"),
    "lx106": (["xtensa-lx106-elf-gcc"], "xtensa-lx106-elf-"),
}
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wvla", "-Werror"]
INCLUDES = ["-Iinclude", "-I.", "-Iscripts/freestanding"]
OPTIONS = ["-std=c11", "-ffreestanding"]
BUILD_OPTIONS = ["-O2"]
SIZE_OPTIONS = ["-Os", "-ffunction-sections", "-fdata-sections"]
# Beside -Os, where a compiler has more for those who count bytes.
SMALLER = {"rv32imc": ["-msave-restore"]}

# The rooms of the library and the folders of their objects.
LIBRARY = {"lib": "lib", "lib/patch": "lib-patch"}

# What lib/ may leave undefined: three functions of <string.h>, memmove (compilers make calls of it) and the
# compiler's own helpers, for instance for 64-bit arithmetic.
OF_THE_CALLER = ["memcpy", "memset", "memcmp", "memmove"]
OUTSIDE = re.compile(r"^(" + "|".join(OF_THE_CALLER) + r"|__\w+)$")


class Failure(Exception):
    """Something to tell the user, then to end with status 1."""


def run(command):
    try:
        result = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Failure(f"{command[0]} is missing; packaging/install-packages.sh build cross installs it") from error
    if result.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def tool(target, name):
    return TARGETS[target][1] + name


def compile_sources(target, sources, folder, options):
    """Compiles sources (paths below ROOT) into build/cross/TARGET/FOLDER, which is emptied; returns the objects."""
    place = FOLDER / target / folder
    place.mkdir(parents=True, exist_ok=True)
    for left_over in place.iterdir():
        left_over.unlink()
    objects = []
    for source in sources:
        compiled = place / (source.stem + ".o")
        run(TARGETS[target][0] + OPTIONS + options + ["-c", source.relative_to(ROOT), "-o", compiled])
        objects.append(compiled)
    return objects


def compile_library(target, options):
    """Compiles lib/ and lib/patch/, each into a folder of its own, since they have files of the same name."""
    objects = []
    for room, folder in LIBRARY.items():
        sources = sorted(ROOT.glob(f"{room}/*.c"))
        if not sources:
            raise Failure(f"{room}/ has no *.c files")
        objects += compile_sources(target, sources, folder, WARNINGS + INCLUDES + options)
    return objects


def check_outside(target, objects):
    """Fails if the library needs any function from outside but those of OUTSIDE."""
    defined, undefined = set(), set()
    for line in run([tool(target, "nm"), "-P", *objects]).splitlines():
        fields = line.split()
        if len(fields) >= 2:
            (undefined if fields[1] == "U" else defined).add(fields[0])
    foreign = sorted(symbol for symbol in undefined - defined if not OUTSIDE.match(symbol))
    if foreign:
        raise Failure(f"{target}: lib/ needs from outside: {', '.join(foreign)}")


def sections(target, files):
    """Path -> (text, data, bss) of object files or programs."""
    sizes = {}
    for line in run([tool(target, "size"), *files]).splitlines()[1:]:
        fields = line.split()
        sizes[Path(fields[5])] = tuple(int(field) for field in fields[:3])
    return sizes
