# SPDX-License-Identifier: MIT
"""Damage in the flash file while the board is off, what the board makes of it, and the tools that mend it."""

import pytest
from board_flash import CHIP, FIRST, FRAGILE, SECOND, done, lifeboat
from flash_layout import OTADATA, TABLE, TABLE_COPY, area, change, flip
from qemu_board import BUILD

BOOTLOADER = 0x1000


def middle(slot, firmware):
    return area(slot).start + len(firmware.bytes) // 2


def header(slot, _):
    return area(slot).start


def last_byte(slot, firmware):
    return area(slot).start + len(firmware.bytes) - 1


@pytest.fixture
def full(bench):
    """ota_1 runs; there is a firmware in each slot."""
    return bench.create(factory=FIRST, ota_0=SECOND, ota_1=FRAGILE).select("ota_1")


def boots(bench, slot, firmware, *words):
    with bench.power_on() as board:
        assert board.command("ota status nocheck")[0].startswith(firmware.line(slot))
        assert board.booted == [slot]
        for word in words:
            assert word in board.text, board.text


@pytest.mark.sample
def test_one_bit_fails_over_to_factory(full):
    flip(full.flash, middle("ota_1", FRAGILE))
    boots(full, "factory", FIRST, "boot: selected: ota_1", "boot: ota_1: ")


@pytest.mark.parametrize("place", [header, middle, last_byte])
@pytest.mark.parametrize("slot, firmware", [("ota_0", SECOND), ("ota_1", FRAGILE)])
def test_a_damaged_selection_fails_over_to_factory(full, slot, firmware, place):
    full.select(slot)
    flip(full.flash, place(slot, firmware), bit=3)
    boots(full, "factory", FIRST, f"boot: selected: {slot}", f"boot: {slot}: ", "boot: factory: verified")


def test_factory_damaged(full):
    """Nobody notices, until it is needed."""
    flip(full.flash, middle("factory", FIRST))
    boots(full, "ota_1", FRAGILE)
    flip(full.flash, middle("ota_1", FRAGILE))
    boots(full, "ota_0", SECOND, "boot: factory: ")


def test_a_truncated_image(full):
    start, length = area("ota_1").start, len(FRAGILE.bytes)
    change(full.flash, (start + length - 0x2000, b"\xff" * 0x2000))
    boots(full, "factory", FIRST, "boot: ota_1: ")


def test_factory_and_the_selection_damaged(full):
    """Then any image that verifies."""
    for slot, firmware in (("factory", FIRST), ("ota_1", FRAGILE)):
        flip(full.flash, middle(slot, firmware))
    boots(full, "ota_0", SECOND, "boot: ota_1: ", "boot: factory: ")


@pytest.mark.sample
def test_everything_damaged_and_mended_by_cable(full):
    """The board halts and says so; `lifeboat flash write` puts a firmware in, and the board goes on."""
    for slot, firmware in (("factory", FIRST), ("ota_0", SECOND), ("ota_1", FRAGILE)):
        flip(full.flash, middle(slot, firmware))
    with full.power_on() as board:
        board.read(lambda: board.booted == [""], "halt")
        for slot in ("factory", "ota_0", "ota_1"):
            assert f"boot: {slot}: " in board.text
    nothing = lifeboat("flash", "status", full.flash, *CHIP)
    assert nothing.returncode == 3, nothing
    done("flash", "write", full.flash, "ota_0", SECOND.path, "--select", *CHIP)
    boots(full, "ota_0", SECOND)


def test_otadata_damaged(full):
    """Without a selection factory boots."""
    change(full.flash, (OTADATA, bytes(range(256)) * 32))
    boots(full, "factory", FIRST)


def test_the_table_damaged(full):
    """The copy counts."""
    change(full.flash, (TABLE, b"\0" * 64))
    boots(full, "ota_1", FRAGILE)


def test_both_tables_damaged(full):
    for table in (TABLE, TABLE_COPY):
        change(full.flash, (table, b"\0" * 64))
    with full.power_on() as board:
        board.read(lambda: board.booted == [""], "halt")


@pytest.mark.parametrize("at, words", [(0, "magic"), (2000, "checksum"), (None, "")])
def test_the_bootloader_damaged(full, at, words):
    """The mask ROM has nothing to start then; a flash without any bootloader is the same to it."""
    if at is None:
        change(full.flash, (BOOTLOADER, b"\xff" * (TABLE_COPY - BOOTLOADER)))
    else:
        flip(full.flash, BOOTLOADER + at)
    with full.power_on() as board:
        board.wait_for("rom: no bootloader at 0x1000: ")
        board.wait_for("\n")
    bootloader = (BUILD / "bootloader.bin").read_bytes()
    change(full.flash, (BOOTLOADER, b"\xff" * (TABLE_COPY - BOOTLOADER)), (BOOTLOADER, bootloader))
    boots(full, "ota_1", FRAGILE)


def test_tools_of_the_host_and_the_board_take_turns(bench, tmp_path):
    """What either leaves on the flash the other reads."""
    bench.create(factory=FIRST)
    flash = bench.flash
    done("flash", "write", flash, "ota_1", SECOND.path, *CHIP)
    with bench.power_on() as board:
        assert board.command("ota boot ota_1") == ["Boot from ota_1 at 0x00810000 (size 0x00400000)"]
    assert "ota_1" in done("flash", "status", flash, *CHIP)
    done("flash", "settings", flash, "--set", "ota", "tag", "string", "edge", *CHIP)
    with bench.power_on() as board:
        assert board.booted == [] and "edge" in "\n".join(board.command("config list"))
        assert board.command("ota status nocheck")[0].startswith("Firmware:          2.0.0/ota_1/edge")
        board.command("config set my word kept")
    assert "kept" in done("flash", "settings", flash, *CHIP)
    assert "2.0.0" in done("flash", "map", flash, *CHIP)
    done("flash", "copy", flash, "ota_1", "ota_0", *CHIP)
    done("flash", "boot", flash, "ota_0", *CHIP)
    done("flash", "settings", flash, "--rm", "ota", "tag", *CHIP)
    boots(bench, "ota_0", SECOND)
    out = tmp_path / "read.bin"
    done("flash", "read", flash, "ota_0", out, *CHIP)
    assert out.read_bytes() == SECOND.bytes
