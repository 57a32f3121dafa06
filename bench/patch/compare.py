# SPDX-License-Identifier: MIT
"""Makes one tool's patch of one pair, applies it, compares, and measures both."""

import filecmp
import json
import subprocess

from patch import run
from patch.tools import Result, commands


def make_all(tool, old, new, folder):
    """(way, patch, usage) of each way that made a patch, the smallest first; and what failed."""
    made, faults = [], []
    for number, way in enumerate(tool.ways):
        patch = folder / f"{number}.patch"
        try:
            usage = run.measured(commands(way.make, old=old, new=new, patch=patch), patch if way.to_stdout else None)
            made.append((way, patch, usage))
        except run.Failure as failure:
            faults.append(f"{way.name or 'make'}: {failure}")
    return sorted(made, key=lambda one: one[1].stat().st_size), faults


def apply(way, old, patch, new, folder):
    """Applies a patch, and the result has to be the new file: what that took."""
    out = folder / "out"
    out.unlink(missing_ok=True)
    usage = run.measured(commands(way.apply, old=old, patch=patch, out=out), out if way.to_stdout else None)
    if not filecmp.cmp(out, new, shallow=False):
        raise run.Failure("what it makes of the old file is not the new one")
    return usage


def count(way, old, patch, new, folder):
    out = folder / "counted"
    number = run.instructions(commands(way.apply, old=old, patch=patch, out=out), out if way.to_stdout else None)
    if not filecmp.cmp(out, new, shallow=False):
        raise run.Failure("under valgrind it makes another file")
    return number / new.stat().st_size


def announced_state(binary, patch):
    """Bytes of state that our decoder needs for this patch, as `patch info` tells from the decoder's own struct."""
    told = subprocess.run([binary, "patch", "info", patch, "--json"], check=True, capture_output=True, text=True)
    return json.loads(told.stdout)["memory"]


def compare(tool, old, new, folder, with_instructions=True):
    """The Result of a tool for one pair, its files in `folder`."""
    folder.mkdir(parents=True)
    result = Result()
    made, result.faults = make_all(tool, old, new, folder)
    for way, patch, usage in made:
        try:
            applied = apply(way, old, patch, new, folder)
            if tool.is_counted and with_instructions:
                result.instructions = count(way, old, patch, new, folder)
        except run.Failure as failure:
            result.faults.append(f"{way.name or 'apply'}: {failure}")
            continue
        result.way, result.patch, result.size = way.name, patch, patch.stat().st_size
        result.seconds, result.memory = usage.seconds, usage.memory
        if tool.name.startswith("lifeboat"):
            result.state, result.state_is_measured = announced_state(way.make[0], patch), False
        else:
            idle = run.measured(tool.idle).memory if tool.idle else 0
            result.state = max(applied.memory - idle, 0)
        break
    return result
