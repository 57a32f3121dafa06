# SPDX-License-Identifier: MIT
"""The table that a person reads, and the JSON that a program reads."""

from dataclasses import asdict

HEAD = f"{'':<30} {'bytes':>9} {'of new':>8} {'hdiff':>7} {'s':>7} {'MB':>5} {'instr/B':>8} {'state':>8}"

LEGEND = """\
bytes    the patch; applied by its own tool and compared with the new file, else its line says what failed
hdiff    the patch against the smallest that hdiffpatch makes
s, MB    processor seconds and peak resident memory of the program that made it (of all threads; ours with applying it)
instr/B  instructions that applying it took for each byte of the new file: the whole process as callgrind counts it, with
         reading, writing and digests; "-": an interpreter is around it, or it was not counted
state    memory to apply it. Ours: the decoder's struct, as the patch announces it. Others (~): peak resident memory of the
         process that applies it, less that of the same program doing nothing; the desktop program's, that is: detools
         heatshrink has a C library for small machines, with a window of 256 bytes, which is not measured here"""


def row(name, result, new_size, hdiffpatch):
    if result.size is None:
        return f"  {name:<28} failed: {'; '.join(result.faults)}"
    share = f"{100 * result.size / new_size:.3f} %"
    against = f"{result.size / hdiffpatch:.3f}" if hdiffpatch else "-"
    counted = "-" if result.instructions is None else f"{result.instructions:.1f}"
    state = f"~{result.state / 1e6:.1f} MB" if result.state_is_measured else f"{result.state:,}"
    line = (f"  {name:<28} {result.size:>9,} {share:>8} {against:>7} {result.seconds:>7.2f} "
            f"{result.memory / 1e6:>5.0f} {counted:>8} {state:>8}")
    notes = [f"({result.way})"] if result.way else []
    notes += [f"[{fault}]" for fault in result.faults]
    return " ".join([line, *notes])


def pair_lines(pair, results, hdiffpatch):
    sizes = [path.stat().st_size for path in (pair.old, pair.new)]
    yield f"{pair.name}: {sizes[0]:,} -> {sizes[1]:,} bytes"
    for tool, result in results.items():
        yield row(tool, result, sizes[1], hdiffpatch)


def result_json(result):
    fields = asdict(result)
    fields.pop("patch")
    return fields
