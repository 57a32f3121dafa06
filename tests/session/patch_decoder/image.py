# SPDX-License-Identifier: MIT
"""The segments of base and result, and the addresses that they are loaded to."""

from dataclasses import dataclass

from .entropy import WORD

HEADER = 24
SEGMENT_HEADER = 8


def le16(data, at=0):
    return data[at] | data[at + 1] << 8


def le32(data, at=0):
    return int.from_bytes(data[at:at + 4], "little")


@dataclass(frozen=True)
class Segment:
    load: int
    length: int
    offset: int
    is_code: bool
    room: int = 0  # what pointers may reach behind its end


class Image:
    """Segments of a file of `length` bytes, of which `data` may hold a beginning that grows."""

    def __init__(self, data, length, walker, most):
        self.data = data
        self.length = length
        self.walker = walker
        self.most = most
        self.segments = []
        self.awaited = HEADER + SEGMENT_HEADER  # bytes that have to be there for the next segment; None: no more
        self.last_found = None

    def look(self):
        """Finds the segments whose headers are there."""
        while self.awaited is not None and len(self.data) >= self.awaited:
            self.add_next()

    def add_next(self):
        at = self.awaited
        self.awaited = None
        count = min(self.data[1], self.most) if self.data[0] == 0xE9 else 0
        if len(self.segments) == count or at > self.length:
            return
        load, length = le32(self.data, at - 8), le32(self.data, at - 4)
        if length > self.length - at:
            return
        is_code = self.walker is not None and self.walker.is_code(load)
        room = self.walker.room(load) if self.walker is not None else 0
        self.segments.append(Segment(load, length, at, is_code, room))
        self.awaited = at + length + SEGMENT_HEADER

    def segment(self, o):
        last = self.last_found
        if last is not None and last.offset <= o < last.offset + last.length:
            return last
        for segment in self.segments:
            if segment.offset <= o < segment.offset + segment.length:
                self.last_found = segment
                return segment
        return None

    def address(self, o):
        segment = self.segment(o)
        return segment.load + (o - segment.offset) & WORD if segment else 0

    def offset(self, a, length):
        for segment in self.segments:
            inside = a - segment.load & WORD
            if inside < segment.length and length <= segment.length - inside:
                return segment.offset + inside
        return None

    def pointer(self, v):
        """Can the word v be one of the image's addresses?"""
        return self.walker.in_span(v) and any(
            segment.length and (v - segment.load & WORD) <= segment.length + segment.room
            for segment in self.segments)
