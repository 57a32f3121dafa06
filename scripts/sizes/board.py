# SPDX-License-Identifier: MIT
"""The programs of the emulated board: code, variables, and the stack along the call graph."""

from pathlib import Path

from sizes import stack
from sizes.targets import ROOT, Failure, run

FOLDER = ROOT / "build" / "board"
CALLS = ROOT / "scripts" / "sizes" / "calls-board.txt"
PREFIX = "riscv64-unknown-elf-"
PROGRAMS = ["first_stage", "bootloader", "firmware"]
ENTRIES = ["main", "trap_crashed"]  # a trap begins the stack anew: there is no way back from it


def objects(program):
    """Folders with the *.ci of what is linked: the program's own and those of the libraries."""
    made = FOLDER / "CMakeFiles"
    programs = {elf.stem for elf in FOLDER.glob("*.elf")}
    return [made / f"{program}.dir"] + [place for place in sorted(made.glob("*.dir"))
                                        if place.stem not in programs and any(place.rglob("*.ci"))]


def reserved_stack(elf):
    """What the linker script keeps for it."""
    ends = {}
    for line in run([PREFIX + "nm", elf]).splitlines():
        fields = line.split()
        if fields[-1] in ("stack_start", "stack_end"):
            ends[fields[-1]] = int(fields[0], 16)
    return ends["stack_end"] - ends["stack_start"]


def measure(program):
    """(code, data, bss, stack at most, stack reserved) of a program."""
    elf = FOLDER / f"{program}.elf"
    if not elf.exists():
        raise Failure(f"build/board/{program}.elf is missing; `make board-build` makes it")
    code = data = bss = 0
    for line in run([PREFIX + "size", "-A", elf]).splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].startswith("."):
            size = int(fields[1])
            code += size if fields[0] in (".text", ".rodata") else 0
            data += size if fields[0] == ".data" else 0
            bss += size if fields[0] == ".bss" else 0
    chains = stack.measure(objects(program), CALLS, ENTRIES, PREFIX + "objdump", elf)
    deepest = max(size for size, _ in chains.values())
    reserved = reserved_stack(elf)
    if deepest > reserved:
        raise Failure(f"{program} may need {deepest} bytes of stack, and has {reserved}")
    return (code, data, bss, deepest, reserved), chains


def lines(row):
    found = [row("board, rv32imac, -Os", "code", "data", "bss", "stack", "of")]
    chains = []
    for program in PROGRAMS:
        numbers, deepest = measure(program)
        found.append(row(program, *numbers))
        chains += ["", f"deepest stack of: {program} on the board"]
        chains += [f"{frame:>7}  {Path(name).name}" for name, frame in deepest["main"][1]]
    return found + chains
