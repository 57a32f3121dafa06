# SPDX-License-Identifier: MIT
from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    small: bool
    ranges: int
    segments: int
    levels: int
    level_divisor: int
    exact_bits: int
    page_bits: int
    structures: int
    histories: int
    kinds: int
    set_divisor: int
    slots_without_base: int
    slots_with_base: int


PROFILES = {
    1: Profile(False, 256, 16, 12, 1, 7, 6, 64, 2, 5, 1, 3676, 2236),
    2: Profile(True, 48, 8, 3, 4, 4, 3, 8, 1, 3, 4, 492, 244),
}
