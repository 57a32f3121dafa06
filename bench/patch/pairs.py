# SPDX-License-Identifier: MIT
"""The pairs of old and new files."""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

DEFAULT = ("600-601", "601-608", "585-658", "600-658", "658-585")
FILE = "ovms-3.3.003-{}.bin"
HEADER = 24
SEGMENT_HEADER = 8
DESCRIPTION = 0x20
VERSION = (DESCRIPTION + 16, 32)  # where it lies in an image, and how long it is
ELF_DIGEST = (DESCRIPTION + 144, 32)


class Missing(Exception):
    """There are no pairs to measure; the text says what to do."""


@dataclass(frozen=True)
class Pair:
    name: str
    old: Path
    new: Path


def in_folder(folder):
    folder = Path(folder)
    found = [Pair(path.name, path / "old.bin", path / "new.bin") for path in sorted(folder.glob("*"))
             if (path / "old.bin").is_file() and (path / "new.bin").is_file()]
    if not found:
        raise Missing(f"{folder} has no pairs; make NAME/old.bin and NAME/new.bin in it")
    return found


def of_firmware(folder):
    """The default pairs, of real firmware."""
    if not folder:
        raise Missing("there is no firmware to measure; set LIFEBOAT_FIRMWARE to the folder of the real images "
                      f"({FILE.format('585')} and others), or give PAIRS=DIR with DIR/NAME/old.bin and DIR/NAME/new.bin")
    folder = Path(folder)
    pairs = [Pair(name, *(folder / FILE.format(version) for version in name.split("-"))) for name in DEFAULT]
    missing = sorted({path.name for pair in pairs for path in (pair.old, pair.new) if not path.is_file()})
    if missing:
        raise Missing(f"LIFEBOAT_FIRMWARE: {folder} lacks {', '.join(missing)}; or give PAIRS=DIR with "
                      "DIR/NAME/old.bin and DIR/NAME/new.bin")
    return pairs


def of_board(folder):
    """Two versions of the firmware of our own emulated board, if they are built."""
    pair = Pair("board", folder / "firmware.bin", folder / "second.bin")
    return [pair] if pair.old.is_file() and pair.new.is_file() else []


def image_end(image):
    """Where the digest of an application image begins; None if these bytes are none."""
    if len(image) < HEADER or image[0] != 0xE9 or image[23] != 1:
        return None
    offset = HEADER
    for _ in range(image[1]):
        if offset + SEGMENT_HEADER > len(image):
            return None
        offset += SEGMENT_HEADER + struct.unpack_from("<I", image, offset + 4)[0]
    end = offset + 16 - offset % 16
    return end if end + 32 == len(image) else None


def sealed(image):
    """The image with its checksum and its SHA-256 as they have to be."""
    end = image_end(image)
    offset, checksum = HEADER, 0xEF
    for _ in range(image[1]):
        length = struct.unpack_from("<I", image, offset + 4)[0]
        for byte in image[offset + SEGMENT_HEADER:offset + SEGMENT_HEADER + length]:
            checksum ^= byte
        offset += SEGMENT_HEADER + length
    body = image[:end - 1] + bytes([checksum])
    return body + hashlib.sha256(body).digest()


def has_description(image):
    return image_end(image) is not None and image[DESCRIPTION:DESCRIPTION + 4] == struct.pack("<I", 0xABCD5432)


def tiny_changes(image, folder):
    """Pairs of an image and itself with another version string, with and without another ELF digest."""
    offset, length = VERSION
    changed = image[:offset] + b"9.9.999-1-g0123abcd".ljust(length, b"\0") + image[offset + length:]
    offset, length = ELF_DIGEST
    relinked = changed[:offset] + hashlib.sha256(changed).digest() + changed[offset + length:]
    files = {"old": image, "version": sealed(changed), "relinked": sealed(relinked)}
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    return [Pair("another version string", folder / "old.bin", folder / "version.bin"),
            Pair("... and another ELF digest", folder / "old.bin", folder / "relinked.bin")]
