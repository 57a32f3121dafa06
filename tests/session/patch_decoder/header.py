# SPDX-License-Identifier: MIT
import struct
from dataclasses import dataclass

from . import riscv, xtensa
from .errors import PatchError
from .profiles import PROFILES

HEADER = 66
DIGEST = 32
MOST = 1 << 24
WALKERS = [None, xtensa, riscv]


@dataclass(frozen=True)
class Header:
    profile: int
    walker: int
    tail: int
    base_sealed: bool
    crc: int
    base_length: int
    result_length: int
    base_digest: bytes
    result_digest: bytes

    @property
    def body_length(self):
        return self.result_length - self.tail - DIGEST if self.tail else self.result_length

    @property
    def profile_sizes(self):
        return PROFILES[self.profile]

    @property
    def walker_rules(self):
        return WALKERS[self.walker]


def read_header(patch):
    if len(patch) < HEADER:
        raise PatchError("LB_ERR_PATCH_TRUNCATED")
    magic, version, kinds, ends, crc, base_length, result_length, base_digest, result_digest = struct.unpack_from(
        "<3sBBBIII16s32s", patch)
    if magic != b"LBP":
        raise PatchError("LB_ERR_PATCH_MAGIC")
    if version != 1:
        raise PatchError("LB_ERR_PATCH_VERSION")
    header = Header(kinds & 15, kinds >> 4, ends & 31, bool(ends & 0x80), crc, base_length, result_length,
                    base_digest, result_digest)
    if (header.profile not in PROFILES or header.walker >= len(WALKERS) or header.tail > 16 or ends & 0x60
            or max(base_length, result_length) > MOST or header.base_sealed and base_length < DIGEST
            or header.tail and result_length < header.tail + DIGEST):
        raise PatchError("LB_ERR_PATCH_HEADER")
    return header
