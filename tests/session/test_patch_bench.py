# SPDX-License-Identifier: MIT
"""The arithmetic of `make bench-patch`, and what it reads from GNU time and callgrind; no package of its own is needed."""

import hashlib
import sys
from pathlib import Path

import pytest

from image_builder import build_image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from patch import goals, pairs, run  # noqa: E402 (they lie in bench/)


def sizes(hdiffpatch, default, small):
    return {"hdiffpatch": hdiffpatch, "default": default, "small": small}


def test_mean_is_geometric():
    measured = [sizes(1000, 100, 400), sizes(100000, 40000, 10000)]
    assert goals.last_line(measured) == "geometric mean against hdiffpatch: 10 KB 0.200, 2.5 KB 0.200"


def test_mean_without_one_patch_is_no_number():
    measured = [sizes(1000, 100, None), sizes(1000, 100, 100)]
    assert goals.last_line(measured) == "geometric mean against hdiffpatch: 10 KB 0.100, 2.5 KB -"


def test_goals():
    measured = [sizes(93, 249, 249), sizes(20000, 1000, 21000)]  # a pair below 10 KB may be worse
    judged = [goal.is_met for goal in goals.judge(measured, [1.05, 1.2], [150, 80], [(9.9, 299_000_000)])]
    assert judged == [False, False, True, False, False, True, True, True]
    assert [goal.is_met for goal in goals.judge([], [], [], [])] == [None] * 8
    assert goals.judge(measured, [None], [151], [(1.0, None)])[4].is_met is None
    assert goals.judge(measured, [], [151], [])[5].is_met is False


def test_tiny_changes_are_sound_images(tmp_path):
    image = build_image("3.1.003", size=20000)
    assert pairs.sealed(image) == image
    version, relinked = pairs.tiny_changes(image, tmp_path)
    for pair in (version, relinked):
        new = pair.new.read_bytes()
        assert new[-32:] == hashlib.sha256(new[:-32]).digest()
        assert pairs.has_description(new) and new != image and len(new) == len(image)
    differing = {at for at in range(len(image)) if image[at] != version.new.read_bytes()[at]}
    assert differing <= set(range(48, 80)) | set(range(len(image) - 33, len(image)))


def test_pairs_in_a_folder(tmp_path):
    with pytest.raises(pairs.Missing):
        pairs.in_folder(tmp_path)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "old.bin").write_bytes(b"a")
    (tmp_path / "whole").mkdir()
    for name in ("old.bin", "new.bin"):
        (tmp_path / "whole" / name).write_bytes(b"a")
    assert [pair.name for pair in pairs.in_folder(tmp_path)] == ["whole"]


def test_no_firmware_says_what_to_do(tmp_path):
    with pytest.raises(pairs.Missing, match="PAIRS=DIR"):
        pairs.of_firmware(None)
    with pytest.raises(pairs.Missing, match="lacks ovms-3.3.003-585.bin"):
        pairs.of_firmware(tmp_path)


def test_reading_of_time_and_callgrind():
    assert run.usage_of("Command was told something\n1.50 0.25 2048\n") == run.Usage(1.75, 2048 * 1024)
    assert run.instructions_of("==1== Events    : Ir\n==1== Collected : 1234567\n") == 1234567
    with pytest.raises(run.Failure):
        run.instructions_of("==1== nothing")
