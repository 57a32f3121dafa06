# SPDX-License-Identifier: MIT
"""A few of the cuts of power_cut_campaign.py, and that a stop is as good as a cut; `make board-test` does all."""

import pytest
from board_flash import FIRST, SECOND, server_setting
from cut_scenarios import BY_HTTP, SCENARIOS
from flash_layout import OTADATA
from flash_trace import BEFORE, Tracer
from power_cut_campaign import Campaign
from qemu_board import Stopped

CUTS = 25
LENGTH = 0x2000  # of otadata


@pytest.mark.sample
def test_cuts(tmp_path, capsys):
    with Campaign(tmp_path, jobs=1) as campaign:
        well = campaign.cuts(CUTS)
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
