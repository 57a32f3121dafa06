# SPDX-License-Identifier: MIT
"""The mission's session on the board: what is downloaded is another program, and after the reset that program runs."""

import re

import pytest
from board_flash import FIRST, FRAGILE, SECOND, server_setting
from terminal import PROMPT

pytestmark = pytest.mark.sample

FILE = "v3.1/main/ovms3.bin"
DOWNLOADING = re.compile(r"Downloading\.\.\. \((\d+) bytes so far\)")
UNKNOWN = "Error: board info: there is no such command - see `help` (ESP_ERR_INVALID_ARG, 258)"


def status(firmware, slot, boot=None, available=SECOND):
    """What `ota status` prints, as far as the build's date does not come into it."""
    return [firmware.line(slot), f"Server Available:  {available.version}", f"Running partition: {slot}",
            f"Boot partition:    {boot or slot}"]


def begins(rows, expected):
    assert len(rows) >= len(expected) and all(row.startswith(start) for row, start in zip(rows, expected)), rows


def check_download(rows, firmware, source, target, running):
    size = len(firmware.bytes)
    counts = [int(found[1]) for found in map(DOWNLOADING.fullmatch, rows) if found]
    assert [row for row in rows if not DOWNLOADING.fullmatch(row)] == [
        f"Current running partition is: {running}",
        f"Target partition is: {target}",
        f"Download firmware from {source} to {target}",
        f"Expected file size is {size}",
        "Preparing flash partition...",
        f"Download complete (at {size} bytes)",
        "Setting boot partition...",
        "OTA flash was successful",
        f"  Flashed {size} bytes from {source}",
        f"  Next boot will be from '{target}'",
    ]
    assert len(counts) == size // 100001 and counts == sorted(counts)


def test_mission(bench, depot):
    bench.create(factory=FIRST, ota_1=FRAGILE)
    server = server_setting(depot.address)
    with bench.power_on() as board:
        assert board.command(f"config set ota server {server}") == ["Parameter has been set."]
        begins(board.command("ota status"), status(FIRST, "factory"))
        assert board.command("ota boot ota_1") == ["Boot from ota_1 at 0x00810000 (size 0x00400000)"]
        begins(board.command("ota status"), status(FIRST, "factory", "ota_1"))
        assert board.command("board info") == [UNKNOWN]
        check_download(board.command("ota flash http"), SECOND, f"{server}/{FILE}", "ota_0", "factory")
        begins(board.command("ota status"), status(FIRST, "factory", "ota_0"))
        board.command("module reset")
        assert board.booted == ["factory", "ota_0"]
        begins(board.command("ota status"), status(SECOND, "ota_0"))
        info = board.command("board info")
        assert info[0].startswith("Processor:  RV32 with ") and "IM" in info[0]
        assert info[1] == "Flash:      JEDEC id 9d7019"
        assert re.fullmatch(r"Ethernet:   (?:[0-9a-f]{2}:){5}[0-9a-f]{2}", info[2])
        assert re.fullmatch(r"Up:         \d+\.\d{3} s, 1 reset\(s\) since power-on", info[4])
    with bench.power_on() as board:  # and after a loss of power, too
        assert board.command("ota status")[0].startswith(SECOND.line("ota_0"))
        assert board.booted == ["ota_0"]


def test_from_the_card_and_back_to_factory(bench):
    bench.create(factory=FIRST).insert({"ovms3.bin": SECOND.bytes})
    size = len(SECOND.bytes)
    with bench.power_on() as board:
        rows = board.command("ota flash vfs /sd/ovms3.bin")
        assert rows == [
            "Current running partition is: factory",
            "Target partition is: ota_0",
            f"Source image is {size} bytes in size",
            "Preparing flash partition...",
            "Flashing image partition...",
            "Setting boot partition...",
            "OTA flash was successful",
            f"  Flashed {size} bytes from /sd/ovms3.bin",
            "  Next boot will be from 'ota_0'",
        ]
        board.command("module reset")
        assert board.command("ota status nocheck")[0].startswith(SECOND.line("ota_0"))
        assert board.command("ota boot factory") == ["Boot from factory at 0x00010000 (size 0x00400000)"]
        board.command("module reset")
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))
        assert board.booted == ["factory", "ota_0", "factory"]


def test_two_updates_in_turn(bench, depot):
    """Each goes to the slot that does not run."""
    bench.create(factory=FIRST).insert({"one.bin": FIRST.bytes})
    with bench.power_on() as board:
        board.command(f"config set ota server {server_setting(depot.address)}")
        board.command("ota flash http")
        board.command("module reset")
        board.command("ota flash vfs /sd/one.bin")
        board.command("module reset")
        assert board.booted == ["factory", "ota_0", "ota_1"]
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("ota_1"))


def test_the_prompt(factory):
    """What a terminal does at the prompt."""
    with factory.power_on() as board:
        board.wait_for_prompt()
        row = len(board.screen.rows) - 1
        board.send("ota sta\t")
        board.read(lambda: board.rows[row] == PROMPT + "ota status", "completed line")
        board.send("\x03")
        board.wait_for_prompt(row + 1)
        help_rows = board.command("help")
        assert any(line.startswith("ota flash http") for line in help_rows), help_rows
        assert not any("board info" in line for line in help_rows)
