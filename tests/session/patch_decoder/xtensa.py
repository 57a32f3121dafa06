# SPDX-License-Identifier: MIT
"""Walker 1: instructions of two or three bytes."""

from .entropy import WORD
from .image import le16, le32
from .units import CALL, CODE_POINTER, LITERAL, PLAIN, POINTER

IS_XTENSA = True
MASK = 15
SCALES = [1, 2, 4, 0, 1, 2, 4, 0, 0, 2, 1, 0, 1, 0, 0, 0]  # 0: no field
THIRD_BYTES = (0, 0x10, 0x20, 0x30, 0x40, 0x80, 0xC0)  # third bytes of instructions that begin with 0


def is_code(load):
    return 0x40000000 <= load < 0x44000000 and load != 0x400C0000


def in_span(v):
    return 0x3C000000 <= v < 0x50010000


def room(load):
    return 0x20000 if 0x3FC00000 <= load < 0x40000000 else 0


def unit(b, o, segment, pointer):
    """Kind, class and length of the unit at offset o, whose bytes are b."""
    left = segment.offset + segment.length - o
    if left < 4:
        return PLAIN, 0, min(left, 4 - (o & 3))
    if not segment.is_code:
        return data_unit(b, o, left, pointer)
    if o & 3 == 0 and pointer(le32(b)):
        return CODE_POINTER, 0, 4
    return code_unit(b, o, pointer)


def data_unit(b, o, left, pointer):
    if pointer(le32(b)):
        return POINTER, 0, 4
    if o & 3 == 0:
        for i in (1, 2, 3):
            if i + 4 < left and pointer(le32(b, i)):
                return PLAIN, 0, i
    return PLAIN, 0, 4 - (o & 3)


def code_unit(b, o, pointer):
    operation = b[0] & 15
    length = 2 if operation >= 8 else 3
    kind = CALL if operation == 5 else LITERAL if operation == 1 else PLAIN
    w = 4 - (o & 3)
    if w < length and (is_function(b[w:], 0) or pointer(le32(b, w))):
        kind, length = PLAIN, w
    elif length == 3 and b[0] == 0 and b[2] not in THIRD_BYTES:
        kind, length = PLAIN, 1
    if length < 3:
        return kind, 1 if length == 2 else 5, length
    return kind, 2 if operation == 2 else 4 if operation == 0 else 3, length


def target(b, kind, a):
    if kind == CALL:
        d = (b[0] | b[1] << 8 | b[2] << 16) >> 6
        if d & 0x20000:
            d -= 0x40000
        return (a & ~3) + 4 + 4 * d & WORD
    if kind == LITERAL:
        return (a + 3 & ~3) + ((le16(b, 1) | 0xFFFF0000) << 2) & WORD
    return le32(b)


def retarget(b, kind, a, t):
    if kind == CALL:
        d = t - ((a & ~3) + 4) & WORD
        if d & 3 or (d + 0x80000 & WORD) >= 0x100000:
            return None
        return bytes([b[0] & 0x3F | (d >> 2 & 3) << 6, d >> 4 & 255, d >> 12 & 255])
    if kind == LITERAL:
        d = t - (a + 3 & ~3) & WORD
        if d & 3 or d < 0xFFFC0000:
            return None
        return bytes([b[0]]) + (d >> 2 & 0xFFFF).to_bytes(2, "little")
    return t.to_bytes(4, "little")


def same(kind, b, made):
    if kind == CALL:
        return b[0] & 63 == made[0] & 63
    if kind == LITERAL:
        return b[0] == made[0]
    return le32(b) >> 22 == le32(made) >> 22


def is_function(f, a):
    return a & 3 == 0 and f[0] == 0x36 and f[1] & 15 == 1


def field(b, length):
    """Value and scale, or None."""
    operation = b[0] & 15
    k = b[1] >> 4
    if length == 3 and operation == 2 and SCALES[k]:
        return ((b[1] & 15) << 8 | b[2] if k == 10 else b[2] * SCALES[k]), SCALES[k]
    if length == 2 and operation in (8, 9):
        return 4 * k, 4
    return None


def put_field(b, length, value):
    """b[0..length-1] with another value, or None if it does not fit."""
    _, scale = field(b, length)
    if value < 0 or value % scale:
        return None
    x = value // scale
    k = b[1] >> 4
    if length == 2:
        return bytes([b[0], b[1] & 15 | x << 4]) if x < 16 else None
    if k == 10:
        return bytes([b[0], b[1] & 0xF0 | x >> 8, x & 255]) if x < 4096 else None
    return bytes([b[0], b[1], x]) if x < 256 else None


def instruction_length(first):
    return 2 if first & 15 >= 8 else 3
