# SPDX-License-Identifier: MIT
"""What a test needs of a program that was built for the board: where its functions are, and what lies there."""

import struct
import subprocess
from functools import cached_property
from pathlib import Path

NM = "riscv64-unknown-elf-nm"
PT_LOAD = 1


class ElfProgram:
    def __init__(self, path):
        self.path = Path(path)
        self.name = self.path.stem

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

    @cached_property
    def segments(self):
        """(address, content) of what is loaded from the file."""
        data = self.path.read_bytes()
        assert data[:6] == b"\x7fELF\x01\x01", f"{self.path} is no little-endian 32-bit ELF file"
        start, size, count = (struct.unpack_from(kind, data, at)[0] for kind, at in (("<I", 28), ("<H", 42), ("<H", 44)))
        found = []
        for at in range(start, start + size * count, size):
            kind, offset, address, _, length = struct.unpack_from("<5I", data, at)
            if kind == PT_LOAD and length:
                found.append((address, data[offset:offset + length]))
        return found

    def content(self, address, length):
        for start, data in self.segments:
            if start <= address < start + len(data):
                return data[address - start:address - start + length]
        raise AssertionError(f"{self.path} loads nothing to {address:#x}")
