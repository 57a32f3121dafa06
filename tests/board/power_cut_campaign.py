#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cuts the board's power at chosen operations of its flash, and at random moments by SIGTERM; then it has to recover.

usage: power_cut_campaign.py [--cuts N] [--stops N] [--ends N] [--seed N] [--jobs N] [--only SCENARIO]

A cut at an operation is replayed from a recorded life: the flash file is made as the power would have left it, read
back and compared with the one before the operation. That the replay is right is seen at some operations of each
scenario, where the board is stopped and QEMU ended. The ends at random moments happen in a board that runs.

After each cut the board boots something that verifies, and what was reported as selected; what ran and factory are as
they were; the same thing can be done again and then works. A cut after which that is not so has stranded the board.
"""

import argparse
import concurrent.futures
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "session"))

import board_flash  # noqa: E402
from board_flash import FIRST, FRAGILE, SECOND  # noqa: E402
from cut_scenarios import SCENARIOS, Place, Recording  # noqa: E402
from depot_server import DepotServer  # noqa: E402
from flash_trace import BEFORE  # noqa: E402
from qemu_board import Ended  # noqa: E402

RANDOM = ("download", "card", "patch", "trial")  # scenarios that are ended at random moments, in turn
MEASURED = 3  # times that each is played to its end before; the shortest one is how long it takes
IN_THE_MIDDLE = 0.6  # at least this part of the ends has to come before the scenario's own end


class Campaign:
    def __init__(self, folder, jobs=2, out=print):
        self.folder = Path(folder)
        self.jobs = jobs
        self.out = out
        self.servers = []
        self.places = queue.Queue()
        self.stranded = []

    def __enter__(self):
        plain, patched = self.folder / "depot", self.folder / "patched-depot"
        board_flash.publish(plain, FIRST, SECOND)
        board_flash.publish(patched, FIRST, SECOND, FRAGILE, patches=2)
        self.servers += [DepotServer(plain), DepotServer(patched)]
        for number in range(self.jobs):
            self.places.put(Place(self.folder / f"place-{number}", *self.servers))
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()

    def with_place(self, work, *arguments):
        place = self.places.get()
        try:
            return work(place, *arguments)
        finally:
            self.places.put(place)

    def map(self, work, items):
        """work(place, *item) for each, some at a time."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(self.with_place, work, *item) for item in items]
            return [future.result() for future in futures]

    # ---- cuts at operations ----

    def record(self, place, chosen):
        recording = Recording(place, chosen)
        kinds = Counter(operation.area for operation in recording.trace.operations)
        self.out(f"{chosen.name}: {len(recording.trace.operations)} operations "
                 f"({', '.join(f'{count} in {area}' for area, count in sorted(kinds.items()))}), "
                 f"{len(recording.cuts)} different cuts")
        return recording

    def cut(self, place, recording, number, way):
        """Returns whether it has fired."""
        name, operations = recording.scenario.name, recording.trace.operations
        where = str(operations[number]) if number < len(operations) else "the end"
        place.put(recording.trace.cut(number, way))
        try:
            recording.trace.check_cut(number, way, place.flash.read_bytes())
        except AssertionError as error:
            self.out(f"{name}, operation {number}, {way}: not fired: {error}")
            return False
        try:
            recording.scenario.recover(place, recording.choices(number, way))
        except Exception as error:  # whatever it is, this cut has failed
            kept = self.keep(place, recording.trace.cut(number, way), f"{name}-{number}-{way}")
            self.stranded.append(f"{name}, operation {number}, {way}, {where} ({kept}): {error}")
            self.out(self.stranded[-1])
        return True

    def stop(self, place, recording, number):
        """Plays the life again and ends QEMU at that operation. Returns whether that leaves what the replay makes."""
        chosen = recording.scenario
        place.put(recording.trace.initial)
        try:
            trace, _ = place.trace(chosen.play, number)
            assert len(trace.operations) == number, f"it has ended at operation {len(trace.operations)}"
            assert place.flash.read_bytes() == trace.cut(number, BEFORE), "the file is not what the replay makes"
            assert trace.operations == recording.trace.operations[:number], "it has become another life"
            return True
        except Exception as error:  # whatever it is, the replay is not to be trusted
            self.out(f"{chosen.name}, stopped at operation {number}: {error}")
            return False

    def keep(self, place, content, name):
        """The flash as the power left it, for whoever looks for the cause."""
        kept = Path("build") / "board" / "stranded"
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{name}.bin").write_bytes(content)
        shutil.copyfile(place.card, kept / f"{name}-card.img")
        return kept / f"{name}.bin"

    def cuts(self, count, stops, scenarios=SCENARIOS):
        """`stops` for each scenario. Returns whether all were planned and fired, and none stranded the board."""
        whole = sum(scenario.share for scenario in scenarios)
        recordings = self.map(self.record, [(scenario,) for scenario in scenarios])
        planned = [(recording, *cut) for recording in recordings
                   for cut in recording.plan(-(-recording.scenario.share * count // whole))]
        random.Random(count).shuffle(planned)  # long and short ones at all times
        stopped = self.map(self.stop, [(recording, number) for recording in recordings
                                       for number in recording.stops(stops)])
        fired = self.map(self.cut, planned)
        counts = Counter(cut[0].scenario.name for cut, done in zip(planned, fired) if done)
        self.out(f"{sum(stopped)} of {len(stopped)} stops by SIGTERM at an operation left what the replay makes")
        self.out(f"replayed from a recorded life: "
                 f"{', '.join(f'{count} in {name}' for name, count in sorted(counts.items()))}")
        self.out(f"{len(planned)} cuts planned, {sum(fired)} fired, {len(self.stranded)} stranded")
        return len(planned) >= count and all(fired) and all(stopped) and not self.stranded

    # ---- ends by SIGTERM ----

    def play(self, place, chosen, moment=None):
        """Plays a scenario until that moment behind its first prompt; returns its length, and whether it was cut."""
        board = place.board()
        timer = threading.Timer(moment, board.process.terminate) if moment is not None else None
        cut, length = False, 0
        try:
            board.wait_for_prompt()
            begin = time.monotonic()
            if timer:
                timer.start()
            chosen.play(board, lambda slot: None)
            length = time.monotonic() - begin
        except Ended:
            cut = True
        finally:
            if timer:
                timer.cancel()
            board.terminate()
        board.check()
        return length, cut

    def measure(self, place, chosen):
        chosen.prepare(place)
        prepared = place.flash.read_bytes()
        lengths = []
        for _ in range(MEASURED):
            place.put(prepared)
            lengths.append(self.play(place, chosen)[0])
        return chosen, prepared, min(lengths)

    def end(self, place, measured, number, seed):
        chosen, prepared, length = measured
        moment = random.Random(f"{seed}/{number}").uniform(0, length)
        content = prepared
        place.put(prepared)
        try:
            _, cut = self.play(place, chosen, moment)
            content = place.flash.read_bytes()
            chosen.recover(place, {None, *chosen.selects})
            return cut
        except Exception as error:  # whatever it is, this end has stranded the board
            kept = self.keep(place, content, f"end-{number}")
            self.stranded.append(f"{chosen.name}, ended after {moment:.3f} s, number {number} ({kept}): {error}")
            self.out(self.stranded[-1])
            return True

    def ends(self, count, seed):
        """The same for ends at random moments."""
        measured = {scenario.name: self.with_place(self.measure, scenario)
                    for scenario in SCENARIOS if scenario.name in RANDOM}
        ends = [(measured[RANDOM[number % len(RANDOM)]], number, seed) for number in range(count)]
        middle = sum(self.map(self.end, ends))
        self.out(f"{count} ends by SIGTERM (seed {seed}): {middle} in the middle, {len(self.stranded)} stranded")
        return middle >= IN_THE_MIDDLE * count and not self.stranded


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cuts", type=int, default=620,
                        help="at operations of the flash, replayed from a recorded life (default 620)")
    parser.add_argument("--stops", type=int, default=3, help="of a scenario, where QEMU is ended (default 3)")
    parser.add_argument("--ends", type=int, default=100, help="by SIGTERM (default 100)")
    parser.add_argument("--seed", type=int, default=5, help="of the moments of the ends (default 5)")
    parser.add_argument("--jobs", type=int, default=2, help="boards at a time (default 2)")
    parser.add_argument("--only", help="the scenario of that name")
    options = parser.parse_args()

    def out(text):
        print(text, flush=True)

    scenarios = [scenario for scenario in SCENARIOS if options.only in (None, scenario.name)]
    with tempfile.TemporaryDirectory(prefix="lifeboat-board-") as folder:
        with Campaign(folder, options.jobs, out) as campaign:
            well = campaign.ends(options.ends, options.seed) if options.ends else True
            well = (campaign.cuts(options.cuts, options.stops, scenarios) if options.cuts else True) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
