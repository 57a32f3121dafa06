# SPDX-License-Identifier: MIT
"""What is in an nvs partition, read after the format page and by none of the project's own code."""

import struct
import zlib

PAGE = 4096
ENTRY = 32
BEGIN = 64  # of the entries, behind header and bitmap
COUNT = 126
WRITTEN = 2
UNUSED = 0xFFFFFFFF
TEXT = 0x21


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF)


def page_entries(page):
    """(entry, the entries behind it that belong to it) for each one that is written."""
    at = 0
    while at < COUNT:
        state = page[32 + at // 4] >> at % 4 * 2 & 3
        entry = page[BEGIN + at * ENTRY:BEGIN + (at + 1) * ENTRY]
        if state != WRITTEN:
            at += 1
            continue
        assert struct.unpack_from("<I", entry, 4)[0] == crc(entry[:4] + entry[8:]), f"entry {at} of nvs has a wrong CRC"
        span = entry[2]
        assert 1 <= span <= COUNT - at, f"entry {at} of nvs has an impossible span"
        yield entry, page[BEGIN + (at + 1) * ENTRY:BEGIN + (at + span) * ENTRY]
        at += span


def value_of(entry, behind):
    """The text of a string; of anything else its bytes as they are."""
    if entry[1] != TEXT:
        return bytes([entry[1], entry[3]]) + entry[24:] + behind
    size, _, stated = struct.unpack_from("<HHI", entry, 24)
    data = behind[:size]
    assert len(data) == size and stated == crc(data) and data.endswith(b"\0"), "a string in nvs is damaged"
    return data[:-1].decode()


def read_nvs(partition):
    """{(namespace, key): value}. Of two with the same name, which a cut may leave behind, the newer one counts."""
    pages = []
    for at in range(0, len(partition), PAGE):
        page = partition[at:at + PAGE]
        state, sequence = struct.unpack_from("<II", page)
        if state != UNUSED:
            assert struct.unpack_from("<I", page, 28)[0] == crc(page[4:28]), "a page of nvs has a wrong CRC"
            pages.append((sequence, page))
    entries = [found for _, page in sorted(pages) for found in page_entries(page)]
    spaces = {entry[24]: name(entry) for entry, _ in entries if entry[0] == 0}
    return {(spaces[entry[0]], name(entry)): value_of(entry, behind) for entry, behind in entries if entry[0] != 0}


def name(entry):
    return entry[8:24].split(b"\0")[0].decode()
