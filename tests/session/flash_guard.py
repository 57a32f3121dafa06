# SPDX-License-Identifier: MIT
"""What no session may change: every byte outside of otadata and of the OTA slots that are not running.

The guard compares the whole flash before and after each boot's life. Which slot was running is what the bootloader said
it started, on stderr.
"""

import re

BOOTED = re.compile(r"^boot: (?:starting (\S+)|halted: .*)$", re.MULTILINE)


class FlashGuard:
    def __init__(self, path, layout):
        self.path = path
        self.layout = layout
        self.bytes = path.read_bytes()
        self.lives = 0
        self.changed = set()  # names of the areas that have changed so far

    def check(self, boot_log):
        """To be called when a firmware's life has ended, before the next one does anything."""
        running = BOOTED.findall(boot_log)[self.lives:self.lives + 1]  # none: it did not get as far as booting
        self.lives += 1
        allowed = {"otadata", "ota_0", "ota_1"} - set(running) if running and running[0] else set()
        before, after = self.bytes, self.path.read_bytes()
        assert len(after) == len(self.bytes), f"{self.path} has another size than before"
        changed = set()
        if before != after:  # slices as bytes, since comparing views takes ten times as long
            changed = {area.name for area in self.layout
                       if before[area.start:area.end] != after[area.start:area.end]}
        assert changed <= allowed, f"{changed - allowed} changed while {running or 'nothing'} ran"
        self.changed |= changed
        self.bytes = after
