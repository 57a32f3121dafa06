# SPDX-License-Identifier: MIT
"""What no session may change: every byte outside of otadata and of the OTA slots that are not running.

The guard compares the whole flash before and after each boot's life. Which slot was running is what the bootloader said
it started, on stderr. Two things may be written into nvs: what an update that succeeded came from, if it was named, and
the history: a new entry for an update that touched the flash, the verdict in one whose verdict was open.
"""

import re

from history_reader import MOST, history_of
from nvs_reader import HISTORY, read_nvs

FLASHED = re.compile(r"^  Flashed \d+ bytes from (\S+)$", re.MULTILINE)
WRITES = re.compile(r"^(?:Preparing flash partition|Resuming at )", re.MULTILINE)
CLOSED = {"failed", "confirmed"}  # results that nothing can follow
SOURCES = {("ota", "http.mru"), ("ota", "vfs.mru")}
BOOTED = re.compile(r"^boot: (?:starting (\S+)(?: on trial, attempt \d+ of \d+)?|halted: .*)$", re.MULTILINE)


def has_open_entry(nvs):
    """Is there an update whose entry the module may change by itself, when it has booted?"""
    return any(entry.result not in CLOSED for entry in history_of(read_nvs(nvs)).values())


class FlashGuard:
    def __init__(self, path, layout):
        self.path = path
        self.layout = layout
        self.bytes = path.read_bytes()
        self.lives = 0
        self.unannounced = 0  # resets in this life that no line asks for: a test says how many there will be
        self.changed = set()  # names of the areas that have changed so far, but nvs where it may
        self.settings = {}  # what a test announces that it sets: {(param, instance): value}
        self.has_second_console = False  # updates may be made there, unseen
        self.sources = set()  # and which updates it made elsewhere, on a second console

    def check_settings(self, before, after, sources):
        """Each setting that is another one now was announced, or names the source of an update that succeeded."""
        old, new = read_nvs(before), read_nvs(after)
        for key in old.keys() | new.keys():
            value = new.get(key)
            if key[0] == HISTORY or old.get(key) == value or (key in self.settings and self.settings[key] == value):
                continue
            assert key in SOURCES and value in sources, f"nvs changed: {key} is {value!r} instead of {old.get(key)!r}"

    def check_history(self, before, after, updates):
        """Entries go on, and there are at most so many new ones; the oldest may have gone."""
        old, new = history_of(read_nvs(before)), history_of(read_nvs(after))
        for number in old.keys() & new.keys():
            assert old[number].bytes == new[number].bytes or old[number].result not in CLOSED, \
                f"update {number} was {old[number].result} and is {new[number].result}"
        added = sorted(new.keys() - old.keys())
        last = max(old, default=0)
        assert added == list(range(last + 1, last + 1 + len(added))) or len(added) == MOST, f"new updates: {added}"
        assert len(added) <= updates, f"{len(added)} new entries in the history, but {updates} updates"
        gone = sorted(old.keys() - new.keys())
        assert not gone or (new and gone[-1] < min(new)), f"updates {gone} are gone from the history"

    def check(self, boot_log, output):
        """To be called when a firmware's life has ended, before the next one does anything."""
        lives, self.unannounced = 1 + self.unannounced, 0
        running = BOOTED.findall(boot_log)[self.lives:self.lives + lives]  # none: it did not get as far as booting
        self.lives += lives
        allowed = {"otadata", "ota_0", "ota_1"} - set(running) if running and running[0] else set()
        before, after = self.bytes, self.path.read_bytes()
        assert len(after) == len(self.bytes), f"{self.path} has another size than before"
        changed = set()
        if before != after:  # slices as bytes, since comparing views takes ten times as long
            changed = {area.name for area in self.layout
                       if before[area.start:area.end] != after[area.start:area.end]}
        sources = {*self.sources, *FLASHED.findall(output)}
        updates = MOST if self.has_second_console else len(WRITES.findall(output))
        nvs = next(area for area in self.layout if area.name == "nvs")
        parts = before[nvs.start:nvs.end], after[nvs.start:nvs.end]
        if "nvs" in changed and (sources or self.settings or updates or has_open_entry(parts[0])):
            self.check_settings(*parts, sources)
            self.check_history(*parts, updates)
            changed -= {"nvs"}
        assert changed <= allowed, f"{changed - allowed} changed while {running or 'nothing'} ran"
        self.changed |= changed
        self.bytes = after
