# SPDX-License-Identifier: MIT
"""Walker 2: 32 bits, with compressed instructions."""

from .entropy import WORD
from .image import le32
from .units import CALL, CODE_POINTER, LITERAL, PLAIN, POINTER

IS_XTENSA = False
MASK = 127
LOAD, ADD, AUIPC, STORE, BRANCH, JALR, JAL = 0x03, 0x13, 0x17, 0x23, 0x63, 0x67, 0x6F


def is_code(load):
    return load >= 0x40000000


def in_span(v):
    return 0x3C000000 <= v < 0x50010000 or 0x80000000 <= v < 0x90000000


def room(load):
    if load >= 0x80000000:
        return 0x60000
    return 0x20000 if 0x3FC00000 <= load < 0x40000000 else 0


def has_low(word):
    operation = word & 0x7F
    return operation in (LOAD, STORE, JALR) or operation == ADD and word >> 12 & 7 == 0


def pair(b):
    first, second = le32(b), le32(b, 4)
    return first & 0x7F == AUIPC and has_low(second) and second >> 15 & 31 == first >> 7 & 31


def unit(b, o, segment, pointer):
    """Kind, class and length of the unit at offset o, whose bytes are b."""
    left = segment.offset + segment.length - o
    if left < 4 or o & 1:
        return PLAIN, 0, min(left, 4 - (o & 3))
    if o & 3 == 0 and pointer(le32(b)):
        return CODE_POINTER if segment.is_code else POINTER, 0, 4
    if not segment.is_code:
        return PLAIN, 0, 4 - (o & 3)
    return code_unit(b, o, left, pointer)


def code_unit(b, o, left, pointer):
    operation = b[0] & 0x7F
    length = 4 if b[0] & 3 == 3 else 2
    group = 1 if length == 2 else 2 if operation in (LOAD, STORE, ADD) else 3 if operation == BRANCH else 4
    if length == 4 and o & 3 == 2 and left >= 6 and pointer(le32(b, 2)):
        return PLAIN, group, 2
    if operation == JAL:
        return CALL, group, length
    if left >= 8 and pair(b):
        return LITERAL, group, 8
    return PLAIN, group, length


def low(word):
    x = word >> 25 << 5 | word >> 7 & 31 if word & 0x7F == STORE else word >> 20
    return x - 0x1000 if x & 0x800 else x


def set_low(word, d):
    if word & 0x7F == STORE:
        return word & 0x01FFF07F | (d >> 5 & 0x7F) << 25 | (d & 31) << 7
    return word & 0x000FFFFF | d << 20 & WORD


def target(b, kind, a):
    w = le32(b)
    if kind == CALL:
        d = w >> 31 << 20 | (w >> 12 & 0xFF) << 12 | (w >> 20 & 1) << 11 | (w >> 21 & 0x3FF) << 1
        return a + (d - 0x200000 if d & 0x100000 else d) & WORD
    if kind == LITERAL:
        return a + (w & 0xFFFFF000) + low(le32(b, 4)) & WORD
    return w


def retarget(b, kind, a, t):
    w, d = le32(b), t - a & WORD
    if kind == CALL:
        if d & 1 or (d + 0x100000 & WORD) >= 0x200000:
            return None
        w = w & 0xFFF | (d >> 20 & 1) << 31 | (d >> 1 & 0x3FF) << 21 | (d >> 11 & 1) << 20 | (d >> 12 & 0xFF) << 12
        return w.to_bytes(4, "little")
    if kind == LITERAL:
        w = w & 0xFFF | d + 0x800 & 0xFFFFF000
        return w.to_bytes(4, "little") + set_low(le32(b, 4), d).to_bytes(4, "little")
    return t.to_bytes(4, "little")


def same(kind, b, made):
    if kind in (CALL, LITERAL):
        return le32(b) & 0xFFF == le32(made) & 0xFFF and (kind == CALL or pair(made))
    return le32(b) >> 22 == le32(made) >> 22


def is_function(_f, a):
    return a & 1 == 0


def field(b, length):
    """Value and scale, or None."""
    if length != 4:
        return None
    word = le32(b)
    return (low(word), 1) if has_low(word) and word & 0x7F != JALR else None


def put_field(b, _length, value):
    """b[0..3] with another value, or None if it does not fit."""
    return set_low(le32(b), value).to_bytes(4, "little") if -2048 <= value <= 2047 else None


def instruction_length(first):
    return 4 if first & 3 == 3 else 2
