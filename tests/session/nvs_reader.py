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
CHUNK = 0x42
INDEX = 0x48
HISTORY = "lifeboat"  # the namespace of what is no setting


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF)


def state_of(page, at):
    return page[32 + at // 4] >> at % 4 * 2 & 3


def page_entries(page):
    """(entry, the entries behind it that belong to it) for each one that is written."""
    at = 0
    while at < COUNT:
        state = state_of(page, at)
        entry = page[BEGIN + at * ENTRY:BEGIN + (at + 1) * ENTRY]
        if state != WRITTEN:
            at += 1
            continue
        assert struct.unpack_from("<I", entry, 4)[0] == crc(entry[:4] + entry[8:]), f"entry {at} of nvs has a wrong CRC"
        span = entry[2]
        assert 1 <= span <= COUNT - at, f"entry {at} of nvs has an impossible span"
        if all(state_of(page, at + place) == WRITTEN for place in range(span)):  # else a cut has left it unfinished
            yield entry, page[BEGIN + (at + 1) * ENTRY:BEGIN + (at + span) * ENTRY]
        at += span


def data_of(entry, behind):
    size, _, stated = struct.unpack_from("<HHI", entry, 24)
    data = behind[:size]
    assert len(data) == size and stated == crc(data), "a string or blob in nvs is damaged"
    return data


def blob_of(index, chunks):
    """The bytes of a blob; `chunks` are all of its key, by their number."""
    size, count, first = struct.unpack_from("<IBB", index, 24)
    data = b"".join(chunks[number] for number in range(first, first + count))
    assert len(data) == size, "a blob in nvs is not whole"
    return data


def value_of(entry, behind, chunks):
    """The text of a string, the bytes of a blob; of anything else its bytes as they are."""
    if entry[1] == INDEX:
        return blob_of(entry, chunks)
    if entry[1] != TEXT:
        return bytes([entry[1], entry[3]]) + entry[24:] + behind
    data = data_of(entry, behind)
    assert data.endswith(b"\0"), "a string in nvs does not end"
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
    chunks = {}
    for entry, behind in entries:
        if entry[1] == CHUNK:
            chunks.setdefault((entry[0], name(entry)), {})[entry[3]] = data_of(entry, behind)
    return {(spaces[entry[0]], name(entry)): value_of(entry, behind, chunks.get((entry[0], name(entry))))
            for entry, behind in entries if entry[0] != 0 and entry[1] != CHUNK}


def read_settings(partition):
    """The same without the history of updates."""
    return {key: value for key, value in read_nvs(partition).items() if key[0] != HISTORY}


def name(entry):
    return entry[8:24].split(b"\0")[0].decode()
