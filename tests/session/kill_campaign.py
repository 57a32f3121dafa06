#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the process of a virtual module at random moments of an update, starts it again and lets it update again.

usage: kill_campaign.py [--runs N] [--seed N] [--jobs N]

After each kill: factory and the running slot are as they were, what boots verifies, the repeated update succeeds and
boots, and it transfers at most what was missing and one block, as the server counts it. At least five of six kills have
to find the target neither untouched nor complete.
"""

import argparse
import concurrent.futures
import queue
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from depot_server import DepotServer, lifeboat, published
from flash_layout import OVMS, area
from image_builder import HEADER_SIZE, build_image
from virtual_module import VirtualModule

SIZE = 330000  # bytes of an image: five blocks and a bit
BLOCK = 65536
IMAGE = build_image("3.1.009", size=SIZE)
SLOW = ("--timing", "w25q128jv", "--clock", "real")
LEAST_IN_THE_MIDDLE = 250 / 300
MEASURED = 2  # updates without a kill: the shorter one is the length of an update
UNTOUCHED, MIDDLE, COMPLETE = "untouched", "in the middle", "complete"


@dataclass(frozen=True)
class Start:
    """How a module stands before: what runs and what the update goes to."""

    name: str
    running: str
    target: str
    slots: tuple  # (option of `flash create`, version)


STARTS = (
    Start("a module as it leaves production", "factory", "ota_0", (("--factory", "3.1.001"),)),
    Start(
        "one that has been updated before",
        "ota_0",
        "ota_1",
        (("--factory", "3.1.001"), ("--ota-0", "3.1.007"), ("--ota-1", "3.1.006")),
    ),
)


def prepare(start, folder):
    """Makes the flash file that the runs copy."""
    path = folder / f"{start.running}.bin"
    words = []
    for option, version in start.slots:
        image = folder / f"{version}.img"
        image.write_bytes(build_image(version, size=SIZE))
        words += [option, image]
    for command in (("create", path, *words), ("boot", path, start.running)):
        done = lifeboat("flash", *command)
        assert done.returncode == 0, done.stderr
    return path


def bytes_of(module, slot):
    found = area(slot, OVMS)
    with open(module.flash, "rb") as file:
        file.seek(found.start)
        return file.read(found.size)


def written(slot):
    """Bytes from the image's start that are on the flash, the first ones aside, which come last."""
    at = next((at for at in range(HEADER_SIZE, SIZE, 4096) if slot[at : at + 4096] != IMAGE[at : at + 4096]), SIZE)
    return next((i for i in range(at, min(at + 4096, SIZE)) if slot[i] != IMAGE[i]), SIZE)


class Place:
    """A folder and a server of its own for runs that follow each other."""

    def __init__(self, folder, depot):
        self.folder = folder
        self.server = DepotServer(depot)

    def module(self, flash, name):
        folder = self.folder / name
        folder.mkdir()
        shutil.copyfile(flash, folder / "flash.bin")
        module = VirtualModule(folder, folder / "flash.bin")
        module.server = self.server.address
        return module

    def transferred(self):
        """Bytes of images that the server has sent so far. It logs an answer once the connection has ended."""
        time.sleep(0.02)
        return sum(int(count) for count in re.findall(r" GET \S+\.bin \d+ (\d+)", self.server.read_errors()))


def booted(session, slot):
    """Has the bootloader started that slot last, and verified it before?"""
    assert session.booted[-1] == slot, (session.booted, session.boot_log)
    assert f"boot: {slot}: verified" in session.boot_log, session.boot_log


def begin_update(module):
    """A module that has just been told to update, and when that was."""
    session = module.start(*SLOW)
    session.send("boot status")
    session.wait_for("Last boot was")
    session.send("ota flash http")
    return session, time.monotonic()


def measure(place, start, flash, number):
    """How long an update takes that nobody disturbs, in seconds."""
    module = place.module(flash, f"measure-{start.running}-{number}")
    session, begin = begin_update(module)
    session.wait_for("OTA flash was successful")
    length = time.monotonic() - begin
    session.end()
    assert bytes_of(module, start.target)[:SIZE] == IMAGE
    shutil.rmtree(module.folder)
    return length


def kill_update(module, start, moment):
    """Returns the state of the target, and how many bytes are still missing."""
    before = bytes_of(module, start.target)
    session, begin = begin_update(module)
    time.sleep(max(0, begin + moment - time.monotonic()))
    session.kill()
    after = bytes_of(module, start.target)
    if after == before:
        return UNTOUCHED, SIZE
    return (COMPLETE if after[:SIZE] == IMAGE else MIDDLE), SIZE - written(after)


def update_again(place, module, start, missing):
    """What boots now verifies; it updates again; the new one boots. Returns the bytes that were transferred."""
    first = place.transferred()
    session = module.start()
    session.send("boot status")
    session.wait_for("Last boot was")
    if session.booted == [start.target]:  # the kill came when all was done
        booted(session, start.target)
        session.end()
        return 0
    booted(session, start.running)
    session.send("ota flash http")
    session.send("module reset")
    session.end()
    booted(session, start.target)
    assert bytes_of(module, start.target)[:SIZE] == IMAGE
    count = place.transferred() - first
    assert count <= missing + BLOCK, f"{count} bytes were transferred, but {missing} were missing"
    return count


class Campaign:
    def __init__(self, seed, runs, jobs, folder, least):
        self.least = least
        self.seed = seed
        self.runs = runs
        self.jobs = jobs
        self.folder = folder
        self.depot = folder / "depot"
        image = folder / "new.img"
        image.write_bytes(IMAGE)
        published(self.depot, image)
        self.flash = {start: prepare(start, folder) for start in STARTS}
        self.lengths = {}
        self.places = queue.Queue()

    def one(self, number):
        start = STARTS[number % len(STARTS)]
        moment = random.Random(f"{self.seed}/{number}").uniform(0, self.lengths[start])
        place = self.places.get()
        try:
            module = place.module(self.flash[start], str(number))
            state, missing = kill_update(module, start, moment)
            count = update_again(place, module, start, missing)
            shutil.rmtree(module.folder)
            return state, missing, count, None
        except AssertionError as error:
            return None, 0, 0, f"run {number}, {start.name}, killed after {moment:.3f} s (in {self.folder}): {error}"
        finally:
            self.places.put(place)

    def run(self):
        """Returns whether everything was as it has to be."""
        places = [Place(self.folder, self.depot) for _ in range(self.jobs)]
        try:
            for start in STARTS:
                self.lengths[start] = min(measure(places[0], start, self.flash[start], i) for i in range(MEASURED))
                print(f"{start.name}: an update takes {self.lengths[start]:.2f} s", flush=True)
            for place in places:
                self.places.put(place)
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                results = list(pool.map(self.one, range(self.runs)))
        finally:
            for place in places:
                place.server.stop()
        return self.report(results)

    def report(self, results):
        states = Counter(state for state, _, _, error in results if not error)
        errors = [error for *_, error in results if error]
        for error in errors:
            print(error)
        asked = [(missing, count) for state, missing, count, error in results if state == MIDDLE and not error]
        spared = sum(SIZE - count for _, count in asked)
        twice = max((count - missing for missing, count in asked), default=0)
        print(
            f"{self.runs} kills (seed {self.seed}): {states[MIDDLE]} in the middle, {states[UNTOUCHED]} before anything "
            f"was written, {states[COMPLETE]} after all was; {len(errors)} broken"
        )
        print(
            f"of {len(asked) * SIZE:,} bytes the updates in the middle did not have to transfer {spared:,} again, "
            f"and none more than {max(twice, 0):,} twice"
        )
        enough = states[MIDDLE] >= self.least * self.runs
        if not enough:
            print(f"Error: at least {self.least * self.runs:.0f} kills have to come in the middle")
        return enough and not errors


def campaign(seed, runs, jobs, folder, least=LEAST_IN_THE_MIDDLE):
    """Returns whether all was well, and at least this part of the kills came in the middle."""
    return Campaign(seed, runs, jobs, Path(folder), least).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=300, help="kills (default 300)")
    parser.add_argument("--seed", type=int, default=4, help="of the moments (default 4)")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time (default 2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifeboat-kills-") as folder:
        return 0 if campaign(options.seed, options.runs, options.jobs, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
