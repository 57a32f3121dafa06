# SPDX-License-Identifier: MIT
"""What a test needs of a program that was built for the board: where its functions are."""

import subprocess
from functools import cached_property
from pathlib import Path

NM = "riscv64-unknown-elf-nm"


class ElfProgram:
    def __init__(self, path):
        self.path = Path(path)

    @cached_property
    def functions(self):
        """Addresses by name; static functions of several files may share one."""
        lines = subprocess.run([NM, "--defined-only", self.path], capture_output=True, text=True, check=True).stdout
        found = {}
        for line in lines.splitlines():
            address, kind, name = line.split(maxsplit=2)
            if kind in "tT":
                found.setdefault(name, []).append(int(address, 16))
        return found

    def function(self, name):
        found = self.functions.get(name, [])
        assert len(found) == 1, f"{self.path} has {len(found)} functions {name}"
        return found[0]
