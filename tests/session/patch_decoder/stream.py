# SPDX-License-Identifier: MIT
"""The stream of decisions: the map, then literals and copies in turn."""

from .copying import Copying
from .entropy import COPY_DISTANCE, COPY_LENGTH, GAP, LENGTH, OFFSET, WORD, ByteModel, Numbers, coarse_flags
from .errors import corrupt
from .literals import Literals

MAP_START = 0x3C000000


def refuse_if(wrong):
    if wrong:
        raise corrupt()


def to_front(values, value):
    i = next((i for i in range(3) if values[i] == value), 3)
    values[1:i + 1] = values[:i]
    values[0] = value


def step_of(n):
    return 0 if n == 0 else 1 if n < 8 else 2


class Stream:
    def __init__(self, decoder, profile, walker, base, result):
        self.decoder = decoder
        self.profile = profile
        self.base = base  # Images; a base of length 0 is none
        self.result = result
        bytes_model = ByteModel(decoder, profile)
        self.copying = Copying(decoder, bytes_model, profile, walker, base, result)
        self.literals = Literals(bytes_model, walker, result, self.copying.addresses)
        self.last_length = self.from_base = self.base_end = 0
        self.repeats = [0] * 4
        self.distances = [0] * 4
        self.begin_coarse_flags()
        ranges = []
        if walker and base.length:
            ranges = self.copying.addresses.ranges = self.read_map()
            self.begin_coarse_flags()
            self.copying.begin_coarse_flags()
        slots = profile.slots_with_base - 4 * len(ranges) if base.length else profile.slots_without_base
        bytes_model.begin_slots(slots)

    def begin_coarse_flags(self):
        self.numbers = Numbers(self.decoder, self.profile)
        self.from_flags = coarse_flags(6)
        self.same = coarse_flags(3)
        self.skip = coarse_flags(3)
        self.repeat = coarse_flags(4)
        self.sign = coarse_flags(2)
        self.distance = coarse_flags(4)

    def number(self, use, number):
        return self.numbers.number(use, number)

    def read_map(self):
        count = self.number(GAP, 0)
        refuse_if(count > self.profile.ranges)
        start, shift = MAP_START, 0
        ranges = []
        for i in range(count):
            d = self.number(OFFSET, 0)
            refuse_if(i > 0 and (d == 0 or start + d > WORD))
            start = start + d & WORD
            negative = self.decoder.coarse(self.sign[0])
            c = self.number(GAP, 0)
            shift = shift - c & WORD if negative else shift + c & WORD
            ranges.append((start, shift))
        return ranges

    def body(self, length):
        made = self.result.data
        while len(made) < length:
            rest = length - len(made)
            gap = self.number(GAP, 0 if self.last_length < 8 else 1 if self.last_length < 64 else 2)
            refuse_if(gap > rest)
            if gap == rest:
                self.make_literals(gap)
                return
            g = step_of(gap)
            self.from_base = self.decoder.coarse(self.from_flags[3 * self.from_base + g]) if self.base.length else 0
            if self.from_base:
                source, size = self.from_the_base(g, len(made) + gap, rest - gap)
            else:
                source, size = self.from_the_result(gap, len(made) + gap, rest - gap)
            self.make_literals(gap)
            if self.from_base:
                self.copying.copy(source, size)
            else:
                self.repeat_result(source, size)
            self.literals.begin_behind_copy()

    def make_literals(self, count):
        for _ in range(count):
            self.literals.make()

    def repeat_result(self, source, size):
        made = self.result.data
        for at in range(source, source + size):
            made.append(made[at])
        self.result.look()

    def from_the_base(self, g, place, rest):
        distance, group = self.distance_to_base(g, place)
        to_front(self.repeats, distance)
        source = place + distance & WORD
        refuse_if(source >= self.base.length)
        length = self.number(LENGTH, group) + 1
        refuse_if(length > self.base.length - source or length > rest)
        self.last_length = length
        self.base_end = source + length
        return source, length

    def distance_to_base(self, g, place):
        coarse = self.decoder.coarse
        if g > 0 and coarse(self.same[g]):
            return self.repeats[0], 0
        if g > 0 and coarse(self.skip[g]):
            return self.base_end - place & WORD, 1
        for i in (1, 2, 3):
            if coarse(self.repeat[i]):
                return self.repeats[i], 1
        negative = coarse(self.sign[min(g, 1)])
        c = self.number(OFFSET, min(g, 1))
        return self.repeats[0] + (-c if negative else c) & WORD, 2 if c < 512 else 3

    def from_the_result(self, gap, place, rest):
        length = self.number(COPY_LENGTH, 1 if gap == 0 else 0) + 2
        refuse_if(length > WORD or length > rest)
        self.last_length = length
        for i in range(4):
            if self.decoder.coarse(self.distance[i]):
                distance = self.distances[i]
                refuse_if(distance == 0)
                break
        else:
            distance = self.number(COPY_DISTANCE, min(length - 2, 3)) + 1
        refuse_if(distance > place)
        to_front(self.distances, distance)
        return place - distance, length
