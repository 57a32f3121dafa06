# SPDX-License-Identifier: MIT
"""`make board` as a person has it: scripts/board.py on a terminal."""

import re
import sys

import pexpect
import pytest
from qemu_board import ROOT, TIMEOUT
from terminal import PROMPT

CTRL_A, CTRL_C = "\x01", "\x03"


def start(folder, *more):
    board = pexpect.spawn(sys.executable, [str(ROOT / "scripts" / "board.py"), "--folder", str(folder), *more],
                          timeout=TIMEOUT, encoding="utf-8", dimensions=(50, 160))
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


@pytest.mark.sample
def test_make_board(tmp_path):
    folder = tmp_path / "run"
    board = start(folder)
    try:
        board.send("nonsense" + CTRL_C)  # which must reach the board, not end QEMU
        board.expect_exact(PROMPT)
        command(board, "ota flash http", "OTA flash was successful")
        command(board, "module reset", "boot: starting ota_0 on trial")
        command(board, "board info", "JEDEC id 9d7019")
        command(board, "ota flash vfs /sd/ovms3.bin", "OTA flash was successful")
        leave(board)
        log = (folder / "depot.log").read_text()
        assert re.search(r"GET /firmware/ota/v3.1/main/ovms3.bin 200", log), log
        board = start(folder)  # and what it was is kept
        command(board, "ota status", re.escape("Firmware:          2.0.0/ota_1/main"))
        leave(board)
        board = start(folder, "--fresh")
        command(board, "ota status", re.escape("Firmware:          1.0.0/factory/main"))
        leave(board)
    finally:
        board.close()  # SIGHUP, which ends QEMU and the depot as well
        for path in folder.glob("*.*"):
            path.unlink()
