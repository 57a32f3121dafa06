# SPDX-License-Identifier: MIT
"""A board that waits for the next line sleeps: QEMU then has nothing to do."""

import os
import time
from pathlib import Path

import pytest

SECONDS = 3
BUSY = 0.4  # of that time; a board that spins takes all of it


def cpu_time(process):
    """Seconds that all of its threads have had so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.sample
def test_the_idle_board_sleeps(factory):
    with factory.power_on() as board:
        board.wait_for_prompt()
        begin = cpu_time(board.process)
        time.sleep(SECONDS)
        taken = cpu_time(board.process) - begin
        assert taken < BUSY * SECONDS, f"{taken} s of {SECONDS} s"
        board.command("board info")  # and it is still there
