# SPDX-License-Identifier: MIT
"""Where things lie on the module's flash, after the format page, and what the tests do to a flash file."""

import struct
import zlib
from dataclasses import dataclass

MB = 1 << 20
FLASH_SIZE = 16 * MB
SECTOR = 0x1000
TABLE = 0x8000
TABLE_COPY = 0x7000
OTADATA = 0xD000
BLANK = 0xFFFFFFFF


@dataclass(frozen=True)
class Area:
    name: str
    start: int
    end: int

    @property
    def size(self):
        return self.end - self.start


def areas(*rows):
    """All of the flash without a gap: the named areas, and what lies behind the last one."""
    found = [Area("bootloader", 0, TABLE_COPY), Area("table copy", TABLE_COPY, TABLE), Area("table", TABLE, 0x9000),
             Area("nvs", 0x9000, OTADATA), Area("otadata", OTADATA, 0xF000), Area("phy_init", 0xF000, 0x10000)]
    for name, size in rows:
        found.append(Area(name, found[-1].end, found[-1].end + size))
    found.append(Area("rest", found[-1].end, FLASH_SIZE))
    return tuple(found)


OVMS = areas(("factory", 4 * MB), ("ota_0", 4 * MB), ("ota_1", 4 * MB), ("store", MB))
SEVEN_MB = areas(("ota_0", 7 * MB), ("ota_1", 7 * MB), ("store", 0x1F0000))


def area(name, layout=OVMS):
    return next(found for found in layout if found.name == name)


def record(sequence, state=BLANK, crc=None):
    """One record of otadata, at the start of its sector."""
    if crc is None:
        crc = zlib.crc32(struct.pack("<I", sequence), 0xFFFFFFFF)
    return struct.pack("<I20sII", sequence, b"\xff" * 20, state, crc)


def change(path, *changes):
    """Puts contents at addresses, while the module is off."""
    with open(path, "r+b") as file:
        for address, content in changes:
            file.seek(address)
            file.write(content)


def stage(path, slot, patch, size, source, whole=False):
    """Puts `patch`, the first bytes of one of `size` bytes, where it waits in a slot (docs/SPEC.md, "Stage")."""
    header = struct.pack("<4sIIIII4s", b"LBST", slot.start, size, SECTOR, len(source), 4, b"\xff" * 4)
    texts = source.encode() + b'"42"'
    header += struct.pack("<I", zlib.crc32(header + texts)) + texts
    header += b"\xff" * (-len(header) % 256) + b"\xff" * 12 + (bytes(4) if whole else b"\xff" * 4)
    address = slot.end - 2 * SECTOR
    data = patch.ljust(-(-size // SECTOR) * SECTOR, b"\xff")
    change(path, (address, header.ljust(SECTOR, b"\xff")), (address - len(data), data))


def flip(path, address, bit=0):
    with open(path, "r+b") as file:
        file.seek(address)
        byte = file.read(1)[0]
        file.seek(address)
        file.write(bytes([byte ^ 1 << bit]))


def content(path, name, length=None, layout=OVMS):
    """The first `length` bytes of an area, or all of it."""
    found = area(name, layout)
    with open(path, "rb") as file:
        file.seek(found.start)
        return file.read(found.size if length is None else length)
