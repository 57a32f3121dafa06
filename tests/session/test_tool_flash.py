# SPDX-License-Identifier: MIT
"""lifeboat flash create and status: the flash as it leaves production, and what is told about any flash."""

import fcntl
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
TABLE_MD5 = "cfe36765a6bfe1b802a2abd4ec9f6851"
TABLE_SHA256 = "5d00bd9531cff25f16312358cc7927b9d955b47cd161f2b32b4b296484a14808"
MB = 1 << 20
SLOTS = {"factory": 0x10000, "ota_0": 0x410000, "ota_1": 0x810000}


def run(*words, code=0):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def status(path, *options, code=0):
    return json.loads(run("flash", "status", path, "--json", *options, code=code).stdout)


def record(sequence, state=0xFFFFFFFF, crc=None):
    if crc is None:
        crc = zlib.crc32(struct.pack("<I", sequence), 0xFFFFFFFF)
    return struct.pack("<I20sII", sequence, b"\xff" * 20, state, crc)


def change(path, *changes):
    with open(path, "r+b") as file:
        for address, content in changes:
            file.seek(address)
            file.write(content)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Three small images with versions 1.0, 2.0 and 3.0."""
    folder = tmp_path_factory.mktemp("images")
    part = folder / "part"
    made = []
    for number in (1, 2, 3):
        part.write_bytes(bytes((i * number) & 0xFF for i in range(50000)))
        made.append(folder / f"{number}.bin")
        run("image", "make", made[-1], "--segment", f"0x400D0018={part}", "--version", f"{number}.0", "--date",
            "Apr  7 2018", "--time", "16:26:57")
    return made


@pytest.fixture
def flash(tmp_path, images):
    path = tmp_path / "module.bin"
    run("flash", "create", path, "--factory", images[0], "--ota-0", images[1], "--ota-1", images[2])
    return path


# ---- create ----


def test_flash_is_what_production_writes(flash, images):
    data = flash.read_bytes()
    assert len(data) == 16 * MB
    assert hashlib.sha256(data[0x8000:0x8C00]).hexdigest() == TABLE_SHA256
    assert data[0x80E0:0x8100] == b"\xeb\xeb" + b"\xff" * 14 + bytes.fromhex(TABLE_MD5)
    assert data[0x7000:0x8000] == data[0x8000:0x9000]
    expected = bytearray(b"\xff" * len(data))
    expected[0x7000:0x9000] = data[0x7000:0x9000]
    for address, image in zip(SLOTS.values(), images):
        content = image.read_bytes()
        expected[address:address + len(content)] = content
    assert data == expected


def test_layout_without_factory(tmp_path, images):
    path = tmp_path / "module.bin"
    run("flash", "create", path, "--layout", "7m", "--ota-0", images[0], "--ota-1", images[1])
    found = status(path)
    assert [(p["label"], p["subtype"], p["offset"], p["size"]) for p in found["table"]["partitions"]] == [
        ("nvs", "nvs", 0x9000, 0x4000), ("otadata", "ota", 0xD000, 0x2000), ("phy_init", "phy", 0xF000, 0x1000),
        ("ota_0", "ota_0", 0x10000, 7 * MB), ("ota_1", "ota_1", 0x710000, 7 * MB), ("store", "fat", 0xE10000, 0x1F0000)]
    assert (found["boot"]["partition"], found["boot"]["reason"]) == ("ota_0", "default")
    data = path.read_bytes()
    assert data[0x710000:].startswith(images[1].read_bytes())


def test_erased_flash_behind_an_image_is_left_out(tmp_path, images):
    padded = tmp_path / "padded.bin"
    padded.write_bytes(images[0].read_bytes() + b"\xff" * (5 * MB))
    path = tmp_path / "module.bin"
    run("flash", "create", path, "--factory", padded)
    assert status(path)["boot"]["partition"] == "factory"


def test_existing_file_stays_without_force(tmp_path, images):
    path = tmp_path / "module.bin"
    path.write_bytes(b"precious")
    done = run("flash", "create", path, "--factory", images[0], code=1)
    assert "exists" in done.stderr and "--force" in done.stderr
    assert path.read_bytes() == b"precious"
    run("flash", "create", path, "--factory", images[0], "--force")
    assert path.stat().st_size == 16 * MB
    assert os.listdir(tmp_path) == ["module.bin"]


def test_flash_in_use_is_not_replaced(flash, images):
    before = flash.read_bytes()
    with open(flash, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "in use" in run("flash", "create", flash, "--factory", images[1], "--force", code=1).stderr
        assert "in use" in run("flash", "status", flash, code=1).stderr
    assert flash.read_bytes() == before


def test_bad_images_make_no_file(tmp_path, images):
    good = images[0].read_bytes()
    other = tmp_path / "other.bin"
    part = tmp_path / "part"
    part.write_bytes(b"1234" * 100)
    run("image", "make", other, "--chip", "esp32c3", "--segment", f"0x42000020={part}")
    large = tmp_path / "large.bin"
    run("image", "make", large, "--segment", f"0x400D0018={part}", "--size", 4 * MB + 16)
    page = tmp_path / "page.bin"
    page.write_bytes(b"<html><body>404</body></html>")
    cut = tmp_path / "cut.bin"
    cut.write_bytes(good[:-100])
    path = tmp_path / "module.bin"
    for bad, words in ((other, "chip"), (page, "web page"), (cut, "cut off"), (tmp_path, "directory"),
                       (tmp_path / "missing", "No such file"),
                       (large, "image is 4194320 bytes, partition ota_1 holds 4194304 (ESP_ERR_INVALID_SIZE, 260)")):
        done = run("flash", "create", path, "--factory", images[0], "--ota-1", bad, code=1)
        assert words in done.stderr and done.stderr.count("\n") == 1 and str(bad) in done.stderr
        assert done.stdout == ""
        assert not path.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.bin", "large.bin", "other.bin", "page.bin", "part"]


def test_image_may_fill_its_slot(tmp_path, images):
    part = tmp_path / "part"
    part.write_bytes(b"1234")
    full = tmp_path / "full.bin"
    run("image", "make", full, "--segment", f"0x400D0018={part}", "--size", 4 * MB)
    path = tmp_path / "module.bin"
    run("flash", "create", path, "--factory", full)
    assert status(path)["slots"][0]["length"] == 4 * MB


@pytest.mark.parametrize("options", [[], ["--ota-0", "1.bin"], ["--layout", "7m"], ["--layout", "8m"],
                                     ["--layout", "7m", "--ota-0", "1.bin", "--factory", "1.bin"]])
def test_slots_have_to_suit_the_layout(tmp_path, images, options):
    options = [images[0] if word == "1.bin" else word for word in options]
    done = run("flash", "create", tmp_path / "module.bin", *options, code=2)
    assert done.stderr.splitlines()[1].startswith("Usage: lifeboat flash create")
    assert not list(tmp_path.iterdir())


def test_folder_that_is_missing_or_closed(tmp_path, images):
    assert "No such file" in run("flash", "create", tmp_path / "no" / "m.bin", "--factory", images[0], code=1).stderr


def test_esptool_reads_the_slots(flash, tmp_path):
    for label, version in (("factory", "1.0"), ("ota_1", "3.0")):
        content = flash.read_bytes()[SLOTS[label]:SLOTS[label] + 4 * MB]
        slot = tmp_path / f"{label}.bin"
        slot.write_bytes(content)
        done = subprocess.run([sys.executable, "-m", "esptool", "image-info", slot], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0 and f"App version: {version}" in done.stdout


# ---- status ----


def test_status_of_a_new_module(flash):
    before = flash.read_bytes()
    found = status(flash)
    assert found["size"] == 16 * MB
    assert found["table"]["md5"] == TABLE_MD5
    assert (found["table"]["address"], found["table"]["is_copy"]) == (0x8000, False)
    assert [p["label"] for p in found["table"]["partitions"]] == \
        ["nvs", "otadata", "phy_init", "factory", "ota_0", "ota_1", "store"]
    assert [(r["usable"], r["active"], r["slot"]) for r in found["otadata"]["records"]] == [(False, False, None)] * 2
    assert [(s["label"], s["version"], s["good"], s["empty"]) for s in found["slots"]] == \
        [("factory", "1.0", True, False), ("ota_0", "2.0", True, False), ("ota_1", "3.0", True, False)]
    assert found["slots"][0]["date"] == "Apr  7 2018" and found["slots"][0]["project"] == "ovms3"
    assert found["boot"] == {"error": None, "partition": "factory", "reason": "default", "on_trial": False,
                             "selected": "factory", "selected_error": None}
    text = run("flash", "status", flash).stdout
    assert f"MD5 {TABLE_MD5}" in text
    assert re.search(r"^  ota_1 +version 3\.0, project ovms3, Apr  7 2018 16:26:57, \d+ bytes, good$", text, re.M)
    assert text.splitlines()[-1] == "Boots:             factory: otadata selects nothing, this is the default"
    assert flash.read_bytes() == before


def test_otadata_selects(flash):
    change(flash, (0xD000, record(1)), (0xE000, record(2, state=2)))
    found = status(flash)
    assert [(r["sequence"], r["state_name"], r["usable"], r["active"], r["slot"])
            for r in found["otadata"]["records"]] == \
        [(1, "UNDEFINED", True, False, "ota_0"), (2, "VALID", True, True, "ota_1")]
    assert (found["boot"]["partition"], found["boot"]["reason"]) == ("ota_1", "selected")
    text = run("flash", "status", flash).stdout
    assert "  record 1: sequence 2 for ota_1, state VALID, usable, active" in text.splitlines()


def test_unusable_records_do_not_count(flash):
    change(flash, (0xD000, record(1, crc=0)), (0xE000, record(2, state=4)))
    found = status(flash)
    assert [r["usable"] for r in found["otadata"]["records"]] == [False, False]
    assert found["boot"]["partition"] == "factory"
    assert "state ABORTED, not usable" in run("flash", "status", flash).stdout


def test_damaged_slot_gives_way_to_factory(flash):
    change(flash, (0xD000, record(1)), (SLOTS["ota_0"] + 5000, b"\x55\xaa"))
    found = status(flash)
    assert found["slots"][1]["good"] is False and found["slots"][1]["error"]["name"].startswith("LB_ERR_IMAGE_")
    assert (found["boot"]["partition"], found["boot"]["reason"]) == ("factory", "fallback_factory")
    assert found["boot"]["selected"] == "ota_0" and found["boot"]["selected_error"] is not None
    assert "since ota_0 does not boot" in run("flash", "status", flash).stdout


def test_other_slot_boots_without_factory(flash):
    change(flash, (SLOTS["factory"], b"\0"))
    assert status(flash)["boot"]["reason"] == "fallback_other"


def test_nothing_boots(flash):
    change(flash, *[(address, b"\xff" * 4096) for address in SLOTS.values()])
    found = status(flash, code=3)
    assert [s["empty"] for s in found["slots"]] == [True] * 3
    assert found["boot"]["error"]["name"] == "LB_ERR_NOTHING_BOOTS"
    done = run("flash", "status", flash, code=3)
    assert "Boots:             nothing" in done.stdout and done.stderr.startswith("Error: ")


def test_copy_of_the_table_is_used_and_told(flash):
    change(flash, (0x8010, b"X"))
    found = status(flash)
    assert found["table"]["is_copy"] and found["table"]["first_error"]["name"] == "LB_ERR_TABLE_MD5"
    assert "this is the copy" in run("flash", "status", flash).stdout
    change(flash, (0x7010, b"X"))
    found = status(flash, code=3)
    assert found["table"]["error"]["name"] == "LB_ERR_TABLE_MD5" and found["slots"] == []


def test_image_for_another_chip_does_not_boot(flash):
    found = status(flash, "--chip", "esp32s3", code=3)
    assert {s["error"]["name"] for s in found["slots"]} == {"LB_ERR_IMAGE_CHIP"}


def test_labels_cannot_steer_the_terminal(tmp_path, flash):
    table = bytearray(flash.read_bytes()[0x8000:0x80E0])
    table[6 * 32 + 12:6 * 32 + 28] = b"\x1b[2Jst\xc3\xb6re\0\0\0\0\0\0"[:16]
    change(flash, (0x8000, table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()))
    done = subprocess.run([BINARY, "flash", "status", flash], capture_output=True, timeout=60)
    assert done.returncode == 0 and b"\x1b" not in done.stdout and b"?[2Jst??re" in done.stdout
    assert status(flash)["table"]["partitions"][6]["label"] == "?[2Jst??re"


@pytest.mark.parametrize("size", [4, 8, 32])
def test_dumps_of_other_sizes(tmp_path, flash, size):
    path = tmp_path / "dump.bin"
    rows = [(0, 0, 0x10000, 0x100000, b"factory"), (1, 2, 0x9000, 0x4000, b"nvs")]
    table = b"".join(struct.pack("<HBBII16sI", 0x50AA, *row, 0) for row in rows)
    data = bytearray(b"\xff" * (size * MB))
    data[0x8000:0x8000 + len(table)] = table
    image = flash.read_bytes()[SLOTS["factory"]:SLOTS["factory"] + 0x100000]
    data[0x10000:0x110000] = image
    path.write_bytes(data)
    found = status(path)
    assert found["size"] == size * MB and found["table"]["md5"] is None
    assert found["otadata"]["error"]["name"] == "LB_ERR_NO_OTADATA"
    assert found["boot"]["partition"] == "factory"


def test_what_is_no_flash(tmp_path, images):
    for path, words in ((tmp_path / "missing", "does not exist"), (tmp_path, "no ordinary file"),
                        (images[0], "wrong size")):
        done = run("flash", "status", path, code=1)
        assert words in done.stderr and done.stdout == ""
    blank = tmp_path / "blank.bin"
    blank.write_bytes(b"\xff" * (16 * MB))
    assert status(blank, code=3)["table"]["error"]["name"] == "LB_ERR_TABLE_EMPTY"
    blank.write_bytes(bytes(16 * MB))
    assert status(blank, code=3)["table"]["error"]["name"] == "LB_ERR_TABLE_MAGIC"


def test_status_reads_a_file_without_write_permission(flash):
    flash.chmod(0o444)
    assert status(flash)["boot"]["partition"] == "factory"
