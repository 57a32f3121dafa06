# SPDX-License-Identifier: MIT
from .header import DIGEST
from .image import Image


def images(header, base):
    """The base as an image, and the result, of which nothing is there yet."""
    most = header.profile_sizes.segments
    old = Image(base, len(base), header.walker_rules, most if len(base) >= DIGEST else 0)
    old.look()
    return old, Image(bytearray(), header.result_length, header.walker_rules, most)
