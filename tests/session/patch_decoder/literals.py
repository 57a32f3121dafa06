# SPDX-License-Identifier: MIT
"""Bytes of the result that are copied from nowhere."""

from .units import LITERAL

ANY = 256  # no byte is expected


class Literals:
    def __init__(self, bytes_model, walker, result, addresses):
        self.bytes_model = bytes_model
        self.walker = walker
        self.result = result
        self.addresses = addresses
        self.unit = 0
        self.before = 0

    def begin_behind_copy(self):
        self.unit = len(self.result.data)
        self.before = 0

    def back(self, n):
        data = self.result.data
        return data[len(data) - n] if n <= len(data) else 0

    def make(self):
        position = len(self.result.data)
        s = self.result.segment(position)
        expected, first, last, phase = ANY, 0, self.back(1), 4 + (position & 3)
        if self.walker and s is not None and s.is_code:
            phase = self.follow(position)
            if phase > 0:
                first = self.back(phase)
                expected = self.expect(first, phase)
        operation = first & (self.walker.MASK if self.walker else 0)
        if phase == 0:
            third = self.before | 20 << 20
        else:
            third = first | phase << 8 | (last >> 4 if phase == 2 else 0) << 12 | 20 << 20
        contexts = [phase | operation << 4 | 16 << 20,
                    last | phase << 8 | 17 << 20,
                    third,
                    expected | phase << 9 | (0 if phase == 2 else operation) << 12 | 22 << 20]
        self.result.data.append(self.bytes_model.byte(contexts, 8 + phase))
        self.result.look()

    def follow(self, position):
        n = position - self.unit
        if n >= 4:
            self.unit = position
            self.before = 0
            return 0
        if n > 0 and n >= self.walker.instruction_length(self.back(n)):
            f = self.back(n)
            if self.loads_literal(f):
                instruction = bytes([f, self.back(n - 1), self.back(n - 2)])
                place = self.result.address(self.unit)
                self.addresses.literal_slot = self.walker.target(instruction, LITERAL, place)
            self.before = f
            self.unit = position
            return 0
        return n

    def loads_literal(self, first):
        return self.walker.IS_XTENSA and first & 15 == 1

    def expect(self, first, phase):
        """The byte that a load of the next literal would have here."""
        if not self.loads_literal(first):
            return ANY
        x = self.walker.retarget(bytes([1, 0, 0]), LITERAL, self.result.address(self.unit),
                                 self.addresses.literal_slot + 4)
        if x is None or phase == 2 and self.back(1) != x[1]:
            return ANY
        return x[phase]
