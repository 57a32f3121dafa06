# SPDX-License-Identifier: MIT
"""Runs every fault campaign at full count and writes what it said, with its command, into docs/campaign.md.

Usage: campaign.py [NAME...]   (all without a name; what is not run keeps its place in the document)
"""

import datetime
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "campaign.md"

# name, what it is, command, lines of its output that are kept (from the end)
CAMPAIGNS = (
    ("faults", "Power cuts: every operation, every way, and again during the recovery", "make faults", 40),
    ("faults-quick", "A part of them, with every scenario and every way of cutting", "make faults-quick", 60),
    ("damage", "Bit rot, operations that fail, wear", "make damage", 60),
    ("network", "10,000 sessions with a peer that misbehaves", "make network", 30),
    ("kills", "300 modules killed in the middle of an update", "make kills", 12),
    ("board", "The emulated board: sessions, 500 power cuts, 100 ends at random moments", "make board-test", 40),
    ("fuzz", "Every parser under libFuzzer", "make fuzz FUZZ_SECONDS=60", 30),
    ("mutation", "The library broken on purpose", "make mutation", 60),
    ("coverage", "What the unit tests reach of the library", "make coverage", 60),
)

HEAD = """# Fault campaigns

What `make campaign` printed: each campaign at its full count, with the command that repeats it. A sample of all of them
runs in `make test` and `.ci/run`.
"""


def run(command):
    """The output of a command, its status and its seconds; it is shown while it comes."""
    lines = []
    begin = time.monotonic()
    environment = dict(os.environ, TERM="dumb")
    with subprocess.Popen(command, shell=True, cwd=ROOT, env=environment, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line.rstrip())
    return lines, process.returncode, time.monotonic() - begin


def commit():
    """The commit that was tried, and whether the tree differs from it."""
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True, capture_output=True, check=True)
    changed = subprocess.run(["git", "status", "--porcelain", "--", ":!docs/campaign.md"], cwd=ROOT, text=True,
                             capture_output=True, check=True)
    return name.stdout.strip() + (" and changes" if changed.stdout.strip() else "")


def section(name, title, command, keep):
    """Runs one campaign: its part of the document, and whether it passed."""
    print(f"==> {command}", flush=True)
    lines, status, seconds = run(command)
    kept = [line for line in lines if line.strip() and not re.match(r"\[\d+/\d+\] ", line)][-keep:]
    day = datetime.datetime.now(datetime.timezone.utc).date()
    text = [
        f"## {name}",
        "",
        f"{title}. `{command}`, {day}, commit {commit()}, {platform.machine()} with {os.cpu_count()} processors, "
        f"{seconds:.0f} s, {'passed' if status == 0 else f'FAILED with status {status}'}.",
        "",
        "```",
        *kept,
        "```",
        "",
    ]
    return "\n".join(text), status == 0


def sections_of(text):
    """The parts of an older document by their names."""
    parts = re.split(r"(?m)^## ", text)[1:]
    return {part.split("\n", 1)[0].strip(): "## " + part.rstrip() + "\n" for part in parts}


def main():
    """Runs what was asked for."""
    wanted = sys.argv[1:]
    unknown = set(wanted) - {name for name, *_ in CAMPAIGNS}
    if unknown:
        print(f"campaign.py: no campaign {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    parts = sections_of(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else {}
    failed = []
    for name, title, command, keep in CAMPAIGNS:
        if wanted and name not in wanted:
            continue
        parts[name], passed = section(name, title, command, keep)
        if not passed:
            failed.append(name)
        order = [parts[each] for each, *_ in CAMPAIGNS if each in parts]
        DOCUMENT.write_text(HEAD + "\n" + "\n".join(order), encoding="utf-8")
    if failed:
        print(f"campaign: FAILED: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
