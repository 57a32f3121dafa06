#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each fuzz target for a time, from the committed corpus on, and prints one line for each.

usage: run.py [--seconds N] [--keep] [TARGET...]

What a target finds lies in build/fuzz/findings/, and the exit status is 1. With --keep, inputs that reach what no
committed input reaches are added to the committed corpus.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "fuzz"
PARALLEL = 2
CALL_SECONDS = 20  # that one input may take
MEMORY_MB = 2048
LONGEST = {"fuzz_nvs": 12400, "fuzz_table": 3300, "fuzz_otadata": 1100, "fuzz_journal": 600, "fuzz_stage": 600, "fuzz_patch": 1500,
           "fuzz_history": 3000}
LONGEST_OTHER = 2048
KEPT = {"fuzz_nvs": 4300}  # bytes of an input that --keep adds


def folders(target):
    grown = BUILD / "corpus" / target
    findings = BUILD / "findings" / target
    for folder in (grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    return grown, findings


def command(target, *options):
    return [str(BUILD / "tests" / "fuzz" / target), f"-timeout={CALL_SECONDS}", f"-rss_limit_mb={MEMORY_MB}", *options]


def run(target, seconds):
    """Returns the target's line, and whether all went well."""
    grown, findings = folders(target)
    before = set(findings.iterdir())
    length = LONGEST.get(target, LONGEST_OTHER)
    options = (
        f"-max_total_time={seconds}",
        f"-max_len={length}",
        "-print_final_stats=1",
        f"-artifact_prefix={findings}/",
    )
    process = subprocess.run(
        command(target, *options, str(grown), str(HERE / "corpus" / target)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    (BUILD / f"{target}.log").write_text(process.stderr)
    executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", process.stderr)
    coverage = re.findall(r"cov: (\d+)", process.stderr)
    found = sorted(set(findings.iterdir()) - before)
    count = int(executed[-1]) if executed else 0
    edges = coverage[-1] if coverage else "?"
    line = f"{target:22} {count:>11,} runs, {edges:>5} edges, {len(found)} found"
    good = process.returncode == 0 and not found
    if not good:
        reasons = re.findall(r"^.*(?:required, but not true|runtime error|ERROR: ).*$", process.stderr, re.MULTILINE)
        line += "".join(f"\n  {reason}" for reason in reasons[:3] or [f"exit status {process.returncode}"])
        line += "".join(f"\n  {path.relative_to(ROOT)}" for path in found)
    return line, good


def keep(target):
    grown, _ = folders(target)
    length = KEPT.get(target, LONGEST.get(target, LONGEST_OTHER))
    subprocess.run(
        command(target, "-merge=1", "-use_counters=0", f"-max_len={length}", str(HERE / "corpus" / target), str(grown)),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--keep", action="store_true", help="add to the committed corpus what reaches more")
    parser.add_argument("targets", nargs="*", help="fuzz_table ... (default: all)")
    options = parser.parse_args()
    targets = options.targets or sorted(path.stem for path in HERE.glob("fuzz_*.c"))
    good = True
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for line, went_well in pool.map(lambda target: run(target, options.seconds), targets):
            print(line, flush=True)
            good = good and went_well
    for target in targets if options.keep else ():
        keep(target)
    result = "nothing found" if good else "something was found, see above"
    print(f"{len(targets)} targets, {options.seconds} s each: {result}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
