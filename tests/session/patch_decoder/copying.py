# SPDX-License-Identifier: MIT
"""Copies from the base, unit by unit."""

from .addresses import Addresses
from .entropy import coarse_flags, fine_flags
from .units import PLAIN

EQUAL_LIMIT, HIT_LIMIT = 100, 60
LEVELS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 512, 4096]  # the most hits of each level, but the last
REACH = 64  # how far before a copy's beginning its units are looked for
UNIT_BYTES = 12


class Copying:
    def __init__(self, decoder, bytes_model, profile, walker, base, result):
        self.decoder = decoder
        self.bytes_model = bytes_model
        self.profile = profile
        self.walker = walker
        self.base = base
        self.result = result
        self.padded = base.data + bytes(UNIT_BYTES)
        self.addresses = Addresses(profile, walker, base, result)
        self.equal = fine_flags(8, profile.levels, start=5500)
        self.structure_equal = fine_flags(4, profile.levels, start=15500)
        self.hit_flags = fine_flags(profile.kinds - 1, 16, profile.histories, start=8000)
        self.structures = [(0, 0)] * profile.structures  # shift, trust
        self.kind_history = [0] * 5
        self.begin_coarse_flags()
        self.begin_hits(0)

    def begin_coarse_flags(self):
        self.structure_hit = coarse_flags(4)
        self.byte_equal = coarse_flags(self.profile.kinds, 3, 8)
        self.other = coarse_flags(5, 7)

    def begin_hits(self, hits):
        self.hits = hits
        self.level = sum(hits > most for most in LEVELS) // self.profile.level_divisor

    def first_unit(self, source):
        s = self.base.segment(source) if self.walker else None
        if s is None:
            return source
        if not s.is_code:
            return source + 3 & ~3
        first = max(source - min(source - s.offset, REACH) & ~3, s.offset)
        while first < source:
            first += self.walker.unit(self.unit_bytes(first), first, s, self.base.pointer)[2]
        return first

    def unit_bytes(self, source):
        return self.padded[source:source + UNIT_BYTES]

    def copy(self, source, length):
        first = self.first_unit(source)
        walker = self.walker
        while length > 0:
            s = self.base.segment(source) if walker else None
            b = self.unit_bytes(source)
            kind, group, size = PLAIN, 7, 1
            if source < first:
                size = first - source
            elif s is not None:
                kind, group, size = walker.unit(b, source, s, self.base.pointer)
            elif walker is None:
                size = 4 - (source & 3)
            if size > length:
                kind, size = PLAIN, length
            if kind == PLAIN:
                made, hit = self.plain_unit(b, group, size, source, s is not None and s.is_code)
            else:
                made, hit = self.address_unit(b, kind, size, source)
            self.result.data.extend(made)
            self.result.look()
            self.begin_hits(self.hits + 1 if hit else 0)
            source += size
            length -= size

    def plain_unit(self, b, group, size, source, is_code):
        """What it becomes, and whether it stayed as it was."""
        field = self.walker.field(b, size) if is_code else None
        flag = self.equal[group][self.level]
        moved = None
        trust = 0
        if field:
            value, _ = field
            shift, trust = self.structures[(value >> 4) % self.profile.structures]
            if shift:
                moved = self.walker.put_field(b, size, value + shift)
            if moved:
                flag = self.structure_equal[trust][self.level]
        hit = not self.decoder.fine(flag, EQUAL_LIMIT)
        if hit:
            made = b[:size]
        elif moved and self.decoder.coarse(self.structure_hit[trust]):
            made = moved
        else:
            made = self.corrected(b, PLAIN, size, source)
        if field:
            self.learn_field(field, made, size)
        return made, hit

    def learn_field(self, field, made, size):
        now = self.walker.field(made, size)
        if now is None or now[1] != field[1]:
            return
        d = now[0] - field[0]
        place = (field[0] >> 4) % self.profile.structures
        shift, trust = self.structures[place]
        if d == 0:
            self.structures[place] = (shift, max(trust - 1, 0))
        elif d == shift:
            self.structures[place] = (shift, min(trust + 1, 3))
        elif -2000 < d < 2000:
            self.structures[place] = (d, 1)

    def corrected(self, b, kind, size, source):
        operation = b[0] & (self.walker.MASK if self.walker else 0)
        plain = int(kind == PLAIN)
        changed = 0
        before = self.result.data[-1] if self.result.data else 0
        made = bytearray()
        for i in range(size):
            equal = 0
            if not plain or i < size - 1 or changed:
                flag = self.byte_equal[min(kind, self.profile.kinds - 1)][min(i, 2)][changed & 7]
                equal = self.decoder.coarse(flag)
            changed = 2 * changed + 1 - equal
            if equal:
                made.append(b[i])
                continue
            first = made[0] if i else 0
            last = made[i - 1] if i else before
            old_last = b[i - 1] if i else self.base.data[source - 1] if source else 0
            contexts = [b[i] | i << 8 | kind << 12 | 1 << 20,
                        i | kind << 4 | 2 << 20 | (operation << 8 if plain else 0),
                        last | i << 8 | plain << 12 | 3 << 20,
                        b[i] | operation << 8 | old_last << 12 | 4 << 20 | i << 24,
                        first | b[i] << 8 | 5 << 20 | i << 24 | operation << 26]
            made.append(self.bytes_model.byte(contexts, min(i, 3) + (0 if plain else 4)))
        return bytes(made)

    def address_unit(self, b, kind, size, source):
        candidates, context = self.addresses.predict(kind, b, size, source)
        history = self.kind_history[kind] & (self.profile.histories - 1)
        made = None
        hit = False
        for i, (candidate, name) in enumerate(candidates):
            if i == 0:
                flag = self.hit_flags[min(kind - 1, self.profile.kinds - 2)][context][history]
                miss = self.decoder.fine(flag, HIT_LIMIT)
            else:
                miss = self.decoder.coarse(self.other[kind][name])
            if not miss:
                made = candidate
                hit = i == 0
                break
        if made is None:
            made = self.corrected(b, kind, size, source)
        self.addresses.learn(kind, b, made, source)
        self.kind_history[kind] = (2 * self.kind_history[kind] + (not hit)) & 0xFF
        return made, hit
