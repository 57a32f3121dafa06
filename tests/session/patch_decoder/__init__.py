# SPDX-License-Identifier: MIT
"""A second decoder of patches, made from docs/patch-format.md and nothing else: slow, and for tests."""

import hashlib
import zlib
from functools import reduce
from operator import xor

from .entropy import RangeDecoder
from .errors import PatchError, corrupt
from .header import DIGEST, HEADER, read_header
from .setup import images
from .stream import Stream

__all__ = ["PatchError", "apply_patch", "with_end"]


def apply_patch(patch, base):
    """The result of a patch, or PatchError. The base may be longer than the patch says."""
    header = read_header(patch)
    base = base_of(header, base)
    decoder = RangeDecoder(patch, HEADER)
    old, new = images(header, base)
    Stream(decoder, header.profile_sizes, header.walker_rules, old, new).body(header.body_length)
    result = with_end(header, new)
    digest = result[-DIGEST:] if header.tail else hashlib.sha256(result).digest()
    if digest != header.result_digest:
        raise PatchError("LB_ERR_PATCH_DIGEST")
    if not decoder.at_end:
        raise corrupt()
    if zlib.crc32(patch[:6] + patch[10:]) != header.crc:
        raise PatchError("LB_ERR_PATCH_CRC")
    return result


def base_of(header, base):
    base = bytes(base[:header.base_length])
    if len(base) < header.base_length:
        raise PatchError("LB_ERR_PATCH_BASE")
    if base:
        digest = hashlib.sha256(base[:-DIGEST] if header.base_sealed else base).digest()
        if digest[:16] != header.base_digest or header.base_sealed and digest != base[-DIGEST:]:
            raise PatchError("LB_ERR_PATCH_BASE")
    return base


def with_end(header, new):
    """The body with what is computed behind it."""
    if not header.tail:
        return bytes(new.data)
    body = bytes(new.data)
    checksum = 0xEF
    for segment in new.segments:
        checksum = reduce(xor, body[segment.offset:segment.offset + segment.length], checksum)
    whole = body + bytes(header.tail - 1) + bytes([checksum])
    return whole + hashlib.sha256(whole).digest()
