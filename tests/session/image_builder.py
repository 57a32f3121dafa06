# SPDX-License-Identifier: MIT
"""Small valid application images, made after the format page and by none of the project's own code.

    image = build_image("3.1.003", size=65536)
    merged = b"\xff" * 0x10000 + image
"""

import hashlib
import random
import struct
from dataclasses import dataclass

HEADER_SIZE = 24
SEGMENT_HEADER_SIZE = 8
DESCRIPTION_SIZE = 256
DIGEST_SIZE = 32
MAP_PAGE = 0x10000

OVMS_MARK_BEFORE = b"########OVMS_PRE########"
OVMS_MARK_BEHIND = b"########OVMSPOST########"


@dataclass(frozen=True)
class Chip:
    """What an image for a chip differs in: its id and where its segments are loaded."""

    number: int
    data: int  # mapped constants
    memory: int  # internal RAM
    code: int  # mapped code


CHIPS = {
    "esp32": Chip(0, 0x3F400000, 0x40080000, 0x400D0000),
    "esp32s2": Chip(2, 0x3F000000, 0x40024000, 0x40080000),
    "esp32c3": Chip(5, 0x3C000000, 0x40380000, 0x42000000),
    "esp32s3": Chip(9, 0x3C000000, 0x40374000, 0x42000000),
    "esp32c2": Chip(12, 0x3C000000, 0x4037C000, 0x42000000),
    "esp32c6": Chip(13, 0x42800000, 0x40800000, 0x42000000),
    "esp32h2": Chip(16, 0x42800000, 0x40800000, 0x42000000),
}


def description(version="", project="ovms3", date="Apr  7 2018", time="13:11:19", idf="v3.1-dev-453-g0f978bcb",
                secure_version=0):
    """The 256 bytes of an application description. Texts may be bytes, to put anything into them."""

    def text(value, size):
        data = value if isinstance(value, bytes) else value.encode("ascii")
        assert len(data) <= size, f"{value!r} is longer than {size} bytes"
        return data.ljust(size, b"\0")

    fields = struct.pack("<II8s", 0xABCD5432, secure_version, b"")
    fields += text(version, 32) + text(project, 32) + text(time, 16) + text(date, 16) + text(idf, 32)
    fields += hashlib.sha256(repr((version, project, date, time)).encode()).digest()
    return fields.ljust(DESCRIPTION_SIZE, b"\0")


def xor_of(data):
    """All bytes xored: the one half with the other until one byte is left."""
    while len(data) > 1:
        half = (len(data) + 1) // 2
        low, high = (int.from_bytes(part, "little") for part in (data[:half], data[half:]))
        data = (low ^ high).to_bytes(half, "little")
    return data[0] if data else 0


def seal(body):
    """Puts padding, checksum and digest behind a header and segments, as they are now."""
    checksum = 0xEF
    offset = HEADER_SIZE
    for _ in range(body[1]):
        length = struct.unpack_from("<I", body, offset + 4)[0]
        offset += SEGMENT_HEADER_SIZE
        checksum ^= xor_of(body[offset:offset + length])
        offset += length
    body = body[:offset] + bytes(15 - offset % 16) + bytes([checksum])
    return body + hashlib.sha256(body).digest()


def build_image(version="3.1.003", project="ovms3", size=65536, chip="esp32", *, seed=None, has_description=True,
                mark=None, first_load=None, min_revision=0, max_revision=0xFFFF, flash_size=4, **texts):
    """A valid image of exactly `size` bytes, a multiple of 16.

    The contents are random, from `seed` or else the version. `mark` is a version between OVMS's own marks;
    `has_description` False leaves the description out; `first_load` loads the first segment somewhere else, as a
    bootloader's is; `texts` are date, time, idf and secure_version of the description.
    """
    where = CHIPS[chip]
    overhead = HEADER_SIZE + 3 * SEGMENT_HEADER_SIZE + 4 + DIGEST_SIZE  # 4: padding with the checksum
    data_size = size - overhead
    assert size % 16 == 0 and data_size >= 1024, f"{size} is no size for an image"
    beginning = description(version, project, **texts) if has_description else b""
    if mark is not None:
        beginning += OVMS_MARK_BEFORE + mark.encode("ascii") + OVMS_MARK_BEHIND
    beginning = beginning.ljust(-(-len(beginning) // 4) * 4, b"\0")
    contents = random.Random(f"{version}/{seed}").randbytes(data_size - len(beginning))
    data = beginning + contents
    first = max(len(beginning), data_size // 2 // 4 * 4)
    second = data_size // 8 // 4 * 4
    parts = [(first_load or where.data, data[:first]), (where.memory, data[first:first + second]),
             (where.code, data[first + second:])]
    header = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, len(parts), 2, flash_size << 4, where.code, 0xEE, b"", where.number,
                         0, min_revision, max_revision, b"", 1)
    image = header
    for load, part in parts:
        offset = len(image) + SEGMENT_HEADER_SIZE
        if load in (where.data, where.code):
            load += offset % MAP_PAGE  # a mapped segment lies in flash where it lies in memory, modulo the page
        image += struct.pack("<II", load, len(part)) + part
    image = seal(image)
    assert len(image) == size
    return image
