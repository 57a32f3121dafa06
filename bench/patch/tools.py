# SPDX-License-Identifier: MIT
"""The tools that are compared, each with the commands that make and apply its patches."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

PEER = str(Path(__file__).resolve().parent / "hdiffpatch_peer.py")
DETOOLS = (sys.executable, "-m", "detools")

# How HDiffPatch is asked for its smallest: the package hdiffpatch in both of its formats with each compressor at its
# best level, and the same library within detools, which can set the score that a match has to reach.
FULL = ("lzma", "lzma2", "xz", "brotli", "zstd", "bzip2", "lzham", "zlib")
LITE = ("lzma", "bzip2", "brotli", "zstd")
MATCH_SCORES = (2, 3, 6, 9)


@dataclass(frozen=True)
class Way:
    """One way to make a patch. {old}, {new}, {patch} and {out} in the commands stand for files."""

    name: str
    make: tuple
    apply: tuple
    to_stdout: bool = False  # the program writes to stdout, not into a file


@dataclass(frozen=True)
class Tool:
    name: str
    ways: tuple  # the one that makes the smallest patch counts
    is_counted: bool = False  # its instructions are counted, being a program of its own that is quick enough for that
    idle: tuple = ()  # what the applying program does without a patch: its memory then is no part of its state


@dataclass
class Result:
    """What a tool did for one pair. None: not measured."""

    size: int = None
    seconds: float = None
    memory: int = None
    instructions: float = None  # for each byte of the result
    state: int = None
    state_is_measured: bool = True  # at the peak of applying it; else what the patch itself announces
    way: str = ""
    patch: Path = None
    faults: list = field(default_factory=list)


def commands(words, **files):
    return [str(word).format(**files) for word in words]


def hdiffpatch_ways():
    ways = []
    for form, compressors in (("full", FULL), ("lite", LITE)):
        for compressor in compressors:
            ways.append(Way(f"{form} {compressor}",
                            (sys.executable, PEER, "make", form, compressor, "{old}", "{new}", "{patch}"),
                            (sys.executable, PEER, "apply", form, "{old}", "{patch}", "{out}")))
    for score in MATCH_SCORES:
        ways.append(Way(f"lzma, score {score}",
                        (*DETOOLS, "create_patch", "--patch-type", "hdiffpatch", "--algorithm", "hdiffpatch",
                         "--compression", "lzma", "--match-score", score, "{old}", "{new}", "{patch}"),
                        (*DETOOLS, "apply_patch", "{old}", "{patch}", "{out}")))
    return tuple(ways)


def detools(compression):
    way = Way("", (*DETOOLS, "create_patch", "--compression", compression, "{old}", "{new}", "{patch}"),
              (*DETOOLS, "apply_patch", "{old}", "{patch}", "{out}"))
    return Tool(f"detools {compression}", (way,), idle=(*DETOOLS, "--version"))


HDIFFPATCH = Tool("hdiffpatch's smallest", hdiffpatch_ways(), idle=(sys.executable, PEER, "idle"))
XZ = Tool("xz -9e of the new file",
          (Way("", ("xz", "-9e", "--stdout", "{new}"), ("xz", "--decompress", "--stdout", "{patch}"), to_stdout=True),),
          is_counted=True, idle=("xz", "--version"))
OTHERS = (
    XZ,
    Tool("bsdiff", (Way("", ("bsdiff", "{old}", "{new}", "{patch}"), ("bspatch", "{old}", "{out}", "{patch}")),),
         is_counted=True),
    Tool("xdelta3 -9", (Way("", ("xdelta3", "-9", "-e", "-s", "{old}", "{new}", "{patch}"),
                            ("xdelta3", "-d", "-s", "{old}", "{patch}", "{out}")),),
         is_counted=True, idle=("xdelta3", "config")),
    Tool("zstd --patch-from -22", (Way("", ("zstd", "-q", "--ultra", "-22", "--long=27", "--patch-from={old}", "{new}",
                                            "-o", "{patch}"),
                                       ("zstd", "-q", "-d", "--long=27", "--patch-from={old}", "{patch}",
                                        "-o", "{out}")),),
         is_counted=True, idle=("zstd", "--version")),
    detools("lzma"),
    detools("heatshrink"),
    HDIFFPATCH,
)


def ours(binary, profile):
    way = Way("", (binary, "patch", "make", "{old}", "{new}", "{patch}", "--profile", profile),
              (binary, "patch", "apply", "{old}", "{patch}", "{out}"))
    return Tool(f"lifeboat, {profile}", (way,), is_counted=True)
