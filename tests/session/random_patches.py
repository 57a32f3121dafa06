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
        """What the result begins with, so that it has segments: data, code, data and code."""
        pick = self.decoder.pick
        code = next((segment.load for segment in self.base.segments if segment.is_code), 0x42000000)
        sizes = [8, max(length // 2, 1), 12, length // 8]
        loads = [0x3C000000 + pick.randrange(1000), code + 4 * pick.randrange(-200, 200), 0x3FC80000, code + pick.choice([0x20000, 0x200000, 0x200001])]
        front = b"\xe9" + bytes([pick.randrange(1, 5)]) + bytes(22)
        front += struct.pack("<II", loads[0], sizes[0]) + bytes(sizes[0]) + struct.pack("<II", loads[1], sizes[1])
        self.headers = {}
        at = len(front) + sizes[1]
        for load, size in zip(loads[2:], sizes[2:]):
            self.headers[at] = struct.pack("<II", load, size)
            at += 8 + size
        return front if pick.randrange(3) and 2 * len(front) < length else b""

    def make_literals(self, count):
        """The front and headers of segments are written if literals come to lie there."""
        for _ in range(count):
            position = len(self.result.data)
            wanted = self.front[position:position + 1]
            for at, header in self.headers.items():
                if self.front and at <= position < at + 8:
                    wanted = header[position - at:position - at + 1]
            if wanted:
                self.decoder.force(*map(int, f"{wanted[0]:08b}"))
            super().make_literals(1)

    def read_map(self):
        pick, bits = self.decoder.pick, self.decoder
        count = pick.choice([0, 1, 3, 8])
        bits.force_number(count)
        loads = [segment.load for segment in self.base.segments] + [0x3C000000]
        starts = sorted({pick.choice(loads) + pick.randrange(self.base.length) for _ in range(count)})
        starts += [starts[-1] + 1 + i for i in range(count - len(starts))] if starts else []
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
            if self.front and position < at + 8 and position + gap + 60 > at:
                gap = max(gap, at + 8 - position)
        gap = gap if gap + 2 <= rest else rest
        self.decoder.force_number(gap)
        if gap < rest and self.base.length:
            self.decoder.force(int(position + gap == 0 or pick.random() < 0.7))

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
        bits.force_number(min(rest, pick.choice([2, 3, 4, 5, pick.randrange(2, 200)])) - 2)
        usable = [i for i, distance in enumerate(self.distances) if 0 < distance <= place]
        if usable and pick.randrange(2):
            i = pick.choice(usable)
            bits.force(*[0] * i, 1)
        else:
            bits.force(0, 0, 0, 0)
            bits.force_number(pick.choice([pick.randrange(place), pick.randrange(min(place, 6))]))
        return super().from_the_result(gap, place, rest)


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
