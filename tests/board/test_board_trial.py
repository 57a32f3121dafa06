# SPDX-License-Identifier: MIT
"""Firmwares that crash or hang, for real: the trap handler, the watchdog and the bootloader get rid of them."""

import re

import pytest
from board_flash import CRASHING, FIRST, FRAGILE, HANGING, SECOND, server_setting
from elf_program import ElfProgram
from qemu_board import BUILD

CRASH = re.compile(r"crash: cause 00000005 at ([0-9a-f]{8}), address dead0000, called from [0-9a-f]{8}")
FRAGILE_ELF = ElfProgram(BUILD / f"{FRAGILE.name}.elf")

FORCE = "add force to flash it all the same"


def update(board, path, slot, *more):
    rows = board.command(" ".join(("ota flash vfs", path, *more)))
    assert rows[-1] == f"  Next boot will be from '{slot}'", rows


def attempts(slot, running, end):
    """What is booted in three attempts, and then."""
    return [*[f"boot: starting {slot} on trial, attempt {attempt} of 3" for attempt in (1, 2, 3)],
            f"boot: {slot}: failed its trial: {end}", f"boot: going back to {running}", f"boot: starting {running}"]


def boot_lines(board):
    return [row for row in board.rows if row.startswith(("boot: starting", "boot: going back")) or "failed its" in row]


@pytest.mark.sample
def test_crash_at_start(bench):
    bench.create(factory=FIRST, ota_0=SECOND).select("ota_0").insert({"bad.bin": CRASHING.bytes})
    with bench.power_on() as board:
        update(board, "/sd/bad.bin", "ota_1")
        row = len(board.screen.rows)
        board.command("module reset")
        assert boot_lines(board)[1:] == attempts("ota_1", "ota_0", "it crashed")
        assert board.text.count("crash: cause ") == 3
        assert board.text.count("boot: after a crash") == 3
        status = board.command("boot status")
        assert status[1] == "  This is reset #4 since last power cycle"
        assert status[2] == "  Detected boot reason: Crash"
        assert status[3] == "  Crash counters: 3 total, 3 early"
        assert status[4] == "  ota_1 failed its trial (it crashed); ota_0 was booted instead"
        assert "3.0.0" in "\n".join(board.command("ota history"))
        assert board.command("board info")[1] == "Flash:      JEDEC id 9d7019"
        refused = board.command("ota flash vfs /sd/bad.bin")
        assert any(FORCE in line for line in refused), refused
        assert row < len(board.screen.rows)
    with bench.power_on() as board:  # and there it stays
        assert board.command("ota status nocheck")[0].startswith(SECOND.line("ota_0"))
        assert board.booted == ["ota_0"]


def test_hang_at_start(bench):
    bench.create(factory=FIRST).settings(trial_attempts=2).insert({"bad.bin": HANGING.bytes})
    with bench.power_on() as board:
        update(board, "/sd/bad.bin", "ota_0")
        board.command("module reset")
        assert board.booted == ["factory", "ota_0", "ota_0", "factory"]
        assert board.text.count("boot: after a reset by the watchdog") == 2
        status = board.command("boot status")
        assert status[2] == "  Detected boot reason: Watchdog"
        assert status[4] == "  ota_0 failed its trial (it hung); factory was booted instead"


@pytest.mark.parametrize("word, way, reason, cause", [
    ("crash", "boot: after a crash", "Crash", "it crashed"),
    ("hang", "boot: after a reset by the watchdog", "Watchdog", "it hung"),
])
def test_later_crashes(bench, word, way, reason, cause):
    """It runs, and then fails when it is told to: three of those, and it is given up."""
    bench.create(factory=FIRST).settings(trial_attempts=2).insert({"new.bin": FRAGILE.bytes})
    with bench.power_on() as board:
        update(board, "/sd/new.bin", "ota_0")
        board.command("module reset")
        for attempt in (1, 2):
            assert board.command("boot status")[4] == f"  On trial: attempt {attempt} of 2, 0 second(s) of 120 run"
            board.command(f"test {word}")
            assert board.text.count(way) == attempt
        status = board.command("boot status")
        assert status[2] == f"  Detected boot reason: {reason}"
        assert status[4] == f"  ota_0 failed its trial ({cause}); factory was booted instead"


@pytest.mark.parametrize("word", ["crash", "hang"])
def test_a_confirmed_firmware_may_crash(bench, word):
    bench.create(factory=FIRST, ota_0=FRAGILE).select("ota_0")
    with bench.power_on() as board:
        for crashes in (1, 2, 3, 4)[:4 if word == "crash" else 1]:
            board.command(f"test {word}")
            assert board.command("boot status")[3].startswith(f"  Crash counters: {crashes} total")
        assert set(board.booted) == {"ota_0"}


def test_an_early_crash(bench):
    """One before the trial time has run, whether on trial or not."""
    bench.create(factory=FIRST, ota_0=FRAGILE).select("ota_0")
    with bench.power_on() as board:
        board.command("test crash")
        assert board.command("boot status")[3] == "  Crash counters: 1 total, 1 early"
        board.command("config set ota trial.time 1")
        board.command("module wait 3")
        board.command("test crash")
        assert board.command("boot status")[3] == "  Crash counters: 2 total, 1 early"


def test_the_crash_is_told(bench):
    """Where it crashed, and over what address, is on the UART."""
    bench.create(factory=FIRST, ota_0=FRAGILE).select("ota_0")
    with bench.power_on() as board:
        board.command("test crash")
        told = [row for row in board.rows if row.startswith("crash: cause ")]
        assert len(told) == 1, told
        found = CRASH.fullmatch(told[0])
        place = FRAGILE_ELF.function("test_crash")
        assert found and place <= int(found[1], 16) < place + 32, told


@pytest.mark.sample
def test_confirmed_by_running_and_by_its_depot(bench, depot):
    bench.create(factory=FIRST).settings(trial_time=2, server=server_setting(depot.address))
    bench.insert({"new.bin": FRAGILE.bytes})
    with bench.power_on() as board:
        update(board, "/sd/new.bin", "ota_0")
        board.command("module reset")
        assert "On trial: attempt 1 of 3" in board.command("boot status")[4]
        board.command("ota status")  # its depot answers
        board.command("module wait 3")
        assert board.command("boot status")[4].startswith("  Its trial has ended well: "), board.tail
        board.command("test crash")
        assert board.booted == ["factory", "ota_0", "ota_0"]
    with bench.power_on() as board:
        assert board.command("ota status nocheck")[0].startswith(FRAGILE.line("ota_0"))


def test_rejected_by_the_operator(bench):
    bench.create(factory=FIRST, ota_0=SECOND).select("ota_0").insert({"new.bin": FRAGILE.bytes})
    with bench.power_on() as board:
        update(board, "/sd/new.bin", "ota_1")
        board.command("module reset")
        board.command("ota reject")  # which resets it
        assert board.booted == ["ota_0", "ota_1", "ota_0"]
        assert "rejected by the operator" in "\n".join(board.command("ota status full"))


def test_power_lost_on_trial(bench):
    """Losses of power before the trial time count like crashes."""
    bench.create(factory=FIRST).insert({"new.bin": FRAGILE.bytes})
    with bench.power_on() as board:
        update(board, "/sd/new.bin", "ota_0")
    for attempt in (1, 2, 3):
        with bench.power_on() as board:
            assert f"On trial: attempt {attempt} of 3" in board.command("boot status")[4]
    with bench.power_on() as board:
        assert board.booted == [] and board.command("boot status")[4] == (
            "  ota_0 failed its trial (the power was lost before its trial time had run); factory was booted instead")
        assert board.booted == ["factory"]
