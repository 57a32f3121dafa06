#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks lib/ in the ways of mutants.py, one after the other, in a copy of the tree, and shows that the tests notice.

usage: mutate.py [--jobs N] [--check] [--lenient] [WORD...]

Prints a line for each mutant with the test that noticed, and fails if none did for any. With words, only mutants whose
name contains one of them. --check: only see that each text stands where it should. --lenient: leave out tests
that fail without any mutant, instead of giving up.
"""

import argparse
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

from mutants import MUTANTS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "mutation"
COPIED = ("CMakeLists.txt", "cmake", "include", "lib", "boot", "module", "ports", "tool", "examples", "bench", "tests")
SECONDS = 120  # that a test may take; one that hangs has noticed
# Tests of lib/ that may notice anything, run after a mutant's own, until one fails; and those of the settings
# and of patches, for them.
GENERAL = (
    "test_flash",
    "test_trial_rules",
    "test_writer_limits",
    "test_verify",
    "test_select",
    "test_journal",
    "test_partition",
    "test_target",
    "test_update_rules",
    "test_resume_rules",
    "test_resume",
    "test_update",
    "test_only_write",
    "test_selection_rules",
    "test_boot",
    "test_erase",
    "test_trial",
    "test_image",
    "test_writer",
    "test_trial_boot",
    "test_trial_settle",
    "test_otadata",
    "test_resume_cuts",
    "test_power_cut",
)
OF_SETTINGS = ("test_history_hostile", "test_nvs_read", "test_nvs_write", "test_nvs_cuts", "test_history")
OF_PATCHES = (
    "test_patch_header",
    "test_patch_refuse",
    "test_patch_apply",
    "test_patch_damage",
    "test_patch_work",
    "test_patch_make",
    "test_update_patch",
    "test_stage",
    "test_stage_cuts",
)
FLAGS = "-O1 -w"


class Broken(Exception):
    """The mutation run itself cannot go on."""


def has_to(condition, text):
    if not condition:
        raise Broken(text)


def pattern(mutant):
    """The text, wherever its lines are broken."""
    return re.compile(r"\s+".join(map(re.escape, mutant.old.split())))


def mutate(mutant, text):
    return pattern(mutant).sub(lambda _: mutant.new, text, count=1)


def check_texts():
    for mutant in MUTANTS:
        times = len(pattern(mutant).findall((ROOT / "lib" / mutant.file).read_text()))
        has_to(times == 1, f"{mutant.name}: the text is {times} times in lib/{mutant.file}:\n{mutant.old}")
        has_to(mutant.old != mutant.new, f"{mutant.name}: changes nothing")
    names = [mutant.name for mutant in MUTANTS]
    has_to(len(set(names)) == len(names), "a name is there twice")


def copy_if_changed(source, target):
    """Keeps the time of what is the same, so that it is not built again."""
    if not target.exists() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


class Tree:
    """A copy of the tree with a build of its own."""

    def __init__(self, number):
        self.without = ()  # tests that are not asked
        self.tree = WORK / f"tree-{number}"
        self.build = WORK / f"build-{number}"
        self.log = WORK / f"log-{number}.txt"

    def run(self, command, seconds=None):
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            return subprocess.run(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=seconds, check=False
            ).returncode

    def prepare(self, root):
        """Copies the tree at `root`, which others may be changing: one copy is made of it, the next ones of that."""
        wanted = set()
        for name in COPIED:
            source = root / name
            for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
                if path.is_file() and path.suffix in (".c", ".h", ".txt", ".cmake"):
                    wanted.add(path.relative_to(root))
                    copy_if_changed(path, self.tree / path.relative_to(root))
        for path in self.tree.rglob("*"):
            if path.is_file() and path.relative_to(self.tree) not in wanted:
                path.unlink()
        self.log.unlink(missing_ok=True)
        has_to(
            self.run(
                [
                    "cmake",
                    "-G",
                    "Ninja",
                    "-S",
                    self.tree,
                    "-B",
                    self.build,
                    "-DCMAKE_C_COMPILER=gcc",
                    "-DLIFEBOAT_TESTS=ON",
                    f"-DCMAKE_C_FLAGS={FLAGS}",
                ]
            )
            == 0,
            f"cmake failed, see {self.log}",
        )

    def compile(self, target):
        return self.run(["cmake", "--build", self.build, "--target", target, "-j", "1"]) == 0

    def passes(self, test):
        """Builds and runs a test. A mutant that does not compile is no mutant."""
        has_to(self.compile(test), f"{test} does not compile, see {self.log}")
        try:
            return self.run([self.build / "tests" / test], SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False

    def tests(self, mutant):
        known = {
            path.stem for folder in ("unit", "regression") for path in (self.tree / "tests" / folder).glob("test_*.c")
        }
        more = GENERAL
        if mutant.file.startswith(("nvs_", "history")):
            more = OF_SETTINGS
        elif mutant.file.startswith(("patch/", "stage", "update_read")):
            more = OF_PATCHES
        return [test for test in dict.fromkeys(mutant.tests + more) if test in known and test not in self.without]

    def judge(self, mutant):
        """The test that notices, or None."""
        path = self.tree / "lib" / mutant.file
        good = path.read_text()
        path.write_text(mutate(mutant, good))
        try:
            return next((test for test in self.tests(mutant) if not self.passes(test)), None)
        finally:
            path.write_text(good)


def worker(tree, todo, done):
    try:
        while True:
            mutant = todo.get_nowait()
            begin = time.monotonic()
            done.put((mutant, tree.judge(mutant), time.monotonic() - begin))
    except queue.Empty:
        done.put(None)
    except (Broken, OSError) as error:
        done.put(error)


def find_broken(tree, mutants):
    """Tests that fail without any mutant: they prove nothing."""
    return [
        test
        for test in dict.fromkeys(test for mutant in mutants for test in tree.tests(mutant))
        if not tree.passes(test)
    ]


def run(mutants, jobs, lenient):
    trees = [Tree(number) for number in range(jobs)]
    trees[0].prepare(ROOT)
    for tree in trees[1:]:
        tree.prepare(trees[0].tree)
    broken = find_broken(trees[0], mutants)
    has_to(lenient or not broken, f"without any mutant fails: {', '.join(broken)}; see {trees[0].log}")
    for tree in trees:
        tree.without = broken
    if broken:
        print(f"left out, since they fail without any mutant: {', '.join(broken)}")
    todo = queue.Queue()
    done = queue.Queue()
    for mutant in mutants:
        todo.put(mutant)
    for tree in trees:
        threading.Thread(target=worker, args=(tree, todo, done), daemon=True).start()
    survivors = []
    working = jobs
    while working > 0:
        result = done.get()
        if result is None:
            working -= 1
            continue
        if isinstance(result, Exception):
            raise Broken(str(result))
        mutant, killer, seconds = result
        print(
            f"{'noticed by ' + killer if killer else 'SURVIVED':32} {mutant.file:17} {mutant.name} ({seconds:.0f} s)",
            flush=True,
        )
        if not killer:
            survivors.append(mutant)
    print(f"{len(mutants)} mutants, {len(mutants) - len(survivors)} noticed, {len(survivors)} survived")
    return not survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time (default 2)")
    parser.add_argument("--check", action="store_true", help="only see that each text stands where it should")
    parser.add_argument("--lenient", action="store_true", help="leave out tests that fail without any mutant")
    parser.add_argument("words", nargs="*", help="only mutants whose name contains one of these")
    options = parser.parse_args()
    os.chdir(ROOT)
    try:
        check_texts()
        mutants = [
            mutant for mutant in MUTANTS if not options.words or any(word in mutant.name for word in options.words)
        ]
        has_to(mutants, "no mutant has such a name")
        if options.check:
            print(f"{len(MUTANTS)} mutants, each in its place")
            return 0
        WORK.mkdir(parents=True, exist_ok=True)
        return 0 if run(mutants, options.jobs, options.lenient) else 1
    except Broken as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
