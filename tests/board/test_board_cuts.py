# SPDX-License-Identifier: MIT
"""A few of the cuts of power_cut_campaign.py, and that a stop is as good as a cut; `make board-test` does all."""

import pytest
from board_flash import FIRST, SECOND, server_setting
from cut_scenarios import BY_HTTP, SCENARIOS
from flash_layout import OTADATA, area, flip
from flash_trace import BEFORE, ERASE, PROGRAM, WAYS, Operation, Trace, Tracer
from power_cut_campaign import Campaign
from qemu_board import Ended, Stopped

CUTS = 25
STOPS = 1  # of each scenario
LENGTH = 0x2000  # of otadata


@pytest.mark.sample
def test_cuts(tmp_path, capsys):
    with Campaign(tmp_path, jobs=2) as campaign:
        well = campaign.cuts(CUTS, STOPS)
    assert well, capsys.readouterr().out


@pytest.mark.parametrize("last", [0, 1, 40, 333])
def test_a_stop_is_as_good_as_a_cut(bench, depot, last):
    """The file at a stop is what is left when QEMU ends there, and what the operations so far have made of it."""
    bench.create(factory=FIRST).settings(server=server_setting(depot.address))
    with bench.power_on(gdb=True) as board:
        tracer = Tracer(board, (FIRST, SECOND), last)
        tracer.start()
        with pytest.raises(Stopped):
            board.command(BY_HTTP)
        trace = tracer.finish()
        at_stop = bench.flash.read_bytes()
    assert len(trace.operations) == last
    assert bench.flash.read_bytes() == at_stop
    assert trace.cut(last, BEFORE) == at_stop


def test_the_plan_is_of_different_cuts(tmp_path):
    """No two cuts of a scenario leave the same flash: this one writes to otadata only."""
    chosen = next(scenario for scenario in SCENARIOS if scenario.name == "selection")
    with Campaign(tmp_path, jobs=1) as campaign:
        recording = campaign.map(campaign.record, [(chosen,)])[0]
    plan = recording.plan(10000)
    otadata = slice(OTADATA, OTADATA + LENGTH)
    assert len({bytes(recording.trace.cut(*cut)[otadata]) for cut in plan}) == len(plan) > 40


# ---- what the tests themselves notice ----


@pytest.mark.parametrize("operation", [
    Operation(PROGRAM, OTADATA, 4, b"\x12\x34\x56\x78", "firmware", 1),
    Operation(ERASE, OTADATA, 0x1000, b"", "firmware", 1),
])
def test_a_cut_that_does_not_fire(operation):
    """What is read back is not what the cut's way demands: it is as before, done, or another byte differs, too."""
    fill = b"\xff" if operation.kind == PROGRAM else b"\x5a"
    trace = Trace(fill * 0x10000)
    trace.operations.append(operation)
    for way in WAYS[operation.kind]:
        left = trace.cut(0, way)
        trace.check_cut(0, way, left)
        wrong = [trace.cut(1, BEFORE), left[:0x100] + b"\x00" + left[0x101:]]
        for other in wrong if way == BEFORE else [*wrong, trace.initial]:
            with pytest.raises(AssertionError):
                trace.check_cut(0, way, other)


def test_a_running_slot_that_changes(bench):
    """Also before a reset after which another one runs."""
    bench.create(factory=FIRST, ota_0=SECOND).select("ota_0")
    with bench.power_on() as board:
        board.wait_for_prompt()
        flip(bench.flash, area("ota_0").end - 1)
        board.command("ota boot factory")
        with pytest.raises(AssertionError, match="ota_0 changed while it ran"):
            board.command("module reset")
        flip(bench.flash, area("ota_0").end - 1)


def test_an_operation_in_the_running_slot():
    trace = Trace(b"")
    trace.operations.append(Operation(ERASE, area("ota_0").start, 0x1000, b"", "second", 2))
    trace.check_running(["ota_0", "factory"])
    with pytest.raises(AssertionError, match="by second"):
        trace.check_running(["factory", "ota_0"])


def test_typing_to_a_board_that_has_ended(factory):
    with factory.power_on() as board:
        board.wait_for_prompt()
        board.process.terminate()
        with pytest.raises(Ended):
            board.wait_for("what never comes")
        with pytest.raises(Ended, match="was typed"):
            board.send("board info")
