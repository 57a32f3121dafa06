# SPDX-License-Identifier: MIT
"""scripts/sizes/stack.py, which finds the deepest stack: right numbers, and no number where it cannot know."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "sizes" / "stack.py"
CHAIN = """
typedef int (*operation)(int);
struct driver { operation read; operation write; };
__attribute__((noinline)) static int deep(int x) { volatile char room[1000]; room[x] = 1; return room[x + 1]; }
__attribute__((noinline)) static int flat(int x) { return x + 1; }
static struct driver driver = {deep, flat};
int use(struct driver *driver, int x);
int use(struct driver *driver, int x) { return driver->read(x) + 1; }
int entry(int x);
int entry(int x) { return use(&driver, x) + 1; }
"""
RECURSION = "int entry(int x); int other(int x);" \
    "__attribute__((noinline, noipa)) int other(int x) { return entry(x - 1) + 1; }" \
    "int entry(int x) { return x > 0 ? other(x) + 2 : 0; }"
VARIABLE = "int take(char *); int take(char *c) { return *c; }" \
    "int entry(int x) { char room[x]; return take(room) + 1; }"


def compile_program(folder, source):
    file = folder / "program.c"
    file.write_text(source)
    subprocess.run(["gcc", "-O1", "-fno-ipa-ra", "-mno-red-zone", "-fno-optimize-sibling-calls", "-fcallgraph-info=su",
                    "-c", file, "-o", folder / "program.o"], check=True, capture_output=True, cwd=folder)
    subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,-e,entry", folder / "program.o", "-o", folder / "program.elf"],
                   check=True, capture_output=True, cwd=folder)


def run(folder, source, calls):
    compile_program(folder, source)
    table = folder / "calls.txt"
    table.write_text(calls)
    return subprocess.run([sys.executable, SCRIPT, "--elf", folder / "program.elf", "--objdump", "objdump",
                           "--calls", table, "--entry", "entry", folder], capture_output=True, text=True, check=False)


def depth(result):
    assert result.returncode == 0, result.stderr
    return int(re.match(r"entry: (\d+) bytes\n", result.stdout)[1])


def test_through_a_pointer(tmp_path):
    result = run(tmp_path, CHAIN, "driver->read = *:deep\n")
    assert 1000 < depth(result) < 1200
    assert re.findall(r"\d+  (?:.*[:/])?(\w+)$", result.stdout, re.MULTILINE) == ["entry", "use", "deep"]


def test_all_targets_count(tmp_path):
    shallow = depth(run(tmp_path, CHAIN, "driver->read = *:flat # for instance\n"))
    both = depth(run(tmp_path, CHAIN, "driver->read = *:flat *:deep\n"))
    assert shallow < 100 and both > shallow + 900


@pytest.mark.parametrize("source, calls, why", [
    (CHAIN, "", "does not say where the call of use"),
    (CHAIN, "driver->write = *:flat\n", "does not say where the call of use"),
    (CHAIN, "driver->read = nobody\n", "no function that calls.txt names"),
    (CHAIN, "what is this\n", "not understood"),
    (RECURSION, "", "recursion: entry -> other -> entry"),
    (VARIABLE, "", "not known when compiling"),
])
def test_no_number(tmp_path, source, calls, why):
    result = run(tmp_path, source, calls)
    assert result.returncode == 1 and why in result.stderr and result.stdout == "", result


def test_calls_that_are_never_made(tmp_path):
    assert depth(run(tmp_path, RECURSION, "never other -> entry # says who knows\n")) > 0
