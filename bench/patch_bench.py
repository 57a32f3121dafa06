#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares our patches with those of other tools: sizes, what it takes to make and to apply them.

usage: patch_bench.py [--pairs DIR] [--json] [--no-instructions]

The pairs are DIR/NAME/{old,new}.bin, or else real firmware in the folder that LIFEBOAT_FIRMWARE names. Every patch is
applied by its own tool and compared. Ours is made by the program that LIFEBOAT_BINARY names, or build/lifeboat.
Exit status: 0 measured, 1 one of ours could not be made or did not give the new file, 2 there is nothing to measure.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from patch import goals, table
from patch.compare import compare
from patch.pairs import Missing, Pair, has_description, in_folder, of_board, of_firmware, tiny_changes
from patch.tools import HDIFFPATCH, OTHERS, XZ, ours

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ("default", "small")
AT_ONCE = 2
NOTHING = "-"  # what `patch make` calls the old file if there is none


class Jobs:
    """Runs tools, two at a time, and shows on a terminal how far it is."""

    def __init__(self, folder, with_instructions):
        self.folder, self.with_instructions = folder, with_instructions
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.begun = self.done = 0

    def add(self, tool, pair, with_instructions=True):
        self.begun += 1
        future = self.pool.submit(compare, tool, pair.old, pair.new, self.folder / str(self.begun),
                                  with_instructions and self.with_instructions)
        future.add_done_callback(lambda _: self.show(f"{pair.name}: {tool.name}"))
        return future

    def show(self, what):
        self.done += 1
        if sys.stderr.isatty():
            end = "\r\033[K" if self.done == self.begun else ""
            print(f"\r\033[K{self.done} of {self.begun}: {what}{end}", end="", file=sys.stderr, flush=True)


def run_pairs(jobs, pairs, tools):
    """[(pair, {tool's name: future})]"""
    return [(pair, {tool.name: jobs.add(tool, pair) for tool in tools}) for pair in pairs]


def run_full(jobs, pairs, binary):
    """Every new file once, made from nothing: by xz, by ours in both profiles."""
    runs, seen = [], set()
    for pair in pairs:
        data = pair.new.read_bytes()
        if data not in seen:
            seen.add(data)
            alone = Pair(f"{pair.new.name if pair.new.name != 'new.bin' else pair.name} from nothing", NOTHING, pair.new)
            tools = (XZ, *(ours(binary, profile) for profile in PROFILES))
            runs.append((alone, {tool.name: jobs.add(tool, alone, False) for tool in tools}))
    return runs


def run_tiny(jobs, pairs, folder, binary):
    for pair in pairs:
        image = pair.new.read_bytes()
        if has_description(image):
            changes = tiny_changes(image, folder)
            return [(change, {tool.name: jobs.add(tool, change, False)
                              for tool in (HDIFFPATCH, *(ours(binary, profile) for profile in PROFILES))})
                    for change in changes]
    return []


def wait(runs):
    return [(pair, {name: future.result() for name, future in futures.items()}) for pair, futures in runs]


def sizes_of(measured):
    """Of each pair: what goals.py judges."""
    named = {"hdiffpatch": HDIFFPATCH.name, **{profile: f"lifeboat, {profile}" for profile in PROFILES}}
    return [{short: results[name].size for short, name in named.items()} for _, results in measured]


def our_results(measured):
    return [result for _, results in measured for name, result in results.items() if name.startswith("lifeboat")]


def judge(pairs, full, tiny):
    ratios = [goals.ratio(results[f"lifeboat, {PROFILES[0]}"].size, results[XZ.name].size) for _, results in full]
    tiny_sizes = [results[f"lifeboat, {PROFILES[0]}"].size for _, results in tiny]
    costs = [(result.seconds, result.memory) for result in our_results(pairs + full)]
    return goals.judge(sizes_of(pairs), ratios, tiny_sizes, costs)


def print_group(measured, title=None):
    if measured and title:
        print(f"\n{title}")
    for pair, results in measured:
        against = results[HDIFFPATCH.name].size if HDIFFPATCH.name in results else None
        if pair.old == NOTHING:
            print(f"{pair.name}: {pair.new.stat().st_size:,} bytes")
            for tool, result in results.items():
                print(table.row(tool, result, pair.new.stat().st_size, against))
        else:
            print("\n".join(table.pair_lines(pair, results, against)))


def print_report(groups, judged, last):
    print(table.HEAD)
    print_group(groups["pairs"])
    print_group(groups["board"], "Our own board's firmware (RISC-V); no part of the mean")
    print_group(groups["full"], "Whole images, made from nothing")
    print_group(groups["tiny"], "The smallest of changes; checksum and digest mended")
    print(f"\n{table.LEGEND}\n\nGoals" + "".join(f"\n{goal.line()}" for goal in judged) + f"\n{last}")


def json_report(groups, judged, sizes):
    def pairs_of(name):
        return [{"name": pair.name, "old": pair.old.stat().st_size if pair.old != NOTHING else None,
                 "new": pair.new.stat().st_size,
                 "tools": {tool: table.result_json(result) for tool, result in results.items()}}
                for pair, results in groups[name]]

    return {**{name: pairs_of(name) for name in groups},
            "goals": [{"goal": goal.text, "measured": goal.measured, "limit": goal.limit, "met": goal.is_met}
                      for goal in judged],
            "mean": {profile: goals.geometric_mean(goals.ratios(sizes, profile)) for profile in PROFILES}}


def measure(pairs, options, binary, folder):
    jobs = Jobs(folder, options.instructions)
    tools = (*OTHERS, *(ours(binary, profile) for profile in PROFILES))
    board = [] if options.pairs else of_board(ROOT / "build" / "board")
    try:
        groups = {"pairs": run_pairs(jobs, pairs, tools), "board": run_pairs(jobs, board, tools),
                  "full": run_full(jobs, pairs, binary), "tiny": run_tiny(jobs, pairs, folder, binary)}
        return {name: wait(runs) for name, runs in groups.items()}
    finally:
        jobs.pool.shutdown(cancel_futures=True)


def report(groups, as_json):
    judged = judge(groups["pairs"], groups["full"], groups["tiny"])
    sizes = sizes_of(groups["pairs"])
    if as_json:
        print(json.dumps(json_report(groups, judged, sizes), indent=2))
    else:
        print_report(groups, judged, goals.last_line(sizes))
    everything = [run for runs in groups.values() for run in runs]
    return 1 if any(result.size is None for result in our_results(everything)) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", metavar="DIR", help="measure DIR/NAME/{old,new}.bin")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--no-instructions", dest="instructions", action="store_false",
                        help="leave out what valgrind has to count")
    options = parser.parse_args()
    binary = os.environ.get("LIFEBOAT_BINARY", str(ROOT / "build" / "lifeboat"))
    try:
        pairs = in_folder(options.pairs) if options.pairs else of_firmware(os.environ.get("LIFEBOAT_FIRMWARE"))
        if not shutil.which(binary):
            raise Missing(f"{binary} is not built; run make build")
    except Missing as missing:
        print(f"Error: {missing}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="lifeboat-bench-") as folder:
        return report(measure(pairs, options, binary, Path(folder)), options.json)


if __name__ == "__main__":
    sys.exit(main())
