#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles lib/ and lib/patch/ for processors without an operating system, with all warnings, and checks that it needs nothing from
outside and has no variables of its own.

usage: cross.py
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from sizes import targets


def build(target):
    objects = targets.compile_library(target, targets.BUILD_OPTIONS)
    targets.check_outside(target, objects)
    check_variables(target, objects)


def check_variables(target, objects):
    for file, (_, data, bss) in targets.sections(target, objects).items():
        if data or bss:
            raise targets.Failure(f"{target}: {file.stem}.c has variables: {data} bytes of data, {bss} of bss")


def main(arguments):
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(build, targets.TARGETS))
    except targets.Failure as failure:
        print(f"Error: {failure}", file=sys.stderr)
        return 1
    print(f"lib/ and lib/patch/ compile for {', '.join(targets.TARGETS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
