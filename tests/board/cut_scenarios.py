# SPDX-License-Identifier: MIT
"""What the board does when the power goes: each scenario prepares a flash, plays a script, and recovers from a cut."""

from dataclasses import dataclass

import board_flash
from board_flash import CRASHING, FIRST, FRAGILE, SECOND, server_setting
from flash_trace import BEFORE, Tracer
from qemu_board import Board, Stopped
from sd_card import make_card

OK = "OTA flash was successful"
CARD_FILE = "/sd/new.bin"
BY_CARD = f"ota flash vfs {CARD_FILE}"
BY_HTTP = "ota flash http"
BY_PATCH = "  By patch from "
CONFIRMED = "  Its trial has ended well: "
TRIES = 5
PAGE = 256


class Place:
    """A folder with servers and a card, where boards are started: one for each board at a time."""

    def __init__(self, folder, server, patches):
        self.folder = folder
        self.server = server
        self.patches = patches  # a server that has patches beside the image
        self.flash = folder / "flash.bin"
        self.card = folder / "card.img"
        folder.mkdir(exist_ok=True)
        make_card(self.card, {"new.bin": FRAGILE.bytes})

    def board(self, **options):
        return Board(self.flash, sd=self.card, **options)

    def put(self, content):
        self.flash.write_bytes(content)

    def settings(self, server=None, **values):
        board_flash.settings(self.flash, server=server_setting((server or self.server).address), **values)

    def trace(self, script, last=None):
        """Plays a script, perhaps up to an operation; returns the trace, and what was reported as selected when."""
        with self.board(gdb=True) as board:
            tracer = Tracer(board, board_flash.ALL, last)
            reported = [(0, None)]

            def report(slot):
                reported.append((len(tracer.trace.operations), slot))

            tracer.start()
            try:
                script(board, report)
            except Stopped:
                if tracer.error:
                    raise tracer.error from None
            tracer.finish()
        tracer.trace.check_running(board.booted)
        return tracer.trace, reported


def runs(board, firmware, slot):
    """The board is at its prompt, and that runs."""
    line = board.command("ota status nocheck")[0]
    assert line.startswith(firmware.line(slot)) and board.booted[-1] == slot, (line, board.tail)


def booted(board, choices):
    """Waits for the prompt; whatever runs has to be one of {slot: firmware}. Returns its slot."""
    board.wait_for_prompt()
    assert board.booted and board.booted[-1] in choices, (choices.keys(), board.tail)
    slot = board.booted[-1]
    runs(board, choices[slot], slot)
    return slot


def updated(board, line, firmware, slot):
    rows = board.command(line)
    assert OK in rows, rows
    board.command("module reset")
    runs(board, firmware, slot)


# ---- download: from factory to the first slot, from the depot ----

DOWNLOADED = {None: FIRST, "ota_0": SECOND}  # what may run where: None is what ran first


def prepare_download(place):
    board_flash.create(place.flash, factory=FIRST)
    place.settings()


def play_download(board, report):
    rows = board.command(BY_HTTP)
    assert OK in rows, rows
    report("ota_0")
    board.command("module reset")
    report("ota_0")
    assert board.booted == ["factory", "ota_0"]


def recover_download(place, choices):
    with place.board() as board:
        if booted(board, {slot or "factory": DOWNLOADED[slot] for slot in choices}) == "factory":
            updated(board, BY_HTTP, SECOND, "ota_0")


# ---- resume: a download that was cut goes on ----


def prepare_resume(place):
    prepare_download(place)
    place.trace(play_download, len(SECOND.bytes) // PAGE * 2 // 3)  # operations, most of which write a page


def play_resume(board, report):
    rows = board.command(BY_HTTP)
    assert OK in rows and any(row.startswith("Resuming at ") for row in rows), rows
    report("ota_0")
    board.command("module reset")
    report("ota_0")


# ---- card: from the first slot to the second ----

COPIED = {None: SECOND, "ota_1": FRAGILE}


def prepare_card(place):
    board_flash.create(place.flash, factory=FIRST, ota_0=SECOND, ota_1=FIRST)
    board_flash.select(place.flash, "ota_0")


def play_card(board, report):
    rows = board.command(BY_CARD)
    assert OK in rows, rows
    report("ota_1")
    board.command("module reset")
    report("ota_1")
    assert board.booted == ["ota_0", "ota_1"]


def recover_card(place, choices):
    with place.board() as board:
        if booted(board, {slot or "ota_0": COPIED[slot] for slot in choices}) == "ota_0":
            updated(board, BY_CARD, FRAGILE, "ota_1")


# ---- patch: from the first slot to the second, which holds another image; it waits in that one's tail ----


def prepare_patch(place):
    prepare_card(place)
    place.settings(place.patches)


def play_patch(board, report):
    rows = board.command(BY_HTTP)
    assert OK in rows and any(row.startswith(BY_PATCH) for row in rows), rows
    report("ota_1")
    board.command("module reset")
    report("ota_1")


def recover_patch(place, choices):
    """Wherever it was cut, the whole image does not come."""
    with place.board() as board:
        if booted(board, {slot or "ota_0": COPIED[slot] for slot in choices}) == "ota_0":
            rows = board.command(BY_HTTP)
            assert OK in rows and any(row.startswith(BY_PATCH) for row in rows), rows
            board.command("module reset")
            runs(board, FRAGILE, "ota_1")


# ---- selection ----

FULL = {"factory": FIRST, "ota_0": SECOND, "ota_1": FRAGILE}


def prepare_full(place):
    board_flash.create(place.flash, **FULL)
    board_flash.select(place.flash, "ota_0")
    place.settings(trial_time=1)


def select(board, slot):
    rows = board.command(f"ota boot {slot}")
    assert len(rows) == 1 and rows[0].startswith(f"Boot from {slot} at "), rows


def play_selection(board, report):
    for slot in ("ota_1", "ota_0", "factory", "ota_1", "factory", "ota_0", "ota_1", "factory", "ota_1", "ota_0"):
        select(board, slot)
        report(slot)


def recover_selection(place, choices):
    """Boots what was reported as selected, or what was about to be."""
    with place.board() as board:
        booted(board, {slot or "ota_0": FULL[slot or "ota_0"] for slot in choices})
        select(board, "ota_1")
        board.command("module reset")
        runs(board, FRAGILE, "ota_1")


# ---- trial: of a firmware that crashes three times ----


def prepare_trial(place):
    board_flash.create(place.flash, factory=FIRST, ota_0=SECOND, ota_1=CRASHING)
    board_flash.select(place.flash, "ota_0")


def play_trial(board, report):
    select(board, "ota_1")
    board.command("module reset")
    assert board.booted == ["ota_0", "ota_1", "ota_1", "ota_1", "ota_0"], board.tail
    assert "failed its trial" in board.command("boot status")[4]
    report("ota_0")


def recover_trial(place, _):
    """Whatever was cut, it comes back to what was confirmed, and can be updated."""
    with place.board() as board:
        booted(board, {"ota_0": SECOND})
        updated(board, BY_CARD, FRAGILE, "ota_1")


# ---- confirmation ----


def confirm(board):
    """Lets what runs on trial be confirmed: it has run long enough, and the operator says the word."""
    if board.command("boot status")[4:] and not confirmed(board):
        board.command("ota confirm")
        for _ in range(TRIES):
            board.command("module wait 1")
            if confirmed(board):
                return
        raise AssertionError(board.tail)


def confirmed(board):
    status = board.command("boot status")
    return len(status) == 5 and status[4].startswith(CONFIRMED)


def play_confirmation(board, report):
    select(board, "ota_1")
    board.command("module reset")
    confirm(board)
    report("ota_1")


def recover_confirmation(place, choices):
    with place.board() as board:
        slot = booted(board, {"ota_0": SECOND, "ota_1": FRAGILE} if None in choices else {"ota_1": FRAGILE})
        if slot == "ota_0":
            select(board, "ota_1")
            board.command("module reset")
        confirm(board)
    for _ in range(2):
        with place.board() as board:
            booted(board, {"ota_1": FRAGILE})


# ---- rejection ----


def play_rejection(board, report):
    select(board, "ota_1")
    board.command("module reset")
    board.command("ota reject")  # which resets it
    runs(board, SECOND, "ota_0")
    report("ota_0")


def recover_rejection(place, choices):
    with place.board() as board:
        slot = booted(board, {"ota_0": SECOND, "ota_1": FRAGILE} if None in choices else {"ota_0": SECOND})
        if slot == "ota_1":
            board.command("ota reject")
            runs(board, SECOND, "ota_0")
        select(board, "factory")
        board.command("module reset")
        runs(board, FIRST, "factory")


@dataclass(frozen=True)
class Scenario:
    name: str
    prepare: object  # of a place: makes its flash file
    play: object  # of a board and a function to which what was reported as done is told
    recover: object  # of a place whose flash was cut, and the slots that may boot: None for what was there first
    selects: frozenset  # the slots that the script selects
    areas: frozenset  # what may be written
    share: int  # of the cuts of a campaign


def scenario(name, prepare, play, recover, share, selects, writes=()):
    return Scenario(name, prepare, play, recover, frozenset(selects), frozenset(("otadata", "nvs", *writes)), share)


SCENARIOS = (
    scenario("download", prepare_download, play_download, recover_download, 150, ["ota_0"], ["ota_0"]),
    scenario("resume", prepare_resume, play_resume, recover_download, 120, ["ota_0"], ["ota_0"]),
    scenario("card", prepare_card, play_card, recover_card, 140, ["ota_1"], ["ota_1"]),
    scenario("patch", prepare_patch, play_patch, recover_patch, 120, ["ota_1"], ["ota_1"]),
    scenario("selection", prepare_full, play_selection, recover_selection, 50, ["ota_0", "ota_1", "factory"]),
    scenario("trial", prepare_trial, play_trial, recover_trial, 30, ["ota_1"]),
    scenario("confirmation", prepare_full, play_confirmation, recover_confirmation, 25, ["ota_1"]),
    scenario("rejection", prepare_full, play_rejection, recover_rejection, 21, ["ota_1"]),
)


class Recording:
    """A scenario's life without a cut: all of its cuts come out of it."""

    def __init__(self, place, chosen):
        self.scenario = chosen
        chosen.prepare(place)
        self.trace, self.reported = place.trace(chosen.play)
        self.cuts = self.trace.cuts()
        foreign = [str(operation) for operation in self.trace.operations if operation.area not in chosen.areas]
        assert not foreign, f"{chosen.name}: {foreign}"

    def choices(self, number, way):
        """The slots that may boot after that cut: what was reported last, and what was about to be."""
        last = max(index for index, (count, _) in enumerate(self.reported) if count <= number)
        count, slot = self.reported[last]
        if (way == BEFORE and count == number) or last + 1 == len(self.reported):
            return {slot}
        return {slot, self.reported[last + 1][1]}

    def stops(self, count):
        """Numbers of that many of its operations, evenly."""
        return [(2 * index + 1) * len(self.trace.operations) // (2 * count) for index in range(count)]

    def plan(self, count):
        """That many of its cuts, or all: first those in marks, and then those in the content of an image."""
        operations = self.trace.operations
        marks = [cut for cut in self.cuts if cut[0] == len(operations) or operations[cut[0]].is_mark]
        rest = [cut for cut in self.cuts if cut[0] < len(operations) and not operations[cut[0]].is_mark]
        some = spread(marks, min(len(marks), count if not rest else max(count // 2, count - len(rest))))
        return sorted([*some, *spread(rest, min(len(rest), count - len(some)))])


def spread(items, count):
    """That many of them, evenly, the last one among them."""
    return [items[(index + 1) * len(items) // count - 1] for index in range(count)]
