# SPDX-License-Identifier: MIT
"""The package hdiffpatch as a program of its own, so that its seconds and memory can be measured.

usage: hdiffpatch_peer.py make full|lite COMPRESSOR OLD NEW PATCH
       hdiffpatch_peer.py apply full|lite OLD PATCH OUT
       hdiffpatch_peer.py idle
"""

import sys
from pathlib import Path

import hdiffpatch

BEST = {
    "lzma": hdiffpatch.LzmaConfig(level=9, window=24),
    "lzma2": hdiffpatch.Lzma2Config(level=9, window=24),
    "xz": hdiffpatch.XzConfig(level=9, window=24),
    "brotli": hdiffpatch.BrotliConfig(level=11, window=24),
    "zstd": hdiffpatch.ZStdConfig(level=22, window=24),
    "bzip2": hdiffpatch.BZip2Config(level=9),
    "lzham": hdiffpatch.LzhamConfig(level=5, window=24),
    "zlib": hdiffpatch.ZlibConfig(level=9),
}


def make(form, compressor, old, new, patch):
    before, after = Path(old).read_bytes(), Path(new).read_bytes()
    if form == "lite":
        made = hdiffpatch.diff_lite(before, after, compression=BEST[compressor], validate=False)
    else:
        made = hdiffpatch.diff(before, after, BEST[compressor], validate=False)
    Path(patch).write_bytes(made)


def apply(form, old, patch, out):
    used = hdiffpatch.apply_lite if form == "lite" else hdiffpatch.apply
    Path(out).write_bytes(used(Path(old).read_bytes(), Path(patch).read_bytes()))


if __name__ == "__main__":
    {"make": make, "apply": apply, "idle": lambda: None}[sys.argv[1]](*sys.argv[2:])
