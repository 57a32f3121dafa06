# SPDX-License-Identifier: MIT
"""Units that hold addresses: where they refer to in the result, from what was learned and from the map."""

from .entropy import WORD, hash32
from .image import le32
from .units import LITERAL, POINTER

EXACT, MAP, PAGE, PAGE_BEFORE, BASE, CONTENT, NEXT = range(7)
FOUND_LATER, FOUND_ELSEWHERE, FOUND_NOWHERE = 12, 13, 14  # contexts of a content that was looked for


class Addresses:
    def __init__(self, profile, walker, base, result):
        self.walker = walker
        self.base = base  # Images
        self.result = result
        self.ranges = []  # the map: start, shift
        self.exact_shift = 32 - profile.exact_bits
        self.page_shift = 32 - profile.page_bits
        self.exact = [(0, 0)] * (1 << profile.exact_bits)
        self.pages = [(0, 0)] * (1 << profile.page_bits)
        self.literal_slot = 0

    def mapped(self, a):
        """The map's shift, or None."""
        found = None
        for start, shift in self.ranges:
            if start > a:
                break
            found = shift
        return found

    def exact_at(self, a, kind):
        return hash32(a + (kind == LITERAL) & WORD) >> self.exact_shift

    def exact_held(self, a, kind):
        """The shift that the exact entry has for a, or None."""
        address, shift = self.exact[self.exact_at(a, kind)]
        return shift if address == a else None

    def page_at(self, a):
        return hash32(a >> 12) >> self.page_shift

    def predict(self, kind, b, length, source):
        """Candidates, each with its source, and the context."""
        walker = self.walker
        start, into = self.base.address(source), self.result.address(len(self.result.data))
        if start == 0 or into == 0:
            return [], 0
        t = walker.target(b, kind, start)
        by_content = walker.IS_XTENSA and kind == LITERAL
        candidates = []
        agreed = set()

        def add(name, shifted):
            made = b[:length] if shifted is None else walker.retarget(b, kind, into, shifted & WORD)
            if made is None:
                return
            for i, (there, _) in enumerate(candidates):
                if there == made:
                    if i == 0:
                        agreed.add(name)
                    return
            candidates.append((made, name))

        shift = self.exact_held(t, kind)
        if shift is not None:
            add(EXACT, t + shift)
        known = len(candidates)
        shift = self.mapped(t)
        if shift is not None:
            add(MAP, t + shift)
        page = self.pages[self.page_at(t)]
        add(PAGE, t + page[0])
        add(PAGE_BEFORE, t + page[1])
        add(BASE, None)
        if by_content:
            add(NEXT, self.literal_slot + 4)
        context = known + 2 * (MAP in agreed) + 4 * self.plausible(kind, t)
        if by_content:
            return self.look_for_content(candidates, context, b, t, into)
        return candidates, context + 8 * (BASE in agreed)

    def plausible(self, kind, t):
        if kind == LITERAL:
            return True
        o = self.base.offset(t, 1)
        if o is None or not self.base.segment(o).is_code:
            return True
        return self.walker.is_function((self.base.data[o:o + 2] + bytes(2)), t)

    def look_for_content(self, candidates, context, b, t, into):
        o = self.base.offset(t, 4)
        if o is None:
            return candidates, context
        value = self.content(le32(self.base.data, o))
        targets = [self.walker.target(made, LITERAL, into) for made, _ in candidates]
        for i, there in enumerate(targets):
            if self.holds(there, value):
                if i == 0:
                    return candidates, context
                return [candidates[i]] + candidates[:i] + candidates[i + 1:], FOUND_LATER
        for k in range(1, 65):
            for x in (targets[0] - 4 * k & WORD, targets[0] + 4 * k & WORD):
                if self.holds(x, value):
                    made = self.walker.retarget(b, LITERAL, into, x)
                    if made is not None:
                        return [(made, CONTENT)] + candidates, FOUND_ELSEWHERE
        return candidates, FOUND_NOWHERE

    def content(self, v):
        """What a literal that held v should hold now."""
        if not self.base.pointer(v):
            return v
        shift = self.exact_held(v, POINTER)
        if shift is None:
            shift = self.mapped(v)
        if shift is None:
            shift = self.pages[self.page_at(v)][0]
        return v + shift & WORD

    def holds(self, a, value):
        o = self.result.offset(a, 4)
        return o is not None and o + 4 <= len(self.result.data) and le32(self.result.data, o) == value

    def learn(self, kind, b, made, source):
        start, into = self.base.address(source), self.result.address(len(self.result.data))
        if start == 0 or into == 0 or not self.walker.same(kind, b, made):
            return
        t = self.walker.target(b, kind, start)
        new = self.walker.target(made, kind, into)
        shift = new - t & WORD
        if kind == LITERAL and not 1 <= self.literal_slot - new & WORD <= 1024:
            self.literal_slot = new
        self.exact[self.exact_at(t, kind)] = (t, shift)
        page = self.page_at(t)
        if self.pages[page][0] != shift:
            self.pages[page] = (shift, self.pages[page][0])
