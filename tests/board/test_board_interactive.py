# SPDX-License-Identifier: MIT
"""`make board` as a person has it: scripts/board.py on a terminal."""

import os
import re
import signal
import subprocess
import sys
import time

import pexpect
import pytest
from depot_server import LIFEBOAT
from qemu_board import ROOT, TIMEOUT
from terminal import PROMPT

CTRL_A, CTRL_C = "\x01", "\x03"
PROGRAM = str(ROOT / "scripts" / "board.py")
FLASH_SIZE = 32 << 20
TABLES, TABLES_SIZE = 0x7000, 0x2000  # the copy comes first
FACTORY = 0x10000


def spawn(folder, *more):
    return pexpect.spawn(sys.executable, [PROGRAM, "--folder", str(folder), *more], timeout=TIMEOUT, encoding="utf-8",
                         dimensions=(50, 1000))


def start(folder, *more):
    board = spawn(folder, *more)
    board.expect_exact("Ctrl-A X switches the board off.")
    board.expect_exact(PROMPT)
    return board


def command(board, line, expected):
    board.send(line + "\r")
    board.expect(expected)
    board.expect_exact(PROMPT)


def leave(board):
    board.send(CTRL_A + "x")
    board.expect(pexpect.EOF)
    board.close()
    assert board.exitstatus == 0, (board.exitstatus, board.signalstatus, board.before)


def refused(folder, expected):
    """It does not start, for this reason."""
    board = spawn(folder)
    board.expect(expected)
    board.expect(pexpect.EOF)
    assert "OVMS" not in board.before, board.before
    board.close()
    assert board.exitstatus == 1, (board.exitstatus, board.signalstatus)


def overwrite(path, address, data):
    with open(path, "r+b") as file:
        file.seek(address)
        file.write(data)


def running_in(folder):
    """The programs that have the folder's name in their command line, beside this one."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if str(folder).encode() in words and entry != str(os.getpid()):
            found.append(words)
    return found


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    folder = tmp_path / "run"
    yield folder
    for path in folder.glob("*.*"):  # 96 MB
        path.unlink()


@pytest.mark.sample
def test_make_board(folder):
    board = start(folder)
    try:
        board.send("nonsense" + CTRL_C)  # which must reach the board, not end QEMU
        board.expect_exact(PROMPT)
        command(board, "ota flash http", "By patch from factory")
        command(board, "module reset", "boot: starting ota_0 on trial")
        command(board, "board info", "JEDEC id 9d7019")
        command(board, "ota flash vfs /sd/ovms3.bin", "OTA flash was successful")
        leave(board)
        log = (folder / "depot.log").read_text()
        assert re.search(r"GET /firmware/ota/v3.1/main/ovms3.bin.[0-9a-f]{16}.patch 200", log), log
        board = start(folder)  # and what it was is kept
        command(board, "ota status", re.escape("Firmware:          2.0.0/ota_1/main"))
        leave(board)
        board = start(folder, "--fresh")
        command(board, "ota status", re.escape("Firmware:          1.0.0/factory/main"))
        leave(board)
    finally:
        board.close()  # SIGHUP, which ends QEMU and the depot as well


@pytest.mark.sample
def test_two_at_once_and_a_kill(folder):
    board = start(folder)
    try:
        refused(folder, "Error: another board runs in .*--folder")
        flash = folder / "flash.bin"
        done = subprocess.run([LIFEBOAT, "flash", "erase", flash, "ota_1"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "flash file is in use" in done.stderr, done
        command(board, "ota flash http", "OTA flash was successful")  # the first one's depot is still there
        assert running_in(folder)
        board.kill(signal.SIGKILL)
        end = time.monotonic() + TIMEOUT
        while running_in(folder):
            assert time.monotonic() < end, running_in(folder)
            time.sleep(0.1)
    finally:
        board.close()


@pytest.mark.sample
def test_flash_that_is_damaged(folder):
    board = start(folder)
    try:
        leave(board)
        flash = folder / "flash.bin"
        overwrite(flash, FACTORY + 0x1000, bytes(64))
        board = spawn(folder)
        board.expect("Factory or bootloader in .* is not what was built last; `make board FRESH=1`")
        board.expect_exact("boot: halted")
        leave(board)
        overwrite(flash, TABLES, bytes(TABLES_SIZE))
        board = spawn(folder)
        board.expect("Warning: `ota server` cannot be set .*`make board FRESH=1`")
        board.expect_exact("boot: halted")
        leave(board)
        os.truncate(flash, FLASH_SIZE // 2)
        refused(folder, f"Error: .* has {FLASH_SIZE // 2} bytes, .*`make board FRESH=1`")
        board = start(folder, "--fresh")
        leave(board)
    finally:
        board.close()


@pytest.mark.sample
def test_no_terminal(folder):
    done = subprocess.run([sys.executable, PROGRAM, "--folder", folder], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 2 and "needs a terminal" in done.stderr, done
    assert not folder.exists()
