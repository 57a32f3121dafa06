# SPDX-License-Identifier: MIT
"""lifeboat image diff, and what image info says besides: against esptool, cmp and counts of the test's own."""

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from image_builder import CHIPS, SEGMENT_HEADER_SIZE, build_image, seal

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
FIRMWARE = Path(os.environ.get("LIFEBOAT_FIRMWARE", "/nowhere"))
SECTOR = 4096


def run(*words, code=0):
    done = subprocess.run([BINARY, "image", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def info(path, code=0):
    return json.loads(run("info", path, "--json", code=code).stdout)


def esptool(path):
    done = subprocess.run([sys.executable, "-m", "esptool", "image-info", path], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def diff(tmp_path):
    """diff(A, B): the JSON of two images given as bytes or paths."""

    def compare(a, b, code=1):
        paths = []
        for name, content in (("a", a), ("b", b)):
            path = content
            if isinstance(content, bytes):
                path = tmp_path / name
                path.write_bytes(content)
            paths.append(path)
        done = run("diff", *paths, "--json", code=code)
        text = run("diff", *paths, code=code).stdout
        found = json.loads(done.stdout)
        assert found["equal"] == (code == 0) == ("The images are equal." in text)
        totals = [sum(segment[key] for segment in found["segments"]) for key in ("equal", "moved", "different")]
        assert totals == [found["bytes"][key] for key in ("equal", "moved", "different")]
        if found["b"]["good"]:
            assert sum(totals) == sum(s["b"]["length"] for s in found["segments"] if s["b"])
        return found

    return compare


def segments(image):
    """[load address, data] of each."""
    found, offset = [], 24
    for _ in range(image[1]):
        load, length = struct.unpack_from("<II", image, offset)
        found.append([load, image[offset + SEGMENT_HEADER_SIZE:offset + SEGMENT_HEADER_SIZE + length]])
        offset += SEGMENT_HEADER_SIZE + length
    return found


def assemble(image, parts):
    header = image[:1] + bytes([len(parts)]) + image[2:24]
    return seal(header + b"".join(struct.pack("<II", load, len(data)) + data for load, data in parts))


def sectors_that_differ(a, b):
    pieces = [(a[i:i + SECTOR][:len(b[i:i + SECTOR])], b[i:i + SECTOR]) for i in range(0, len(b), SECTOR)]
    return sum(one != two for one, two in pieces), len(pieces)


# ---- diff ----


def test_equal_images(diff):
    image = build_image("1.0", size=65536)
    found = diff(image, image, code=0)
    assert found["fields"] == [] and found["sectors"] == {"total": 16, "differ": 0, "bytes": 0}
    assert all(s["first_difference"] is None and s["moved"] == s["different"] == 0 for s in found["segments"])


def test_erased_flash_behind_an_image_is_no_difference(diff):
    image = build_image("1.0", size=65536)
    assert diff(image, image + b"\xff" * 5000, code=0)["b"]["length"] == 65536


def test_one_byte(diff):
    a = build_image("1.0", size=65536)
    parts = segments(a)
    changed = bytearray(parts[2][1])
    changed[1000] ^= 0x40
    b = assemble(a, [*parts[:2], [parts[2][0], bytes(changed)]])
    found = diff(a, b)
    assert [(s["address"], s["equal"], s["moved"], s["different"]) for s in found["segments"]] == [
        (load, len(data) - (i == 2), 0, int(i == 2)) for i, (load, data) in enumerate(parts)]
    offset = found["segments"][2]["b"]["offset"] + 1000
    assert found["segments"][2]["first_difference"] == {"offset": offset, "address": parts[2][0] + 1000}
    assert a[offset] ^ b[offset] == 0x40 and a[:offset] == b[:offset]
    assert [field["name"] for field in found["fields"]] == ["checksum", "sha256"]
    assert found["fields"][1]["b"] == b[-32:].hex()
    # the sector of the byte, and the one of checksum and digest
    assert found["sectors"] == {"total": 16, "differ": 2, "bytes": 2 * SECTOR}


def test_fields(diff):
    a = build_image("1.0", size=65536, seed=1, date="Apr  7 2018", secure_version=1)
    b = build_image("1.1", "other", size=65536, seed=1, date="Apr  8 2018", secure_version=2, min_revision=301,
                    flash_size=2)
    found = {(f["group"], f["name"]): (f["a"], f["b"]) for f in diff(a, b)["fields"]}
    assert found.pop(("description", "elf_sha256"))[0] == a[32 + 144:32 + 176].hex()
    assert found.pop(("end", "sha256")) == (a[-32:].hex(), b[-32:].hex())
    found.pop(("end", "checksum"), None)
    assert found == {("header", "flash_size"): ("16MB (4)", "4MB (2)"), ("header", "min_revision"): ("0", "301"),
                     ("description", "version"): ("1.0", "1.1"), ("description", "project"): ("ovms3", "other"),
                     ("description", "date"): ("Apr  7 2018", "Apr  8 2018"),
                     ("description", "secure_version"): ("1", "2")}


def test_moved_bytes(diff):
    """A piece in the middle of a segment goes; what is behind it moves forward, addresses and all."""
    a = build_image("1.0", size=65536)
    parts = segments(a)
    load, data = parts[2]
    b = assemble(a, [*parts[:2], [load, data[:2000] + data[2400:]]])
    found = diff(a, b)["segments"]
    assert [s["moved"] for s in found[:2]] == [0, 0]
    equal = 2000 + sum(x == y for x, y in zip(data[2000:], data[2400:]))
    assert (found[2]["equal"], found[2]["moved"], found[2]["different"]) == (equal, len(data) - 400 - equal, 0)
    first = next(i for i in range(2000, len(data)) if data[i] != data[i + 400])
    assert found[2]["first_difference"]["address"] == load + first


def test_moved_to_another_segment(diff):
    a = build_image("1.0", size=65536)
    parts = segments(a)
    b = assemble(a, [parts[0], [parts[1][0], parts[2][1][:8000]], parts[2]])
    found = diff(a, b)["segments"][1]
    assert found["different"] == 0 and found["moved"] > 7900


def test_segments_are_compared_by_address(diff):
    """The same memory, cut into segments otherwise: nothing differs but the header."""
    a = build_image("1.0", size=65536)
    parts = segments(a)
    load, data = parts[1]
    b = assemble(a, [parts[0], [load, data[:4000]], [load + 4000, data[4000:]], parts[2]])
    found = diff(a, b)
    assert found["bytes"]["moved"] == found["bytes"]["different"] == 0
    assert [s["a"] is None for s in found["segments"]] == [False, False, True, False]
    found = diff(b, a)
    assert found["bytes"]["different"] == 0
    assert [s["b"] is None for s in found["segments"]] == [False, False, False, True]
    assert found["segments"][3]["address"] == load + 4000


def test_padding_segments_are_paired_in_order(diff):
    a = build_image("1.0", size=65536)
    parts = segments(a)
    a = assemble(a, [*parts, [0, bytes(400)], [0, b"\x01" * 400]])
    b = assemble(a, [*parts, [0, bytes(400)], [0, b"\x02" * 400]])
    assert [s["different"] for s in diff(a, b)["segments"]] == [0, 0, 0, 0, 400]


def test_longer_and_shorter(diff):
    a, b = build_image("1.0", size=65536), build_image("1.0", size=98304)
    for one, two in ((a, b), (b, a)):
        differ, total = sectors_that_differ(one, two)
        assert diff(one, two)["sectors"] == {"total": total, "differ": differ, "bytes": differ * SECTOR}


def test_bad_images_are_compared_as_far_as_they_go(diff):
    a = build_image("1.0", size=65536)
    found = diff(a, a[:40000])
    assert found["b"]["good"] is False and found["b"]["error"]["name"] == "LB_ERR_IMAGE_TRUNCATED"
    assert found["a"]["good"] is True and found["b"]["length"] == 40000
    flipped = a[:50000] + bytes([a[50000] ^ 1]) + a[50001:]
    found = diff(a, flipped)
    assert found["bytes"]["different"] == 1 and found["sectors"]["differ"] == 1


def test_every_cut_is_survived(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    image = build_image("1.0", size=2048)
    a.write_bytes(image)
    for length in [*range(0, 340, 3), *range(340, 2048, 101)]:
        b.write_bytes(image[:length])
        for words in ((a, b), (b, a)):
            done = run("diff", *words, code=1 if length >= 24 else 2)
            assert length >= 24 or done.stderr.startswith("Error: ")


def test_what_cannot_be_compared(tmp_path):
    image, page = tmp_path / "image", tmp_path / "page"
    image.write_bytes(build_image("1.0", size=4096))
    page.write_bytes(b"<html>")
    for words in ((image, page), (page, image), (image, tmp_path / "missing"), (image, tmp_path), (image,), ()):
        done = run("diff", *words, code=2)
        assert done.stderr.startswith("Error: ") and done.stdout == ""
    assert "2 if they could not be compared" in run("diff", "--help").stdout


def test_other_chips(diff):
    a, b = build_image("1.0", size=4096, chip="esp32s3"), build_image("1.0", size=4096, chip="esp32c3")
    assert {"group": "header", "name": "chip", "a": "esp32s3 (9)", "b": "esp32c3 (5)"} in diff(a, b)["fields"]


def test_real_firmware(diff):
    names = [FIRMWARE / f"ovms-3.3.003-{number}.bin" for number in (601, 608)]
    if not all(name.exists() for name in names):
        pytest.skip("LIFEBOAT_FIRMWARE has no real images")
    found = diff(*names)
    differ, total = sectors_that_differ(*(name.read_bytes() for name in names))
    assert found["sectors"] == {"total": total, "differ": differ, "bytes": differ * SECTOR}
    # neighbouring builds: most of the second is somewhere in the first
    assert found["bytes"]["different"] < 0.2 * sum(found["bytes"].values())


# ---- info: all that esptool says ----


def compare_with_esptool(path):
    told, found = esptool(path), info(path)
    text = run("info", path).stdout
    one = lambda pattern: re.search(pattern, told, re.M)[1]  # noqa: E731
    assert int(one(r"^WP pin: (0x\w+)"), 16) == found["wp_pin"]
    assert ("(disabled)" in told) == ("(disabled)" in text)
    drives = re.findall(r"(\w+)_drv: (0x\w+)", told)
    assert {name: int(value, 16) for name, value in drives} == found["pin_drives"] and len(drives) == 6
    assert int(one(r"^Segments: (\d+)")) == found["segment_count"]
    assert int(one(r"^Image size: (\d+)")) == found["file_size"]
    assert int(one(r"^Entry point: (0x\w+)"), 16) == found["entry"]
    assert one(r"^Flash size: (\w+)") == found["flash_size"]
    assert one(r"^Flash freq: (\w+)") == found["flash_frequency"]
    assert one(r"^Flash mode: (\w+)").lower() == found["flash_mode"]
    assert int(one(r"^Chip ID: (\d+)")) == found["chip_id"]
    assert one(r"^Minimal chip revision: v([\d.]+)") == f"{found['min_revision'] // 100}.{found['min_revision'] % 100}"
    assert one(r"^Maximal chip revision: v([\d.]+)") == f"{found['max_revision'] // 100}.{found['max_revision'] % 100}"
    assert int(one(r"legacy min_rev = (\d+)")) == found["min_revision_legacy"]
    rows = re.findall(r"^ +\d+ +0x\w+ +(0x\w+) +0x\w+ +(.*?) *$", told, re.M)
    assert [(int(address, 16), names) for address, names in rows] == [
        (segment["address"], segment["memory"]) for segment in found["segments"]]
    assert f"Checksum: 0x{found['checksum']:02x} (valid)" in told
    assert f"Validation hash: {found['sha256_computed']} (valid)" in told
    if found["description"]:
        for words, key in ((r"^Minimal", "min"), (r"^Maximal", "max")):
            value = found[f"{key}_efuse_revision"]
            assert one(words + r" eFuse block revision: ([\d.]+)") == f"{value // 100}.{value % 100}"
        page = re.search(r"^MMU page size: (\d+) KB", told, re.M)
        assert found["mmu_page_size"] == (int(page[1]) * 1024 if page else 0)
        assert one(r"^Secure version: (\d+)") == str(found["description"]["secure_version"])
    return found


@pytest.mark.parametrize("chip", CHIPS)
def test_info_agrees_with_esptool(tmp_path, chip):
    image = bytearray(build_image("1.0", size=4096, chip=chip, min_revision=103, secure_version=7))
    image[8:12] = b"\x12\x21\x43\x65"
    struct.pack_into("<HHB", image, 32 + 176, 1, 199, 16)
    path = tmp_path / "image.bin"
    path.write_bytes(seal(bytes(image)))
    found = compare_with_esptool(path)
    assert (found["min_efuse_revision"], found["max_efuse_revision"], found["mmu_page_size"]) == (1, 199, 65536)
    assert found["pin_drives"] == {"clk": 1, "q": 2, "d": 3, "cs0": 4, "hd": 5, "wp": 6} and found["sectors"] == 1
    assert "eFuse revisions:   from v0.1 up to v1.99" in run("info", path).stdout


def test_memories_are_esptools(tmp_path):
    """Each border of each memory that esptool knows, as the address of a segment."""
    script = ("import importlib, json\nmaps = {}\nfor chip in " + repr(list(CHIPS)) + ":\n"
              "    rom = getattr(importlib.import_module('esptool.targets.' + chip), chip.upper() + 'ROM')\n"
              "    maps[chip] = rom.MEMORY_MAP\nprint(json.dumps(maps))")
    maps = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)
    path = tmp_path / "image.bin"
    for chip, memories in maps.items():
        first = build_image("1.0", size=4096, chip=chip)
        mapped = [where & 0xFF000000 for where in (CHIPS[chip].data, CHIPS[chip].code)]
        borders = sorted({where for start, end, _ in memories for where in (start, end - 4, end)})
        borders = [where for where in borders if 0 < where < 2**32 and where & 0xFF000000 not in mapped]
        for start in range(0, len(borders), 15):
            piece = borders[start:start + 15]
            path.write_bytes(assemble(first, [segments(first)[0], *([where, b"abcd"] for where in piece)]))
            done = subprocess.run([BINARY, "image", "info", path, "--json"], capture_output=True, timeout=60)
            for segment in json.loads(done.stdout)["segments"][1:]:
                names = [name for low, high, name in memories if low <= segment["address"] < high]
                assert segment["memory"] == ", ".join(names), (chip, hex(segment["address"]))


def test_bootloader_is_told(tmp_path):
    text = struct.pack("<B3sI32s24s16s", 0x50, b"", 3, b"v5.1", b"Jan  2 2024 03:04:05", b"").ljust(200, b"\0")
    first = build_image("", size=4096, has_description=False)
    path = tmp_path / "bootloader.bin"
    path.write_bytes(assemble(first, [[0x3FFF0018, text], [0x40080000, b"abcd" * 100]]))
    told = esptool(path)
    for line in ("Bootloader version: 3", "ESP-IDF: v5.1", "Compile time: Jan  2 2024 03:04:05"):
        assert line in told
    found = info(path, code=1)
    assert found["bootloader"] == {"version": 3, "date": "Jan  2 2024 03:04:05", "idf": "v5.1"}
    assert "Bootloader:        version 3" in run("info", path, code=1).stdout


def test_wrong_checks_are_told(tmp_path):
    image = build_image("1.0", size=4096)
    path = tmp_path / "image.bin"
    path.write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    right = hashlib.sha256(image[:-32]).hexdigest()
    assert f"wrong: the image has {right}" in run("info", path, code=1).stdout
    found = info(path, code=1)
    assert found["sha256_computed"] == right and found["sha256"] == (image[-32:-1] + bytes([image[-1] ^ 1])).hex()
    path.write_bytes(image[:-33] + bytes([image[-33] ^ 1]) + image[-32:])
    assert (f"Checksum:          0x{image[-33] ^ 1:02x}, wrong: the segments have 0x{image[-33]:02x}"
            in run("info", path, code=1).stdout)


@pytest.mark.parametrize("number", [585, 600, 601, 608, 658])
def test_info_of_real_firmware(number):
    path = FIRMWARE / f"ovms-3.3.003-{number}.bin"
    if not path.exists():
        pytest.skip("LIFEBOAT_FIRMWARE has no real images")
    compare_with_esptool(path)
