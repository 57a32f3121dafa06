# SPDX-License-Identifier: MIT
"""A patch made on a PC decodes to the same bytes on a processor of 32 bits: in the board's memory, from its card.

The board compares the SHA-256 of what comes out with the one in the patch. Set LIFEBOAT_FIRMWARE to a folder with real
OVMS firmware, and images for another processor go through it as well.
"""

import os
import re
from pathlib import Path

import pytest
from board_flash import DECODING, FIRST, SECOND, done

FIRMWARE = os.environ.get("LIFEBOAT_FIRMWARE")
NOTHING = Path("-")
MINUTES = 240


def decode(bench, tmp_path, old, new, profile):
    """Returns how many bytes the patch has, and the milliseconds that it took on the board."""
    path = tmp_path / "new.patch"
    done("patch", "make", old, new, path, "--profile", profile)
    data = path.read_bytes()
    files = {"new.patch": data}
    if old != NOTHING:
        files["old.bin"] = old.read_bytes()
    bench.create(factory=DECODING).insert(files)
    base = NOTHING if old == NOTHING else "/sd/old.bin"
    with bench.power_on() as board:
        (row,) = board.command(f"test decode {base} /sd/new.patch", timeout=MINUTES)
        told = re.fullmatch(r"(\d+) bytes made of (\d+) in (\d+) ms", row)
        assert told and [int(told[1]), int(told[2])] == [new.stat().st_size, len(data)], row
        return len(data), int(told[3])


@pytest.mark.parametrize("profile", ["default", "small"])
@pytest.mark.parametrize("old", [FIRST.path, NOTHING])
def test_own_firmware(bench, tmp_path, old, profile):
    decode(bench, tmp_path, old, SECOND.path, profile)


def test_a_wrong_base(bench, tmp_path):
    path = tmp_path / "new.patch"
    done("patch", "make", FIRST.path, SECOND.path, path)
    bench.create(factory=DECODING).insert({"new.patch": path.read_bytes(), "old.bin": SECOND.bytes})
    with bench.power_on() as board:
        (row,) = board.command("test decode /sd/old.bin /sd/new.patch")
        assert row.startswith("Error: ") and "patch" in row, row


@pytest.mark.skipif(not FIRMWARE, reason="LIFEBOAT_FIRMWARE is not set")
@pytest.mark.parametrize("old, new, profile", [("600", "601", "default"), ("600", "601", "small"),
                                               ("585", "658", "default"), (None, "601", "default")])
def test_real_firmware(bench, tmp_path, record_property, old, new, profile):
    images = {path.stem[-3:]: path for path in Path(FIRMWARE).glob("*.bin")}
    if not {new, old or new} <= images.keys():
        pytest.skip(f"LIFEBOAT_FIRMWARE lacks {old} or {new}")
    size, took = decode(bench, tmp_path, images[old] if old else NOTHING, images[new], profile)
    record_property("size", size)
    record_property("milliseconds", took)
    print(f"{old} -> {new}, {profile}: {size} bytes, {took} ms on the emulated board")
