# SPDX-License-Identifier: MIT
"""lifeboat image make, info, verify: against each other, against esptool, and against all that is no image."""

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
REAL_IMAGES = {
    "ovms-3.3.003-585.bin": "c3e7a45f42c58a42ef4fc5949d77ce810ece6cb7366bae669b9a856ce08c19bf",
    "ovms-3.3.003-600.bin": "9fc6780797d0cbfa06df35b5b8e38fc40aeaad615dcb71acc9dae0f7f3885275",
    "ovms-3.3.003-601.bin": "864d5d41f000380877b3b324ad9288e031d237fca25a704724fdddf34f20dddd",
    "ovms-3.3.003-608.bin": "b6d0d5269a72123d8e06ef8c2fd6c764db7d687eec9e228dbae40f93e894cd4e",
    "ovms-3.3.003-658.bin": "4a54ed95d596be5f4f7c7ec8682721904471ebc15ef87704f37ecd195c00663e",
}


def run(*words, code=0, env=None):
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60,
                          env=None if env is None else {**os.environ, **env})
    assert done.returncode == code, done.stdout + done.stderr
    if code:
        assert done.stderr.startswith("Error: ") or "--json" in words, done.stderr
    return done


def pattern(length, seed=1):
    return bytes((i * 7 + i // 251 + seed) & 0xFF for i in range(length))


def info(path, code=0):
    return json.loads(run("image", "info", path, "--json", code=code).stdout)


def esptool(path):
    done = subprocess.run([sys.executable, "-m", "esptool", "image-info", path], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_elf(sections, machine=94, kind=2, entry=0x40080400, bits=1):
    """An ELF file of (address, data, type, flags) sections; type 8 has no content in the file."""
    data = bytearray(52)
    headers = [bytes(40)]
    for address, content, section_type, flags in sections:
        headers.append(struct.pack("<10I", 1, section_type, flags, address, len(data), len(content), 0, 0, 4, 0))
        if section_type != 8:
            data += content
    headers.append(struct.pack("<10I", 1, 3, 0, 0, len(data), 11, 0, 0, 1, 0))  # the names of sections
    data += b"\0.section\0\0"
    offset = len(data)
    data[:52] = struct.pack("<4s5B7xHHIIIIIHHHHHH", b"\x7fELF", bits, 1, 1, 0, 0, kind, machine, 1, entry, 0, offset,
                            0, 52, 0, 0, 40, len(headers), len(headers) - 1)
    return bytes(data) + b"".join(headers)


def description(version=b"9.9.9", project=b"other", elf_sha256=b"\x11" * 32):
    return struct.pack("<IIII32s32s16s16s32s32s80x", 0xABCD5432, 7, 0, 0, version, project, b"01:02:03",
                       b"Jan  1 2020", b"v5.0", elf_sha256)


@pytest.fixture
def raw(tmp_path):
    """Three raw segments as --segment options: code, data in RAM, code in RAM."""
    options = []
    for address, length in ((0x400D0018, 70000), (0x3FFB0000, 5001), (0x40080000, 90002)):
        path = tmp_path / f"{address:x}.raw"
        path.write_bytes(pattern(length, address))
        options += ["--segment", f"{address:#x}={path}"]
    return options


@pytest.fixture
def image(tmp_path, raw):
    path = tmp_path / "ovms3.bin"
    run("image", "make", path, *raw, "--version", "3.1.003", "--size", 300000)
    return path


# ---- make ----


def test_made_image_says_what_was_asked_for(tmp_path, raw):
    out = tmp_path / "ovms3.bin"
    run("image", "make", out, *raw, "--version", "3.1.003", "--date", "Apr  7 2018", "--time", "13:11:19", "--idf",
        "v3.1-dev-453-g0f978bcb", "--secure-version", 5, "--size", 2100352, "--flash-size", "4MB", "--flash-mode",
        "qio", "--flash-freq", "80m", "--min-revision", 301, "--entry", "0x40080010")
    assert out.stat().st_size == 2100352
    found = info(out)
    assert found["good"] and found["error"] is None
    assert found["version"] == "3.1.003"
    assert found["description"] == {"project": "ovms3", "date": "Apr  7 2018", "time": "13:11:19",
                                    "idf": "v3.1-dev-453-g0f978bcb", "secure_version": 5, "elf_sha256": "00" * 32}
    assert found["length"] == found["file_size"] == 2100352
    assert (found["flash_size"], found["flash_mode"], found["flash_frequency"]) == ("4MB", "qio", "80m")
    assert (found["min_revision"], found["min_revision_legacy"], found["entry"]) == (301, 3, 0x40080010)
    assert (found["chip"], found["chip_id"]) == ("esp32", 0)
    assert found["segments"][0]["address"] == 0x3F400020 and found["segments"][0]["offset"] == 0x20
    assert found["sha256"] == hashlib.sha256(out.read_bytes()[:-32]).hexdigest()
    text = run("image", "info", out).stdout
    for line in ("Version:           3.1.003", "Image:             good", f"SHA-256:           {found['sha256']}"):
        assert line in text.splitlines()


def test_esptool_agrees(tmp_path, raw):
    out = tmp_path / "ovms3.bin"
    run("image", "make", out, *raw, "--version", "3.1.003", "--date", "Apr  7 2018", "--time", "13:11:19", "--idf",
        "v3.1", "--size", 2100352, "--min-revision", 100)
    told = esptool(out)
    found = info(out)
    assert re.search(r"Checksum: 0x\w+ \(valid\)", told)
    assert f"Validation hash: {found['sha256']} (valid)" in told
    for line in ("Image size: 2100352 bytes", "Project name: ovms3", "App version: 3.1.003",
                 "Compile time: Apr  7 2018 13:11:19", "ESP-IDF: v3.1", "Flash size: 16MB", "Flash freq: 40m",
                 "Flash mode: DIO", "Minimal chip revision: v1.0, (legacy min_rev = 1)", "Entry point: 0x400d0018"):
        assert line in told
    rows = re.findall(r"^ +\d+ +0x(\w+) +0x(\w+) +0x(\w+)", told, re.MULTILINE)
    # esptool tells where a segment's header is, we where its data is
    assert [(int(a, 16), int(b, 16), int(c, 16) + 8) for a, b, c in rows] == \
        [(s["length"], s["address"], s["offset"]) for s in found["segments"]]


def test_memory_of_made_image_is_what_went_in(tmp_path, raw, image):
    data = image.read_bytes()
    memory = {}
    for segment in info(image)["segments"]:
        if segment["address"]:
            for i in range(segment["length"]):
                assert segment["address"] + i not in memory
                memory[segment["address"] + i] = data[segment["offset"] + i]
    for option in raw[1::2]:
        address, path = option.split("=", 1)
        content = Path(path).read_bytes()
        assert bytes(memory[int(address, 16) + i] for i in range(len(content))) == content


def test_gaps_are_filled_with_ram_before_padding(tmp_path, raw):
    out = tmp_path / "o.bin"
    run("image", "make", out, *raw)
    segments = info(out)["segments"]
    assert [s["place"] for s in segments] == ["mapped data", "RAM", "RAM", "mapped code", "RAM"]
    assert segments[2]["address"] == 0x40080000
    assert segments[4]["address"] == 0x40080000 + segments[2]["length"]
    assert segments[3]["offset"] % 0x10000 == 0x18


@pytest.mark.parametrize("chip, code_address", [("esp32s2", 0x40080020), ("esp32c3", 0x42000020),
                                                ("esp32s3", 0x42000020), ("esp32c2", 0x42000020)])
def test_other_chips(tmp_path, chip, code_address):
    part = tmp_path / "part"
    part.write_bytes(pattern(1000))
    out = tmp_path / "o.bin"
    run("image", "make", out, "--chip", chip, "--segment", f"{code_address:#x}={part}")
    assert info(out)["chip"] == chip
    assert f"({chip.upper().replace('ESP32', 'ESP32-')})" in esptool(out)
    run("image", "verify", out, "--chip", chip)
    assert "chip" in run("image", "verify", out, "--chip", "esp32", code=1).stderr


def test_same_input_gives_same_bytes(tmp_path, raw):
    one, two = tmp_path / "1.bin", tmp_path / "2.bin"
    for out in (one, two):
        run("image", "make", out, *raw, env={"SOURCE_DATE_EPOCH": "1523118417"})
    assert one.read_bytes() == two.read_bytes()
    assert info(one)["description"]["date"] == "Apr  7 2018"
    assert info(one)["description"]["time"] == "16:26:57"


def test_size_is_exact_or_refused(tmp_path, raw):
    out = tmp_path / "o.bin"
    run("image", "make", out, *raw)
    least = out.stat().st_size
    for more in (0, 16, 32, 48, 64, 4096):
        run("image", "make", out, *raw, "--size", least + more)
        assert out.stat().st_size == info(out)["length"] == least + more
    before = out.read_bytes()
    assert f" {least}\n" in run("image", "make", out, *raw, "--size", least - 16, code=1).stderr
    assert f" {least + 16}\n" in run("image", "make", out, *raw, "--size", least + 17, code=1).stderr
    assert out.read_bytes() == before


def test_elf(tmp_path):
    rodata = description() + pattern(300)
    elf = tmp_path / "ovms3.elf"
    elf.write_bytes(make_elf([
        (0x400D0020, pattern(70000), 1, 6),
        (0x3F400020, rodata, 1, 2),
        (0x3F400020 + len(rodata), pattern(41, 5), 1, 2),  # touches the one before
        (0x3FFB0000, pattern(40), 14, 3),  # .init_array
        (0x3FFC0000, bytes(4000), 8, 3),  # .bss
        (0, pattern(999), 1, 0),  # debugging information
        (0x40080000, pattern(1024), 1, 6),
    ]))
    out = tmp_path / "o.bin"
    run("image", "make", out, "--elf", elf, "--version", "1.2.3")
    found = info(out)
    assert found["version"] == "1.2.3"
    assert found["description"]["project"] == "other"
    assert found["description"]["date"] == "Jan  1 2020"
    assert found["description"]["secure_version"] == 7
    assert found["description"]["elf_sha256"] == hashlib.sha256(elf.read_bytes()).hexdigest()
    assert found["entry"] == 0x40080400
    assert {s["address"]: s["length"] for s in found["segments"] if s["address"]} == {
        0x3F400020: len(rodata) + 44, 0x3FFB0000: 40, 0x40080000: 1024, 0x400D0020: 70000}
    assert f"ELF file SHA256: {found['description']['elf_sha256']}" in esptool(out)


def test_elf_makes_what_esptool_makes(tmp_path):
    elf = tmp_path / "ovms3.elf"
    elf.write_bytes(make_elf([
        (0x3F400020, description(elf_sha256=b"") + pattern(30000), 1, 2),
        (0x3FFB0000, pattern(7004, 3), 1, 3),
        (0x40080000, pattern(130000, 9), 1, 6),
        (0x400D0018, pattern(200000, 4), 1, 6),
    ]))
    ours, theirs = tmp_path / "ours.bin", tmp_path / "theirs.bin"
    run("image", "make", ours, "--elf", elf)
    done = subprocess.run([sys.executable, "-m", "esptool", "--chip", "esp32", "elf2image", "--flash-mode", "dio",
                           "--flash-size", "16MB", "--flash-freq", "40m", "--elf-sha256-offset", "0xb0", "-o", theirs,
                           elf], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ours.read_bytes() == theirs.read_bytes()


def test_failed_make_leaves_nothing(tmp_path, raw):
    out = tmp_path / "kept.bin"
    out.write_bytes(b"as it was")
    names = sorted(os.listdir(tmp_path))
    run("image", "make", out, *raw, "--version", "x" * 32, code=1)
    run("image", "make", out, "--segment", f"0x400D0020={tmp_path}/missing", code=1)
    run("image", "make", tmp_path / "no" / "folder", *raw, code=1)
    run("image", "make", tmp_path, *raw, code=1)
    assert out.read_bytes() == b"as it was"
    assert sorted(os.listdir(tmp_path)) == names


def bad_elves():
    good = make_elf([(0x40080000, pattern(1024), 1, 6)])

    def patched(offset, layout, value):
        return good[:offset] + struct.pack(layout, value) + good[offset + struct.calcsize(layout):]

    section = struct.unpack_from("<I", good, 32)[0] + 40
    return {
        "empty": (b"", "no ELF file"),
        "short": (good[:51], "no ELF file"),
        "text": (b"hello" * 100, "no ELF file"),
        "64 bits": (make_elf([(0x40080000, b"1234", 1, 6)], bits=2), "32-bit"),
        "object": (make_elf([(0x40080000, b"1234", 1, 6)], kind=1), "not linked"),
        "machine": (make_elf([(0x40080000, b"1234", 1, 6)], machine=243), "RISC-V"),
        "nothing to load": (make_elf([(0x40080000, bytes(8), 8, 3)]), "no section with content"),
        "no sections": (patched(32, "<I", 0), "no section table"),
        "table outside": (patched(32, "<I", 0xFFFFFFF0), "leaves the file"),
        "table cut": (good[:-1], "leaves the file"),
        "small entries": (patched(46, "<H", 39), "leaves the file"),
        "offset outside": (patched(section + 16, "<I", 0xFFFFFF00), "leaves the file"),
        "size outside": (patched(section + 20, "<I", 0xFFFFFFFF), "leaves the file"),
        "address wraps": (patched(section + 12, "<I", 0xFFFFFF00), "address space"),
        "overlap": (make_elf([(0x40080000, bytes(64), 1, 6), (0x40080020, bytes(64), 1, 6)]), "overlap"),
        "unaligned": (make_elf([(0x40080002, bytes(64), 1, 6)]), "multiple of 4"),
        "same page": (make_elf([(0x400D0020, bytes(64), 1, 6), (0x400D1000, bytes(64), 1, 6)]), "same 64 KB page"),
        "description misplaced": (make_elf([(0x3F400100, description(), 1, 2)]), "application description"),
        "17 segments": (make_elf([(0x3FFB0000 + i * 256, bytes(64), 1, 3) for i in range(17)]), "16 segments"),
    }


@pytest.mark.parametrize("name", bad_elves())
def test_bad_elf_is_refused(tmp_path, name):
    content, words = bad_elves()[name]
    elf = tmp_path / "bad.elf"
    elf.write_bytes(content)
    out = tmp_path / "o.bin"
    assert words in run("image", "make", out, "--elf", elf, code=1).stderr
    assert not out.exists()


# ---- info and verify ----


def test_verify_says_a_line_an_image(tmp_path, image):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(image.read_bytes()[:-1] + b"\0")
    done = run("image", "verify", image, bad, image, code=1)
    assert done.stdout.splitlines() == [f"{image}: good, version 3.1.003, chip esp32, 300000 bytes"] * 2
    assert len(done.stderr.splitlines()) == 1 and str(bad) in done.stderr


def test_only_erased_flash_may_follow(tmp_path, image):
    path = tmp_path / "o.bin"
    data = image.read_bytes()
    path.write_bytes(data + b"\xff" * 100000)
    assert info(path)["length"] == len(data)
    path.write_bytes(data + b"\xff" * 99999 + b"\xfe")
    assert info(path, code=1)["error"]["name"] == "LB_ERR_IMAGE_TRAILING"
    path.write_bytes(data + b"\0")
    assert info(path, code=1)["error"]["name"] == "LB_ERR_IMAGE_TRAILING"


def not_images(good):
    bootloader = bytearray(good)
    bootloader[24:28] = struct.pack("<I", 0x3FFF0000)
    bootloader[-32:] = hashlib.sha256(bootloader[:-32]).digest()
    merged = bytearray(b"\xff" * 0x20000)
    merged[0x1000:0x1100] = good[:0x100]
    merged[0x8000:0x8002] = b"\xaa\x50"
    no_hash = bytearray(good)
    no_hash[23] = 0
    return {
        "empty": (b"", "TOOL_ERR_EMPTY"),
        "page": (b"\n  <!DOCTYPE html>\n<html><body>Log in</body></html>", "TOOL_ERR_WEB_PAGE"),
        "small page": (b"<html>", "TOOL_ERR_WEB_PAGE"),
        "ELF": (make_elf([]), "TOOL_ERR_ELF"),
        "blank": (b"\xff" * 5000, "TOOL_ERR_BLANK"),
        "merged": (bytes(merged), "TOOL_ERR_MERGED"),
        "bootloader": (bytes(bootloader), "LB_ERR_IMAGE_BOOTLOADER"),
        "merged with bootloader first": (bytes(bootloader[:0x8000]) + b"\xaa\x50" + bytes(4000), "TOOL_ERR_MERGED"),
        "text": (b"3.1.003\n", "LB_ERR_IMAGE_MAGIC"),
        "one byte": (b"\xe9", "LB_ERR_IMAGE_TRUNCATED"),
        "truncated": (good[:-1], "LB_ERR_IMAGE_TRUNCATED"),
        "digest": (good[:-1] + bytes([good[-1] ^ 1]), "LB_ERR_IMAGE_DIGEST"),
        "checksum": (good[:-33] + bytes([good[-33] ^ 1]) + good[-32:], "LB_ERR_IMAGE_CHECKSUM"),
        "no hash": (bytes(no_hash), "LB_ERR_IMAGE_NO_HASH"),
        "segments": (good[:1] + b"\x11" + good[2:], "LB_ERR_IMAGE_SEGMENTS"),
        "unknown chip": (None, "LB_ERR_IMAGE_CHIP"),
    }


@pytest.mark.parametrize("name", not_images(bytes(400)))
def test_what_is_no_image_is_named(tmp_path, image, name):
    data = image.read_bytes()
    content, error = not_images(data)[name]
    if name == "unknown chip":
        content = data[:12] + b"\x4d\x00" + data[14:-32]
        content += hashlib.sha256(content).digest()
    path = tmp_path / "bad.bin"
    path.write_bytes(content)
    found = info(path, code=1)
    assert found["good"] is False
    assert found["error"]["name"] == error
    assert found["error"]["cause"] and found["error"]["remedy"]
    line = run("image", "verify", path, code=1).stderr
    assert line.startswith(f"Error: {path}: {found['error']['cause']}") and line.count("\n") == 1


def test_bad_image_still_tells_what_is_known(tmp_path, image):
    path = tmp_path / "bad.bin"
    path.write_bytes(image.read_bytes()[:-1])
    done = run("image", "info", path, code=1)
    assert "Version:           3.1.003" in done.stdout
    assert "Image:             bad" in done.stdout
    assert "is cut off" in done.stderr


def test_every_flipped_bit_is_found(tmp_path, image):
    data = image.read_bytes()
    path = tmp_path / "bad.bin"
    places = [0, 1, 12, 23] + [s["offset"] + n for s in info(image)["segments"] for n in (-8, -4, 0, s["length"] - 1)]
    for place in places + [len(data) - 33, len(data) - 32, len(data) - 1]:
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        run("image", "verify", path, "--chip", "esp32", code=1)


def test_files_that_cannot_be_read(tmp_path):
    assert "No such file" in run("image", "info", tmp_path / "missing", code=1).stderr
    assert "is a directory" in run("image", "info", tmp_path, code=1).stderr
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in run("image", "verify", tmp_path / "pipe", code=1).stderr


@pytest.mark.parametrize("name", REAL_IMAGES)
def test_real_firmware(name):
    folder = os.environ.get("LIFEBOAT_FIRMWARE")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip("LIFEBOAT_FIRMWARE has no real images; the tests above ran on made ones")
    path = Path(folder) / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == REAL_IMAGES[name]
    found = info(path)
    assert found["good"] and found["version"].startswith(name[5:-4])
    assert found["description"]["project"] == "ovms3"
    assert found["length"] == path.stat().st_size
    assert f"Validation hash: {found['sha256']} (valid)" in esptool(path)


# ---- the command line ----


@pytest.mark.parametrize("words", [
    ["bogus"], ["image"], ["image", "bogus"], ["image", "info"], ["image", "info", "a", "b"],
    ["image", "info", "--bogus", "a"], ["image", "info", "--json=1", "a"], ["image", "verify"],
    ["image", "verify", "--chip", "esp99", "a"], ["image", "make"], ["image", "make", "a"],
    ["image", "make", "a", "--elf"], ["image", "make", "a", "--elf", "b", "--segment", "0=c"],
    ["image", "make", "a", "--segment", "b"], ["image", "make", "a", "--segment", "x=b"],
    ["image", "make", "a", "--elf", "b", "--size", "many"], ["image", "make", "a", "--elf", "b", "--size", "99M"],
    ["image", "make", "a", "--elf", "b", "--flash-size", "3MB"],
    ["image", "make", "a", "--elf", "b", "--flash-freq", "48m"], ["flash", "create"], ["flash", "status"]])
def test_wrong_use(words):
    done = run(*words, code=2)
    lines = done.stderr.splitlines()
    assert done.stdout == ""
    assert words == ["bogus"] or "Usage: lifeboat" in lines[1]


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_overview_lists_all_commands(words):
    text = run(*words).stdout
    for command in ("module", "depot publish", "depot serve", "flash create", "flash status", "image info",
                    "image verify", "image make"):
        assert f"\n  {command} " in text
        assert run(*command.split(), "--help").stdout == run("help", *command.split()).stdout
    assert "Exit codes: 0 done, 1 failed" in text


def test_version():
    assert re.fullmatch(r"lifeboat \d+\.\d+\.\d+\n", run("--version").stdout)


def test_full_disk_is_a_failure(image):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, "image", "info", image], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"No space left" in done.stderr
