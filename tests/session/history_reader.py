# SPDX-License-Identifier: MIT
"""The history of updates in an nvs partition, read after docs/SPEC.md and by none of the project's own code."""

import re
import struct
import zlib
from types import SimpleNamespace

from nvs_reader import HISTORY, read_nvs

KEY = re.compile(r"update\.(?:[0-9]|1[0-5])")
RESULTS = ("begun", "interrupted", "failed", "flashed", "confirmed", "rejected", "superseded")
STRINGS = ("source", "slot", "from_slot", "version", "from_version")
MOST = 16


def read_entry(blob):
    assert zlib.crc32(blob[:-4]) == struct.unpack("<I", blob[-4:])[0], "an entry of the history has a wrong CRC"
    version, result, number, cause, begun, ended, size = struct.unpack_from("<BBIiqqI", blob)
    assert version in (1, 2)
    entry = SimpleNamespace(result=RESULTS[result], number=number, cause=cause, begun=begun, ended=ended, size=size,
                            digest=blob[30:62], elf_sha256=blob[62:94], transferred=0, patch_base="", bytes=blob)
    at = 94
    names = STRINGS
    if version == 2:
        entry.transferred, = struct.unpack_from("<I", blob, at)
        at += 4
        names += ("patch_base",)
    for name in names:
        length = blob[at]
        setattr(entry, name, blob[at + 1:at + 1 + length].decode())
        at += 1 + length
    assert at == len(blob) - 4
    return entry


def make_entry(version, number, result, size, strings, transferred=0):
    """The bytes of an entry. `strings`: those in STRINGS, and in version 2 the base of the patch behind them."""
    data = struct.pack("<BBIiqqI64s", version, RESULTS.index(result), number, 0, 1795000000, 1795000060, size, b"")
    if version == 2:
        data += struct.pack("<I", transferred)
    data += b"".join(bytes([len(text)]) + text.encode() for text in strings)
    return data + struct.pack("<I", zlib.crc32(data))


def history_of(settings):
    """{number: entry} from what read_nvs returns. Nothing else may be in that namespace."""
    entries = {}
    for (space, key), value in settings.items():
        if space == HISTORY:
            assert KEY.fullmatch(key), f"{space}.{key} is no entry of the history"
            entry = read_entry(value)
            assert entry.number not in entries, f"update {entry.number} is there twice"
            entries[entry.number] = entry
    return entries


def read_history(partition):
    """All entries, the newest first."""
    entries = history_of(read_nvs(partition))
    return [entries[number] for number in sorted(entries, reverse=True)]
