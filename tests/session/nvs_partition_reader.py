# SPDX-License-Identifier: MIT
"""Reads an nvs partition from docs/SPEC.md alone: the tests' own opinion about what is in it."""

import struct
import zlib

PAGE = 4096
INTEGERS = {0x01: ("u8", "<B"), 0x02: ("u16", "<H"), 0x04: ("u32", "<I"), 0x08: ("u64", "<Q"),
            0x11: ("i8", "<b"), 0x12: ("i16", "<h"), 0x14: ("i32", "<i"), 0x18: ("i64", "<q")}
STRING, OLD_BLOB, BLOB_DATA, BLOB_INDEX = 0x21, 0x41, 0x42, 0x48
STATES = {0xFFFFFFFE: "active", 0xFFFFFFFC: "full", 0xFFFFFFF8: "freeing"}


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF)


class Item:
    def __init__(self, entry, data):
        self.space, self.type, self.span, self.chunk = entry[:4]
        self.key = entry[8:24].split(b"\0")[0].decode()
        self.value = entry[24:]
        self.size = struct.unpack("<H", self.value[:2])[0]
        self.data = data[:self.size]
        assert struct.unpack("<I", entry[4:8])[0] == crc(entry[:4] + entry[8:])
        assert b"\0" in entry[8:24]
        if self.type in (STRING, OLD_BLOB, BLOB_DATA):
            assert self.span == 1 + (self.size + 31) // 32
            assert struct.unpack("<I", self.value[4:])[0] == crc(self.data)


def page_items(page):
    """The items of a page in use, in order."""
    def state(index):
        return page[32 + index // 4] >> (index % 4 * 2) & 3
    index = 0
    while index < 126:
        if state(index) != 2:
            index += 1
            continue
        at = 64 + 32 * index
        item = Item(page[at:at + 32], page[at + 32:at + 32 * page[at + 2]])
        assert item.span >= 1 and all(state(index + i) == 2 for i in range(item.span))
        yield item
        index += item.span


def pages_in_use(partition):
    """(sequence, state, page) of each, the oldest first."""
    pages = []
    for at in range(0, len(partition), PAGE):
        page = partition[at:at + PAGE]
        word, sequence = struct.unpack("<II", page[:8])
        if word in STATES and struct.unpack("<I", page[28:32])[0] == crc(page[4:28]):
            assert page[8] in (0xFE, 0xFF)
            pages.append((sequence, STATES[word], page))
    return sorted(pages, key=lambda page: page[0])


def read_partition(partition):
    """{(namespace, key): (type, value)}; every value is there once, and nothing else is."""
    items = [item for _, _, page in pages_in_use(partition) for item in page_items(page)]
    spaces = {item.value[0]: item.key for item in items if item.space == 0}
    chunks = {(item.space, item.key, item.chunk): item.data for item in items if item.type == BLOB_DATA}
    values = {}
    for item in items:
        if item.space == 0 or item.type == BLOB_DATA:
            continue
        if item.type in INTEGERS:
            name, form = INTEGERS[item.type]
            value = (name, struct.unpack(form, item.value[:struct.calcsize(form)])[0])
        elif item.type == STRING:
            assert item.data.endswith(b"\0")
            value = ("string", item.data[:-1].decode())
        elif item.type == OLD_BLOB:
            value = ("blob", item.data)
        else:
            assert item.type == BLOB_INDEX
            size, count, start = struct.unpack("<IBB", item.value[:6])
            data = b"".join(chunks.pop((item.space, item.key, start + i)) for i in range(count))
            assert len(data) == size
            value = ("blob", data)
        assert (spaces[item.space], item.key) not in values
        values[spaces[item.space], item.key] = value
    assert not chunks, "chunks without an index"
    return values
