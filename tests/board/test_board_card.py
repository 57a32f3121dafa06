# SPDX-License-Identifier: MIT
"""The SD card: FAT of each kind, things missing, and cards on which nothing makes sense."""

import random

import pytest
from board_flash import FIRST, SECOND
from sd_card import MB

MISSING = "there is no such file - look at what there is with `vfs ls` (ESP_ERR_NOT_FOUND, 261)"
READ_ONLY = "the card is read-only here - change it in a computer (ESP_ERR_NOT_ALLOWED, 269)"
NO_FILE_SYSTEM = "the card has no FAT file system - format it with FAT (exFAT cannot be read) (ESP_FAIL, -1)"
TEXT = "Mended.\nAnd mended again.\n"


def flashed(board, path, slot="ota_0"):
    rows = board.command(f'ota flash vfs "{path}"')
    assert rows[-3:] == ["OTA flash was successful", f"  Flashed {len(SECOND.bytes)} bytes from {path}",
                         f"  Next boot will be from '{slot}'"], rows


@pytest.mark.parametrize("fat, size", [(12, 8 * MB), (16, 32 * MB), (32, 64 * MB)])
def test_each_fat(factory, fat, size):
    factory.insert({"ovms3.bin": SECOND.bytes, "A folder with a long name/and below it/the firmware.bin": SECOND.bytes,
                    "readme.txt": TEXT.encode()}, size=size, fat=fat)
    with factory.power_on() as board:
        assert board.command("vfs cat /sd/readme.txt") == TEXT.splitlines()
        listed = [row.split("  ")[-1] for row in board.command("vfs ls /sd")]
        assert listed == ["A folder with a long name/", "ovms3.bin", "readme.txt"]
        flashed(board, "/sd/A folder with a long name/and below it/the firmware.bin")
        board.command("module reset")
        assert board.command("ota status nocheck")[0].startswith(SECOND.line("ota_0"))


def test_files_are_described(factory):
    factory.insert({"ovms3.bin": SECOND.bytes, "empty": b""})
    with factory.power_on() as board:
        assert str(len(SECOND.bytes)) in board.command("vfs stat /sd/ovms3.bin")[0]
        assert board.command("vfs cat /sd/empty") == []
        assert any(row.endswith("sd/") for row in board.command("vfs ls"))


@pytest.mark.sample
def test_nothing_is_written_to_the_card(factory):
    factory.insert({"a.txt": TEXT.encode()})
    before = factory.card.read_bytes()
    with factory.power_on() as board:
        assert board.command("vfs rm /sd/a.txt") == [f"Error: /sd/a.txt: {READ_ONLY}"]
        assert board.command("vfs mv /sd/a.txt /sd/b.txt") == [f"Error: /sd/b.txt: {READ_ONLY}"]
        assert board.command("vfs cp /sd/a.txt /sd/b.txt") == [f"Error: /sd/b.txt: {READ_ONLY}"]
        assert board.command("vfs cat /sd/a.txt") == TEXT.splitlines()
    assert factory.card.read_bytes() == before


def test_a_missing_file(factory):
    factory.insert({"other.bin": b"other"})
    with factory.power_on() as board:
        rows = board.command("ota flash vfs /sd/ovms3.bin")
        assert rows[0] == "Error: Cannot find file /sd/ovms3.bin", rows
        assert board.command("vfs cat /sd/nothing") == [f"Error: /sd/nothing: {MISSING}"]


@pytest.mark.sample
def test_a_missing_card(factory):
    with factory.power_on() as board:
        rows = board.command("ota flash vfs /sd/ovms3.bin")
        assert rows[0].startswith("Error: Cannot ") and rows[0].endswith(" /sd/ovms3.bin"), rows
        rows = board.command("vfs ls /sd")
        assert len(rows) == 1 and rows[0].startswith("Error: /sd: "), rows
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))


def garbage(length, seed):
    return random.Random(seed).randbytes(length)


def zeros(length, _):
    return bytes(length)


def blank(length, _):
    return b"\xff" * length


@pytest.mark.parametrize("content", [garbage, zeros, blank])
def test_a_card_without_a_file_system(factory, content):
    factory.insert(size=8 * MB, fat=12)
    factory.card.write_bytes(content(8 * MB, 1))
    with factory.power_on() as board:
        assert board.command("vfs ls /sd") == [f"Error: /sd: {NO_FILE_SYSTEM}"]
        rows = board.command("ota flash vfs /sd/ovms3.bin")
        assert rows[0] == "Error: Cannot open /sd/ovms3.bin", rows
        assert "the card has no FAT file system" in rows[1]
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_system(factory, seed):
    """Bytes all over the boot sector, the tables and the directory: whatever that makes of it, the board goes on."""
    factory.insert({"ovms3.bin": SECOND.bytes, "folder/a.txt": TEXT.encode()})
    chance = random.Random(seed)
    data = bytearray(factory.card.read_bytes())
    for _ in range(1 << seed):
        data[chance.randrange(72 * 1024)] = chance.randrange(256)
    factory.card.write_bytes(data)
    with factory.power_on() as board:
        for line in ("vfs ls /sd", "vfs stat /sd/ovms3.bin", "vfs cat /sd/folder/a.txt"):
            board.command(line)
        rows = board.command("ota flash vfs /sd/ovms3.bin")
        board.command("module reset")
        good = "OTA flash was successful" in rows
        expected = SECOND.line("ota_0") if good else FIRST.line("factory")
        assert board.command("ota status nocheck")[0].startswith(expected), rows


def test_a_file_that_is_no_firmware(factory):
    factory.insert({"page.bin": b"<html>" + b" " * 4000, "half.bin": SECOND.bytes[:-4096], "two.bin": SECOND.bytes})
    with factory.power_on() as board:
        assert board.command("ota flash vfs /sd/page.bin")[-1].startswith("Error: /sd/page.bin is no application image")
        rows = board.command("ota flash vfs /sd/half.bin")
        assert any(row.startswith("Error: ") for row in rows), rows
        flashed(board, "/sd/two.bin")
