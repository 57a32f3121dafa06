# SPDX-License-Identifier: MIT
"""What a mutant is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str  # what it breaks, in words
    file: str  # in lib/
    old: str
    new: str
    tests: tuple  # the likely killers, run first


def mutant(name, file, old, new, *tests):
    return Mutant(name, file, old, new, tests)
