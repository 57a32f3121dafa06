# SPDX-License-Identifier: MIT
"""Patches that no encoder would make: every decision is thrown, within what a patch may say.

    patch, result = random_patch(base, length=5000, tail=5, profile=1, walker=2, seed=7)

The decoder in patch_decoder runs with a source that invents the bits and writes them down.
"""

import hashlib
import random
import struct
import zlib

from patch_decoder import with_end
from patch_decoder.entropy import GAP, WORD, RangeDecoder
from patch_decoder.header import read_header
from patch_decoder.setup import images
from patch_decoder.stream import Stream


FIRST_DATA = 24 + 8


class RandomBits(RangeDecoder):
    """Takes no bits from a patch but makes them, mostly as they are expected, and keeps them for a patch."""

    def __init__(self, pick):  # pylint: disable=super-init-not-called
        self.pick = pick
        self.surprise = pick.choice([0, 0.01, 0.2])
        self.forced = []
        self.low = 0
        self.range = WORD
        self.bytes = 4

    def force(self, *bits):
        self.forced += bits

    def force_number(self, value):
        bits = f"{value + 1:b}"[1:]
        self.force(*[1] * len(bits), *[0] * (len(bits) < 31), *map(int, bits))

    def bit(self, p):
        if self.forced:
            result = self.forced.pop(0)
        elif self.pick.random() < self.surprise:
            result = self.pick.randrange(2)
        else:
            result = int(self.pick.randrange(65536) < p)
        bound = (self.range >> 16) * p
        if result:
            self.range = bound
        else:
            self.low += bound
            self.range -= bound
        while self.range < 0x1000000:
            self.range <<= 8
            self.low <<= 8
            self.bytes += 1
        return result

    def written(self):
        """The bytes of all bits, without up to four zeros that a decoder takes for granted."""
        data = (self.low + self.range - 1 & ~0xFFFFFF).to_bytes(self.bytes, "big")
        kept = data.rstrip(b"\0")
        return data[:max(len(kept), len(data) - 4)]


class RandomStream(Stream):
    def body(self, length):
        self.wanted = length
        self.front = self.random_front(length)
        super().body(length)

    def random_front(self, length):
        """What the result begins with, so that it has segments: data, code, code and data."""
        pick = self.decoder.pick
        self.headers = {}
        self.cut = None
        if length < 300 or not pick.randrange(3):
            return b""
        code = next((segment.load for segment in self.base.segments if segment.is_code), 0x42000000)
        code += 4 * pick.randrange(-200, 200)
        sizes = [length // 2, pick.choice([0x111, length // 4]), length // 16]
        loads = [code, code + pick.choice([0x8000, 0x20000, 0x200001]), 0x3FC80000]
        headers = [struct.pack("<II", load & WORD, size) for load, size in zip(loads, sizes)]
        front = b"\xe9" + bytes([pick.randrange(1, 5)]) + bytes(22)
        front += struct.pack("<II", 0x3C000000, 8) + headers[1] + headers[0]
        at = len(front)
        for size, header in zip(sizes, headers[1:]):
            at += size
            self.headers[at] = header
            at += len(header)
        if pick.randrange(2):  # bytes 2 to 6 of the second code's header, or some of them, are a copy from the first data
            at = len(front) + sizes[0]
            first = pick.randrange(2, 5)
            self.cut = (at + first, pick.randrange(2, 8 - first), at - FIRST_DATA)
        return front

    def make_literals(self, count):
        """The front and headers of segments are written if literals come to lie there."""
        for _ in range(count):
            position = len(self.result.data)
            wanted = self.front[position:position + 1]
            for at, header in self.headers.items():
                if at <= position < at + 8:
                    wanted = header[position - at:position - at + 1]
            if wanted:
                self.decoder.force(*map(int, f"{wanted[0]:08b}"))
            super().make_literals(1)

    def read_map(self):
        pick, bits = self.decoder.pick, self.decoder
        loads = [segment.load for segment in self.base.segments] + [0x3C000000]
        starts = sorted({pick.choice(loads) + pick.randrange(self.base.length) & WORD
                         for _ in range(pick.choice([0, 1, 3, 8]))} - {0x3C000000 - 1})
        bits.force_number(len(starts))
        before = 0x3C000000
        for start in starts:
            bits.force_number(start - before & WORD)
            bits.force(pick.randrange(2))
            bits.force_number(pick.choice([0, 4, 44, pick.randrange(5000)]))
            before = start
        return super().read_map()

    def number(self, use, number):
        if use == GAP and not self.decoder.forced:
            self.plan_gap()
        return super().number(use, number)

    def plan_gap(self):
        pick = self.decoder.pick
        position = len(self.result.data)
        rest = self.wanted - position
        gap = pick.choice([0, 0, pick.randrange(8), pick.randrange(70)])
        if position == 0 and not self.base.length:
            gap += 1
        gap = max(gap, len(self.front) - position)
        for at in self.headers:
            if position < at + 8 and position + gap + 60 > at:
                gap = max(gap, at + 8 - position)
        cut = self.cut is not None and position <= self.cut[0] < position + gap
        if cut:
            gap = self.cut[0] - position
        gap = gap if gap + 2 <= rest else rest
        self.decoder.force_number(gap)
        if gap < rest and self.base.length:
            self.decoder.force(int(not cut and (position + gap == 0 or pick.random() < 0.7)))

    def from_the_base(self, g, place, rest):
        pick, bits = self.decoder.pick, self.decoder
        ways = [[1], [0, 1]] if g > 0 else []
        distances = [self.repeats[0], self.base_end - place & WORD] if g > 0 else []
        start = [0] * len(ways)
        for i in (1, 2, 3):
            ways.append(start + [0] * (i - 1) + [1])
            distances.append(self.repeats[i])
        usable = [i for i, distance in enumerate(distances) if place + distance & WORD < self.base.length]
        if usable and pick.randrange(2):
            chosen = pick.choice(usable)
            bits.force(*ways[chosen])
            distance = distances[chosen]
        else:
            near = place + self.repeats[0] & WORD
            source = near + pick.randrange(-300, 300) if pick.randrange(2) else -1
            if not 0 <= source < self.base.length:
                source = pick.randrange(self.base.length)
            distance = source - place & WORD
            negative = pick.randrange(2)
            c = (self.repeats[0] - distance if negative else distance - self.repeats[0]) & WORD
            if c == WORD:  # too large for a number
                negative, c = 1 - negative, 1
            bits.force(*start, 0, 0, 0, negative)
            bits.force_number(c)
        most = min(self.base.length - (place + distance & WORD), rest)
        bits.force_number(min(most, pick.choice([pick.randrange(1, 20), pick.randrange(1, 400), 3000])) - 1)
        return super().from_the_base(g, place, rest)

    def from_the_result(self, gap, place, rest):
        pick, bits = self.decoder.pick, self.decoder
        if self.cut is not None and place == self.cut[0]:
            _, size, distance = self.cut
            self.cut = None
            bits.force_number(size - 2)
            bits.force(0, 0, 0, 0)
            bits.force_number(distance - 1)
            return super().from_the_result(gap, place, rest)
        bits.force_number(min(rest, pick.choice([2, 3, 4, 5, pick.randrange(2, 200)])) - 2)
        usable = [i for i, distance in enumerate(self.distances) if 0 < distance <= place]
        if usable and pick.randrange(2):
            i = pick.choice(usable)
            bits.force(*[0] * i, 1)
        else:
            bits.force(0, 0, 0, 0)
            bits.force_number(pick.choice([pick.randrange(place), pick.randrange(min(place, 6))]))
        return super().from_the_result(gap, place, rest)


LOADS = [0, 0x3BFFFF00, 0x3C000000, 0x3F400020, 0x3FBFFFFC, 0x3FC00000, 0x3FFFF000, 0x3FFFFFFC, 0x40000000, 0x400C0000,
         0x400D0020, 0x42000000, 0x42000100, 0x43FFFFF0, 0x44000000, 0x5000FF00, 0x50010000, 0x80000000, 0x8FFFFF00,
         0xFFFFF000, 0xFFFFFFF0]


def random_image(contents, seed):
    """What looks like an image, with segments of all lengths at the edges of all memories, and pieces of contents."""
    pick = random.Random(f"{seed}")
    segments = []
    for _ in range(pick.choice([1, 3, 8, 9, 16, 17, 40])):
        length = pick.choice([0, 1, 2, 3, 5, 16, 33, 100, pick.randrange(2000), pick.randrange(2000)])
        load = pick.choice(LOADS) + pick.choice([0, pick.randrange(64), 4 * pick.randrange(500)])
        segments.append((load & WORD, length))
    image = bytearray([0xE9, len(segments)]) + bytes(22)
    for load, length in segments:
        image += struct.pack("<II", load, length)
        begins = len(image)
        at = pick.randrange(len(contents) - length)
        image += contents[at:at + length]
        for _ in range(length // 10):  # pointers, most of them at multiples of four
            other, size = pick.choice(segments)
            reach = size + pick.choice([0, 0x20000, 0x60000]) + pick.randrange(-1, 2)
            at = begins + pick.randrange(length - 3)
            at = at if pick.randrange(4) == 0 else max(at & ~3, begins)
            image[at:at + 4] = struct.pack("<I", other + pick.choice([reach, pick.randrange(size + 1), -1]) & WORD)
    image = bytes(image[:len(image) - pick.choice([0, 0, pick.randrange(30)])])
    return image + hashlib.sha256(image).digest() if pick.randrange(2) else image


def random_patch(base, length, tail, profile, walker, seed):
    """A patch of these, and what it makes."""
    bits = RandomBits(random.Random(f"{seed}"))
    sealed = len(base) >= 32 and hashlib.sha256(base[:-32]).digest() == base[-32:]
    base_digest = base[-32:] if sealed else hashlib.sha256(base).digest() if base else bytes(32)
    front = struct.pack("<3sBBB", b"LBP", 1, walker << 4 | profile, sealed << 7 | tail)
    lengths = struct.pack("<II16s", len(base), length, base_digest[:16])
    header = read_header(front + bytes(4) + lengths + bytes(32))
    old, new = images(header, base)
    stream = RandomStream(bits, header.profile_sizes, header.walker_rules, old, new)
    stream.body(header.body_length)
    result = with_end(header, new)
    digest = result[-32:] if tail else hashlib.sha256(result).digest()
    behind = lengths + digest + bits.written()
    return front + struct.pack("<I", zlib.crc32(front + behind)) + behind, result
