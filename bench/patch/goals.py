# SPDX-License-Identifier: MIT
"""What the patches shall reach, and whether they do."""

import math
from dataclasses import dataclass

MEAN_DEFAULT = 0.19  # of hdiffpatch's smallest, geometric mean over the default pairs
MEAN_SMALL = 0.40
WORST = 1.0  # of hdiffpatch's smallest, for each pair where that is above WORST_ABOVE
WORST_ABOVE = 10240
FULL = 1.10  # of xz -9e, made from nothing
TINY = 150  # bytes, for another version string
SECONDS = 10  # to make one
MEMORY = 300_000_000


@dataclass(frozen=True)
class Goal:
    text: str
    measured: float  # None: nothing to measure it on
    limit: float
    unit: str = ""

    @property
    def is_met(self):
        return None if self.measured is None else self.measured <= self.limit

    def line(self):
        verdict = {None: "not measured", True: "met", False: "MISSED"}[self.is_met]
        shown = "-" if self.measured is None else number(self.measured)
        return f"  {self.text:<62} {shown:>8} of at most {number(self.limit):>6}{self.unit:<3} {verdict}"


def number(value):
    return f"{value:.3f}" if isinstance(value, float) and value < 100 else f"{value:.0f}"


def geometric_mean(ratios):
    """None if there are none, or if one of them is missing: a mean of what is left would say something else."""
    ratios = list(ratios)
    if not ratios or any(ratio is None for ratio in ratios):
        return None
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def ratio(size, base):
    return size / base if size is not None and base else None


def ratios(sizes, profile):
    """`sizes`: of each pair, tool -> bytes or None."""
    return [ratio(pair[profile], pair["hdiffpatch"]) for pair in sizes]


def worst(sizes, profile):
    above = [pair for pair in sizes if pair["hdiffpatch"] and pair["hdiffpatch"] > WORST_ABOVE]
    found = ratios(above, profile)
    return max(found) if found and None not in found else None


def last_line(sizes):
    means = [geometric_mean(ratios(sizes, profile)) for profile in ("default", "small")]
    shown = ["-" if mean is None else f"{mean:.3f}" for mean in means]
    return f"geometric mean against hdiffpatch: 10 KB {shown[0]}, 2.5 KB {shown[1]}"


def judge(sizes, full, tiny, costs):
    """full: ratios to xz -9e; tiny: bytes; costs: (seconds, memory) of each patch of ours that was made."""
    return [
        Goal("10 KB profile against hdiffpatch, geometric mean", geometric_mean(ratios(sizes, "default")), MEAN_DEFAULT),
        Goal("2.5 KB profile against hdiffpatch, geometric mean", geometric_mean(ratios(sizes, "small")), MEAN_SMALL),
        Goal("10 KB profile, worst pair above 10 KB", worst(sizes, "default"), WORST),
        Goal("2.5 KB profile, worst pair above 10 KB", worst(sizes, "small"), WORST),
        Goal("full image from nothing against xz -9e, worst", most(full), FULL),
        Goal("another version string, with and without ELF digest, worst", most(tiny), TINY, " B"),
        Goal("processor seconds to make one of ours, most", most([seconds for seconds, _ in costs]), float(SECONDS),
             " s"),
        Goal("memory to make one of ours, most", to_megabytes(most([memory for _, memory in costs])),
             to_megabytes(MEMORY), " MB"),
    ]


def most(values):
    values = list(values)
    return None if not values or None in values else max(values)


def to_megabytes(size):
    return None if size is None else size // 1_000_000
