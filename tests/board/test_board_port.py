# SPDX-License-Identifier: MIT
"""tests/port, the conformance suite of a port, as the firmware of the board: through resets, a crash and a hang."""

import re
import time

import pytest
from board_flash import Firmware

pytestmark = pytest.mark.sample

SUITE = Firmware("port_suite", "1.0.0")
END = "suite: end"
CHECK = re.compile(r"^(?:flash|clock|reset|suite): .* \.\.\. (.*)$", re.MULTILINE)


def test_port_suite(bench):
    bench.create(factory=SUITE)
    with bench.power_on() as board:
        board.wait_for("clock: one second begins")
        begin = time.monotonic()
        board.wait_for("clock: one second ends")
        lasted = time.monotonic() - begin
        board.wait_for(END)
        results = CHECK.findall(board.text)
        assert len(results) > 25 and set(results) == {"ok"}, board.text
        assert f"{len(results)} checks, {len(results)} passed" in board.rows, board.tail
        assert board.booted == ["factory"] * 4, board.booted  # power-on, reset, crash, watchdog
        assert 0.7 < lasted < 3, lasted  # the host has other things to do, too
    with bench.power_on() as board:  # it is done: the result is told again
        board.wait_for(END)
        assert f"{len(results)} checks, {len(results)} passed" in board.rows, board.tail
