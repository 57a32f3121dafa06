# SPDX-License-Identifier: MIT
"""The board sifive_u in the tools: its images and bootloaders, and flashes with a bootloader, of every size."""

import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

import pytest
from image_builder import seal
from test_tool_image import description, make_elf, pattern

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
MB = 1 << 20
BOARD = 0xFFF0
RISC_V = 243
START, END = 0x80080000, 0x88000000
BOOTLOADER = 0x80020000
FACTORY, OTA_0 = 0x10000, 0x410000


def run(*words, code=0, epoch=None):
    environment = {**os.environ, **({} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)})}
    done = subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def refuse(*words, code=1):
    done = run(*words, code=code)
    assert done.stdout == "" and done.stderr.startswith("Error: ")
    return done.stderr


def info(path, code=0):
    return json.loads(run("image", "info", path, "--json", code=code).stdout)


def segments(data):
    """[(load address, content)] of an image, and its entry point; everything else is checked."""
    magic, count, _, _, entry = struct.unpack_from("<BBBBI", data)
    assert magic == 0xE9 and struct.unpack_from("<H", data, 12)[0] == BOARD and data[23] == 1
    found, offset = [], 24
    for _ in range(count):
        load, length = struct.unpack_from("<II", data, offset)
        found.append((load, data[offset + 8:offset + 8 + length]))
        offset += 8 + length
    assert seal(data[:offset]) == data
    return found, entry


def image_of(parts, entry):
    """An image of the board with these (address, content) segments."""
    header = struct.pack("<BBBBIB3sHBHH4sB", 0xE9, len(parts), 2, 0x50, entry, 0xEE, b"", BOARD, 0, 0, 0xFFFF, b"", 1)
    return seal(header + b"".join(struct.pack("<II", load, len(data)) + data for load, data in parts))


@pytest.fixture
def make(tmp_path):
    """make(sections, ...): the bytes that `image make` makes of an ELF file with these sections."""

    def image(sections, *words, entry=START + 256, epoch=None):
        elf, out = tmp_path / "firmware.elf", tmp_path / "made.bin"
        elf.write_bytes(make_elf(sections, machine=RISC_V, entry=entry))
        run("image", "make", out, "--chip", "sifive_u", "--elf", elf, *words, epoch=epoch)
        run("image", "verify", out, "--chip", "sifive_u")
        return out.read_bytes()

    return image


@pytest.fixture
def firmware(make, tmp_path):
    """firmware("1.0"): the path of a firmware of that version."""

    def path(version):
        file = tmp_path / f"firmware-{version}.bin"
        file.write_bytes(make([(START, bytes(256), 1, 2), (START + 256, pattern(3000), 1, 6)], "--version", version))
        return file

    return path


@pytest.fixture
def bootloader(tmp_path):
    """bootloader(LENGTH): the path of a bootloader whose content has that length."""

    def path(length=5000):
        elf, out = tmp_path / "bootloader.elf", tmp_path / "bootloader.bin"
        elf.write_bytes(make_elf([(BOOTLOADER, pattern(length), 1, 6)], machine=RISC_V, entry=BOOTLOADER))
        done = run("image", "make", out, "--chip", "sifive_u", "--elf", elf, "--bootloader")
        assert done.stdout == f"{out}: bootloader, chip sifive_u, {out.stat().st_size} bytes\n"
        return out

    return path


@pytest.fixture
def flash(tmp_path):
    """The path of a flash file; it is large, and pytest keeps the folders of its last runs."""
    path = tmp_path / "flash.bin"
    yield path
    path.unlink(missing_ok=True)


# ---- images ----


@pytest.mark.parametrize("room", [bytes(256), struct.pack("<I", 0xABCD5432) + bytes(252)])
def test_reserved_section_is_filled(make, room):
    code, data = pattern(1000), pattern(64)
    made = make([(START, room, 1, 2), (START + 256, code, 1, 6), (START + 0x8000, data, 1, 3)], "--version", "1.2.3",
                "--project", "board", epoch=86400 * 40)
    parts, entry = segments(made)
    assert [load for load, _ in parts] == [START, START + 0x8000] and entry == START + 256
    assert parts[0][1][256:] == code and parts[1][1] == data
    text = parts[0][1][:256]
    assert struct.unpack_from("<I", text)[0] == 0xABCD5432
    assert text[16:48].rstrip(b"\0") == b"1.2.3" and text[48:80].rstrip(b"\0") == b"board"
    assert text[80:96].rstrip(b"\0") == b"00:00:00" and text[96:112].rstrip(b"\0") == b"Feb 10 1970"


def test_description_of_the_program_stays(make, tmp_path):
    made = make([(START, description() + pattern(100), 1, 6)], "--project", "board")
    text = segments(made)[0][0][1]
    assert text[16:48].rstrip(b"\0") == b"9.9.9" and text[48:80].rstrip(b"\0") == b"board"
    assert text[144:176] == hashlib.sha256((tmp_path / "firmware.elf").read_bytes()).digest()


def test_room_that_is_left_free_is_filled(make):
    made = make([(START + 256, pattern(1000), 1, 6)])
    parts, _ = segments(made)
    assert [(load, len(data)) for load, data in parts] == [(START, 256), (START + 256, 1000)]
    assert parts[0][1][16:48].rstrip(b"\0") == b"1"


def test_padding_is_no_segment(make):
    made = make([(START, bytes(256) + pattern(1000), 1, 6)], "--size", "65536")
    assert len(made) == 65536 and len(segments(made)[0]) == 1


@pytest.mark.parametrize("sections, entry, words", [
    ([(START, b"\1" * 512, 1, 6)], START, "no room"),
    ([(START + 252, pattern(64), 1, 6)], START + 252, "no room"),
    ([(BOOTLOADER, pattern(64), 1, 6)], BOOTLOADER, "not loaded or not started where"),
    ([(START + 256, pattern(64), 1, 6), (END - 4, pattern(8), 1, 3)], START + 256, "not loaded or not started where"),
    ([(START + 256, pattern(64), 1, 6)], START + 256 + 64, "not loaded or not started where"),
    ([(START + 256, pattern(64), 1, 6)], BOOTLOADER, "not loaded or not started where"),
])
def test_programs_that_make_no_image(tmp_path, sections, entry, words):
    elf, out = tmp_path / "bad.elf", tmp_path / "out.bin"
    elf.write_bytes(make_elf(sections, machine=RISC_V, entry=entry))
    assert words in refuse("image", "make", out, "--chip", "sifive_u", "--elf", elf)
    assert not out.exists()


def test_program_for_another_processor(tmp_path):
    elf = tmp_path / "bad.elf"
    elf.write_bytes(make_elf([(START + 256, pattern(64), 1, 6)], entry=START + 256))
    assert "but chip sifive_u is RISC-V" in refuse("image", "make", tmp_path / "out.bin", "--chip", "sifive_u", "--elf",
                                                   elf)


def test_info(firmware):
    assert info(firmware("1.0"))["chip"] == "sifive_u"
    text = run("image", "info", firmware("1.0")).stdout
    assert "sifive_u (id 65520)" in text and f"Entry:             0x{START + 256:08x}, in segment 0" in text


@pytest.mark.parametrize("parts, entry", [
    ([(START - 4, pattern(512))], START),
    ([(START, pattern(512)), (END - 256, pattern(260))], START),
    ([(START, pattern(512)), (0, pattern(16))], START),
    ([(0xFFFFFFF0, pattern(32))], START),
    ([(START, pattern(512))], START + 512),
    ([(START, pattern(512))], 0),
])
def test_images_that_do_not_load(tmp_path, parts, entry):
    path = tmp_path / "bad.bin"
    path.write_bytes(image_of(parts, entry))
    assert "not loaded or not started where" in refuse("image", "verify", path)
    good = tmp_path / "good.bin"
    good.write_bytes(image_of([(START, pattern(512)), (END - 256, pattern(256))], START))
    run("image", "verify", good)


# ---- bootloaders ----


def test_bootloader_is_no_application(bootloader, firmware, flash, tmp_path):
    path = bootloader()
    parts, entry = segments(path.read_bytes())
    assert parts == [(BOOTLOADER, pattern(5000))] and entry == BOOTLOADER
    assert "LB_ERR_IMAGE_LOAD" in run("image", "verify", path, "--json", code=1).stdout
    run("flash", "create", flash, "--chip", "sifive_u", "--factory", firmware("1.0"))
    before = flash.read_bytes()
    assert "no bootloader" in refuse("flash", "write", flash, "ota_0", path, "--chip", "sifive_u")
    assert flash.read_bytes() == before
    refuse("flash", "create", tmp_path / "other.bin", "--chip", "sifive_u", "--factory", path)


def test_bootloader_has_no_description(bootloader, tmp_path):
    out = tmp_path / "out.bin"
    for words in (["--version", "1"], ["--project", "p"], ["--date", "d"], ["--time", "t"], ["--idf", "v"],
                  ["--secure-version", "1"]):
        refuse("image", "make", out, "--elf", bootloader(), "--chip", "sifive_u", "--bootloader", *words, code=2)
    assert not out.exists()


def test_bootloader_of_an_esp32(tmp_path):
    part, out = tmp_path / "part", tmp_path / "bootloader.bin"
    part.write_bytes(pattern(4000))
    run("image", "make", out, "--bootloader", "--segment", f"0x40078000={part}")
    assert info(out, code=1)["description"] is None
    assert "no application" in refuse("image", "verify", out)


# ---- flashes ----


def test_flash_with_a_bootloader(bootloader, firmware, flash):
    loader, image = bootloader(), firmware("1.0")
    done = run("flash", "create", flash, "--bootloader", loader, "--size", "32MB", "--factory", image)
    assert done.stdout.splitlines() == [
        f"bootloader: chip sifive_u, {loader.stat().st_size} bytes, from {loader}",
        f"factory: version 1.0, {image.stat().st_size} bytes, from {image}", f"{flash}: made, {32 * MB} bytes"]
    data = flash.read_bytes()
    expected = bytearray(b"\xff" * (32 * MB))
    for address, content in ((0x1000, loader.read_bytes()), (0x7000, data[0x7000:0x9000]),
                             (FACTORY, image.read_bytes())):
        expected[address:address + len(content)] = content
    assert data == expected and data[0x7000:0x8000] == data[0x8000:0x9000] and data[0x8000:0x8002] == b"\xaa\x50"
    text = run("flash", "map", flash, "--chip", "sifive_u").stdout
    assert f"good, {loader.stat().st_size} bytes" in text and "32 MB" in text


@pytest.mark.parametrize("chip", [(), ("--chip", "sifive_u")], ids=["of its bootloader", "named"])
@pytest.mark.parametrize("size", [16, 32])
def test_commands_on_its_flash(bootloader, firmware, flash, tmp_path, size, chip):
    newer = firmware("2.0")
    run("flash", "create", flash, "--bootloader", bootloader(), "--size", f"{size}MB", "--factory", firmware("1.0"))
    low = flash.read_bytes()[:0x9000]
    run("flash", "write", flash, "ota_0", newer, "--select", *chip)
    found = json.loads(run("flash", "status", flash, "--json", *chip).stdout)
    assert found["size"] == size * MB and found["chip"] == "sifive_u" and found["boot"]["partition"] == "ota_0"
    assert [slot["version"] for slot in found["slots"] if slot["good"]] == ["1.0", "2.0"]
    run("flash", "copy", flash, "ota_0", "ota_1", *chip)
    run("flash", "boot", flash, "factory", *chip)
    run("flash", "settings", flash, "--set", "ota", "tag", "string", "edge", *chip)
    run("flash", "erase", flash, "ota_1", *chip)
    out = tmp_path / "out.bin"
    run("flash", "read", flash, "ota_0", out, *chip)
    assert out.read_bytes() == newer.read_bytes()
    run("flash", "history", flash, *chip)
    run("flash", "table", flash, *chip)
    assert json.loads(run("flash", "status", flash, "--json", *chip).stdout)["boot"]["partition"] == "factory"
    assert flash.read_bytes()[:0x9000] == low


def test_bootloader_fills_its_place(bootloader, firmware, flash, tmp_path):
    room = 0x7000 - 0x1000
    full = bootloader(room - 24 - 8 - 32 - 16 + 12)  # header, segment's header, digest, and the checksum's 4 bytes
    assert full.stat().st_size == room
    run("flash", "create", flash, "--bootloader", full, "--factory", firmware("1.0"))
    assert flash.read_bytes()[0x1000:0x7000] == full.read_bytes()
    message = refuse("flash", "create", tmp_path / "other.bin", "--bootloader", bootloader(room - 24 - 8 - 32),
                     "--factory", firmware("1.0"))
    assert f"there are {room} from 0x1000 to the copy of the partition table" in message
    assert not (tmp_path / "other.bin").exists()


def test_bootloader_and_application_are_for_one_chip(bootloader, firmware, tmp_path):
    part, esp32, flash = tmp_path / "part", tmp_path / "esp32.bin", tmp_path / "flash.bin"
    part.write_bytes(pattern(4000))
    run("image", "make", esp32, "--segment", f"0x400D0018={part}", "--version", "3")
    for words in (["--bootloader", bootloader(), "--factory", esp32],
                  ["--bootloader", bootloader(), "--chip", "esp32", "--factory", firmware("1.0")],
                  ["--factory", firmware("1.0")], ["--chip", "sifive_u", "--factory", esp32]):
        assert "made for another chip" in refuse("flash", "create", flash, *words)
    assert "is an application, no bootloader" in refuse("flash", "create", flash, "--bootloader", firmware("1.0"),
                                                        "--factory", firmware("1.0"))
    cut = tmp_path / "cut.bin"
    cut.write_bytes(bootloader().read_bytes()[:-1])
    assert "cut off" in refuse("flash", "create", flash, "--bootloader", cut, "--factory", firmware("1.0"))
    refuse("flash", "create", bootloader(), "--bootloader", bootloader(), "--factory", firmware("1.0"), "--force",
           code=2)
    assert not flash.exists()


def test_bootloader_of_a_later_chip_is_at_0(flash, tmp_path):
    part, loader, image = (tmp_path / name for name in ("part", "loader.bin", "image.bin"))
    part.write_bytes(pattern(4000))
    run("image", "make", loader, "--chip", "esp32c3", "--bootloader", "--segment", f"0x403CE000={part}")
    run("image", "make", image, "--chip", "esp32c3", "--segment", f"0x42000020={part}")
    run("flash", "create", flash, "--bootloader", loader, "--factory", image)
    assert flash.read_bytes().startswith(loader.read_bytes())
    assert "good, " in run("flash", "map", flash, "--chip", "esp32c3").stdout


@pytest.mark.parametrize("size", ["4MB", "8MB", "5MB", "64MB", "16", "", "16mb"])
def test_sizes_that_are_none(firmware, tmp_path, size):
    assert "--size: " in refuse("flash", "create", tmp_path / "flash.bin", "--chip", "sifive_u", "--size", size,
                                "--factory", firmware("1.0"), code=2)
    assert not (tmp_path / "flash.bin").exists()


@pytest.mark.parametrize("size", [4, 8, 16, 32])
def test_dumps_of_every_size(firmware, flash, tmp_path, size):
    """A table that fits into 4 MB, in a dump of each size: read, drawn and changed."""
    table, csv = tmp_path / "table.bin", tmp_path / "table.csv"
    csv.write_text("nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nphy_init,data,phy,0xf000,0x1000\n"
                   "factory,app,factory,0x10000,1M\nota_0,app,ota_0,0x110000,1M\nota_1,app,ota_1,0x210000,1M\n")
    run("flash", "table", "--from-csv", csv, table, "--flash-size", "4MB")
    data = bytearray(b"\xff" * (size * MB))
    for address, content in ((0x8000, table.read_bytes()), (0x10000, firmware("1.0").read_bytes())):
        data[address:address + len(content)] = content
    flash.write_bytes(data)
    run("flash", "write", flash, "ota_1", firmware("2.0"), "--select", "--chip", "sifive_u")
    found = json.loads(run("flash", "status", flash, "--json", "--chip", "sifive_u").stdout)
    assert found["size"] == size * MB and found["boot"]["partition"] == "ota_1"
    assert f"{size} MB" in run("flash", "map", flash, "--chip", "sifive_u").stdout
