#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How deep a program's stack gets: the frames that the compiler reports, along the worst chain of its call graph.

usage: stack.py --elf PROGRAM [--objdump OBJDUMP] --calls TABLE --entry FUNCTION... -- CI-FILES or folders...

The graph is what gcc -fcallgraph-info=su writes (*.ci), of every object file that is linked. Functions without one, of
assembly or the compiler's own library, are read out of the program's disassembly. Where a call goes through a pointer,
TABLE says where to; one that it does not know is an error, and so is recursion. The number is a bound: calls that the
compiler turned into jumps count as calls, too.

Lines of TABLE, # begins a comment:
  CALL = FUNCTION...        a call whose source text ends in CALL, right before its (: where it may go. Names as in the
                            graph (static ones are FILE:NAME), with * and ? for parts of them. Those that this program
                            does not have do not count; one has to be there.
                            `outside` among them: or to the caller of what is measured, whose stack is not counted
  CALL in FUNCTION = ...    the same, for a call in that function only
  never FUNCTION -> FUNCTION        that call is not made, for a reason that stands beside it
  FUNCTION calls FUNCTION           a call that the graph does not show
  frame FUNCTION = BYTES            of a function that is not compiled here
"""

import argparse
import fnmatch
import re
import sys
from collections import defaultdict
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sizes.targets import ROOT, Failure, run  # noqa: E402

INDIRECT = "__indirect_call"
NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]*)")?')
FRAME = re.compile(r"(\d+) bytes \(([^)]*)\)")


class Table:
    """The declared table of calls that the compiler cannot see through."""

    def __init__(self, path):
        self.path = path
        self.pointers = []  # (call, function or None, patterns)
        self.never = []
        self.calls = defaultdict(set)
        self.frames = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.split("#")[0].strip()
            if line and not self.take(line):
                raise Failure(f"{path}:{number}: not understood: {line}")

    def take(self, line):
        if match := re.fullmatch(r"never (\S+) -> (\S+)", line):
            self.never.append((match[1], match[2]))
        elif match := re.fullmatch(r"(\S+) calls (\S+)", line):
            self.calls[match[1]].add(match[2])
        elif match := re.fullmatch(r"frame (\S+) = (\d+)", line):
            self.frames[match[1]] = int(match[2])
        elif match := re.fullmatch(r"(.+?)(?: in (\S+))? = (.+)", line):
            self.pointers.append((match[1], match[2], match[3].split()))
        else:
            return False
        return True

    def is_never(self, caller, callee):
        return any(fnmatch.fnmatchcase(caller, one) and fnmatch.fnmatchcase(callee, other) for one, other in self.never)

    def targets(self, text, function):
        """Patterns of where a call may go that is written as `text`: those of the longest entry that it ends in."""
        best = None
        for call, within, patterns in self.pointers:
            fits = re.search(r"(?<![\w])" + re.escape(call) + r"$", text) is not None
            if not fits or (within and not fnmatch.fnmatchcase(function, within)):
                continue
            rank = (within is not None, len(call))
            if best is None or rank > best[0]:
                best = (rank, patterns)
        return best[1] if best else None


def short(name):
    """A static function's name without the folder that the project lies in."""
    return name.removeprefix(f"{ROOT}/")


class Graph:
    def __init__(self):
        self.frames = {}
        self.callees = defaultdict(set)
        self.pointers = defaultdict(set)  # function -> places of its calls through pointers

    def read(self, path):
        for line in path.read_text().splitlines():
            if match := NODE.match(line):
                self.take_node(short(match[1]), match[2])
            elif match := EDGE.match(line):
                source, target = (short(name) for name in match.groups()[:2])
                place = match[3]
                if target == INDIRECT:
                    self.pointers[source].add(place)
                else:
                    self.callees[source].add(target)

    def take_node(self, name, label):
        frame = FRAME.search(label)
        if not frame:
            return
        if "static" not in frame[2] and "bounded" not in frame[2]:
            raise Failure(f"{name} has a frame of a size that is not known when compiling ({frame[2]})")
        self.frames[name] = max(int(frame[1]), self.frames.get(name, 0))  # one of a header is in several objects

    def resolve(self, table):
        for caller, callees in table.calls.items():
            self.callees[caller] |= callees
        self.frames.update((name, size) for name, size in table.frames.items() if name not in self.frames)

    def pointed(self, function, table, linked):
        """Where a function's calls through pointers may go, of what is linked."""
        found = set()
        for place in self.pointers[function]:
            texts = texts_before_calls(place)
            patterns = next(filter(None, (table.targets(text, function) for text in texts)), None)
            if patterns is None:
                raise Failure(f"{table.path.name} does not say where the call of {function} at {place} goes: "
                              f"{texts[:1]}")
            names = {name for pattern in patterns for name in fnmatch.filter(self.frames, pattern) if linked(name)}
            if not names and "outside" not in patterns:
                raise Failure(f"no function that {table.path.name} names for the call of {function} at {place} "
                              "is there")
            found |= names
        return found


def texts_before_calls(place):
    """The source text at a call through a pointer, up to each parenthesis that may be the call's, nearest first."""
    file, line, column = place.rsplit(":", 2)
    path = Path(file) if Path(file).is_absolute() else ROOT / file
    lines = path.read_text().splitlines()[int(line) - 1:int(line) + 2]
    start = int(column) - 1 - (len(lines[0]) - len(lines[0].lstrip()))
    text = " ".join(part.strip() for part in lines)
    return [text[:match.start()].rstrip() for match in re.finditer(r"\(", text) if match.start() > start]


class Disassembly:
    """Frames and calls of functions that no compiler reported: each step down of the stack pointer is counted."""

    STEPS = [re.compile(pattern) for pattern in (r"\baddi\s+sp,sp,-(\d+)", r"\bsub\s+sp, (?:sp, )?#(\d+)")]
    PUSHES = re.compile(r"\b(?:push|stmdb\s+sp!,)\s*\{([^}]*)\}")
    JUMPS = re.compile(r"\b(?:jal|j|call|tail|bl|b|b\.n|b\.w)\s+(?:ra,\s*|zero,\s*)?[0-9a-f]+ <([^>+]+)>")

    def __init__(self, objdump, elf):
        self.bodies = {}
        self.addresses = {}
        lines = None
        for line in run([objdump, "-t", elf]).splitlines():  # all names, since several may be of one function
            if match := re.match(r"^([0-9a-f]+) .* (\S+)$", line):
                self.addresses[match[2]] = int(match[1], 16)
        for line in run([objdump, "-d", "--no-show-raw-insn", elf]).splitlines():
            if match := re.match(r"^([0-9a-f]+) <[^>]+>:$", line):
                lines = self.bodies.setdefault(int(match[1], 16), [])
            elif lines is not None and line.strip():
                lines.append(line)

    @staticmethod
    def registers(listed):
        count = 0
        for part in listed.split(","):
            ends = [int(end) if end.isdigit() else None for end in re.sub(r"[r ]", "", part).split("-")]
            count += ends[1] - ends[0] + 1 if len(ends) == 2 and None not in ends else 1
        return 4 * count

    def has(self, name):
        """Is that function in the program? A static one is known there by its name alone."""
        return name.rsplit(":", 1)[-1] in self.addresses

    def add(self, name, graph):
        """Adds to the graph a function that no compiler reported."""
        frame = 0
        for line in self.bodies[self.addresses[name]]:
            frame += sum(int(match[1]) for step in self.STEPS if (match := step.search(line)))
            frame += sum(self.registers(match) for match in self.PUSHES.findall(line))
            graph.callees[name] |= {callee for callee in self.JUMPS.findall(line) if callee != name}
        graph.frames[name] = frame


def worst_chains(graph, table, entries, disassembly, outside=()):
    """For each entry (bytes, [(function, frame)...]) of the deepest chain."""
    deepest = {}
    path = []

    def visit(name):
        if name in deepest:
            return deepest[name]
        if name in path:
            raise Failure("recursion: " + " -> ".join(path[path.index(name):] + [name]))
        if name in outside or not disassembly.has(name):
            return (0, [])  # what the linker left out is not called, whatever the compiler thought
        if name not in graph.frames:
            disassembly.add(name, graph)
        path.append(name)
        callees = graph.callees[name] | graph.pointed(name, table, disassembly.has)
        below = max((visit(callee) for callee in sorted(callees) if not table.is_never(name, callee)), default=(0, []),
                    key=lambda chain: chain[0])
        path.pop()
        frame = graph.frames[name]
        deepest[name] = (frame + below[0], [(name, frame)] + below[1])
        return deepest[name]

    sys.setrecursionlimit(10000)
    return {entry: visit(entry) for entry in entries}


def load(files):
    graph = Graph()
    for file in files:
        for part in sorted(file.rglob("*.ci")) if file.is_dir() else [file]:
            graph.read(part)
    return graph


def measure(files, table_path, entries, objdump, elf, outside=()):
    """The worst chain of each entry of a program made of the objects whose *.ci files these are."""
    graph = load(files)
    table = Table(table_path)
    graph.resolve(table)
    return worst_chains(graph, table, entries, Disassembly(objdump, elf), outside)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--elf", type=Path, required=True)
    parser.add_argument("--objdump", default="riscv64-unknown-elf-objdump")
    parser.add_argument("--calls", type=Path, required=True)
    parser.add_argument("--entry", action="append", required=True)
    parser.add_argument("--outside", action="append", default=[])
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    try:
        chains = measure(given.files, given.calls, given.entry, given.objdump, given.elf, given.outside)
    except Failure as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    for entry, (size, chain) in chains.items():
        print(f"{entry}: {size} bytes")
        for name, frame in chain:
            print(f"{frame:>7}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
