# SPDX-License-Identifier: MIT
"""A few of the kills of kill_campaign.py: `make kills` does all of them."""

from kill_campaign import campaign

RUNS = 20
SEED = 20
LEAST = 0.5  # in the middle: few kills, on a machine that does other things as well


def test_kills(tmp_path):
    assert campaign(SEED, RUNS, 2, tmp_path, LEAST)
