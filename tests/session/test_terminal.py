# SPDX-License-Identifier: MIT
"""The console as a person has it: prompt, editing, completion, and what keys and signals do to an update."""

import random
import re
import signal
import time

import pytest
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, SIZE, status_lines
from flash_layout import MB, content
from image_builder import build_image
from refusals import CANCELLED, INCOMPLETE, NO_SLOT, WHOLE, remains
from terminal import ARROW_LEFT, ARROW_UP, BACKSPACE, CTRL_C, ENTER, PROMPT, TAB, Terminal
from virtual_module import wait_until
from web_server import announce, page, silent_after, slowly

BIN = "/firmware/ota/v3.1/main/ovms3.bin"
STATUS = status_lines(FACTORY_VERSION, "factory")
BEGUN = "Preparing flash partition..."
REAL_FLASH = ("--timing", "w25q128jv")


@pytest.fixture
def terminal(module):
    with Terminal(module) as opened:
        yield opened


# ---- lines ----


def test_prompt_and_output(terminal):
    assert terminal.rows == [PROMPT.rstrip()]
    assert terminal.command("ota status") == STATUS
    assert terminal.command("") == []
    assert terminal.command("# a remark") == []


def test_editing(terminal):
    terminal.keys("ota xtatus", line="ota xtatus")
    terminal.keys(ARROW_LEFT * 5, BACKSPACE, "s", line="ota status")
    assert terminal.enter() == STATUS


def test_backspace_at_the_end(terminal):
    terminal.keys("ota status x", BACKSPACE, BACKSPACE, line="ota status")
    assert terminal.enter() == STATUS


def test_history(terminal):
    terminal.command("ota status nocheck")
    terminal.command("wifi status")
    terminal.keys(ARROW_UP, line="wifi status")
    terminal.keys(ARROW_UP, line="ota status nocheck")
    assert terminal.enter() == STATUS


def test_history_outlives_a_reset(terminal):
    terminal.command("ota status nocheck")
    terminal.command("module reset")
    terminal.keys(ARROW_UP, line="module reset")
    terminal.keys(ARROW_UP, line="ota status nocheck")
    assert terminal.enter() == STATUS


def test_typed_ahead(terminal):
    row = len(terminal.screen.rows)
    terminal.keys("ota status nocheck", ENTER, "wifi status", ENTER)
    terminal.wait_for("Mode: ")
    terminal.wait_for_prompt(row + len(STATUS) + 2)
    shown = terminal.rows[row:]
    assert [line for line in shown if line in STATUS] == STATUS


def test_failed_command_leaves_the_prompt(terminal):
    assert terminal.command("ota boot nothing") == NO_SLOT
    assert terminal.command("ota status") == STATUS


def test_long_line(terminal):
    row = len(terminal.screen.rows)
    terminal.keys("x" * 2000, ENTER)
    terminal.wait_for("Error: ", row)
    terminal.wait_for_prompt(row + 1)
    assert terminal.command("ota status") == STATUS


def test_name_beyond_ascii(module, terminal):
    module.put("größe.bin", NEWER)
    terminal.keys("vfs stat /sd/größe.bin")
    assert [row for row in terminal.enter() if "größe.bin" in row and str(SIZE) in row]


# ---- Tab and ? ----


@pytest.mark.parametrize("typed, completed", [
    ("o", "ota "), ("ota b", "ota boot "), ("ota fl", "ota flash "), ("ota flash v", "ota flash vfs "),
    ("wifi mode c", "wifi mode client "), ("m", "module "), ("ota boot f", "ota boot factory "),
    ("ota boot o", "ota boot ota_"), ("ota flash vfs /st", "ota flash vfs /store/"),
    ("ota flash vfs /sd/ov", "ota flash vfs /sd/ovms3.bin "),
    ("ota flash vfs /sd/sub/de", "ota flash vfs /sd/sub/deep.bin "),
    ("ota flash vfs /sd/ovms3.bin t", "ota flash vfs /sd/ovms3.bin to "),
    ("ota flash vfs /sd/ovms3.bin to ota_1", "ota flash vfs /sd/ovms3.bin to ota_1 "),
    ("ota flash http t", "ota flash http to "), ("ota status n", "ota status nocheck "), ("vfs l", "vfs ls "),
    ("ota status f", "ota status full "), ("ota c", "ota co"), ("ota cop", "ota copy "), ("ota con", "ota confirm "), ("ota copy f", "ota copy factory "),
    ("ota copy factory ota_1", "ota copy factory ota_1 "), ("ota e", "ota erase "),
    ("ota erase f", "ota erase factory "), ("ota p", "ota partitions "), ("ota partitions l", "ota partitions list "),
    ("o b f", "o b factory "), ("zzz", "zzz"), ("ota boot zzz", "ota boot zzz"),
])
def test_completion(module, terminal, typed, completed):
    module.put("ovms3.bin", NEWER)
    (module.sd / "sub").mkdir()
    module.put("sub/deep.bin", NEWER)
    terminal.keys(typed, TAB, "!", line=completed + "!")  # the mark shows where the cursor has come to
    terminal.keys(CTRL_C)


def test_completion_lists_what_there_is(terminal):
    terminal.keys("ota boot ota_", TAB)
    terminal.wait_for("ota_0  ota_1")
    terminal.keys("1", line="ota boot ota_1")
    terminal.keys(CTRL_C)


def test_completion_lists_files(module, terminal):
    for name in ("one.bin", "two.bin"):
        module.put(name, NEWER)
    terminal.keys("vfs stat /sd/", TAB)
    terminal.wait_for("/sd/one.bin  /sd/two.bin")
    terminal.keys("o", TAB, line="vfs stat /sd/one.bin")
    assert str(SIZE) in terminal.enter()[0]


def test_completion_of_a_name_with_a_blank(module, terminal):
    """Without quotation marks it would become two words."""
    module.put("my firmware.bin", NEWER)
    terminal.keys("vfs stat /sd/m", TAB, line='vfs stat "/sd/my firmware.bin"')
    assert str(SIZE) in terminal.enter()[0]


def test_question_mark(terminal):
    row = len(terminal.screen.rows)
    terminal.keys("ota ?")
    terminal.read(lambda: len(terminal.rows) > row + 3 and terminal.rows[-1] == PROMPT + "ota", "the line again")
    shown = terminal.rows[row:-1]
    assert [re.split("  +", line)[0] for line in shown] == [
        "ota boot SLOT", "ota confirm", "ota copy FROM TO", "ota erase SLOT", "ota flash http [URL] [to SLOT] [force]",
        "ota flash vfs FILE [to SLOT] [force]", "ota history", "ota partitions list", "ota reject",
        "ota status [nocheck|full]"]
    terminal.keys("status", line="ota status")
    assert terminal.enter() == STATUS


def test_question_mark_in_an_address(terminal):
    terminal.keys("ota flash http http://x/y?z", line="ota flash http http://x/y?z")
    terminal.keys(CTRL_C)


def test_help(terminal):
    shown = terminal.command("help")
    for command in ("ota status", "ota boot", "ota copy", "ota erase", "ota flash http", "ota flash vfs",
                    "ota partitions list", "ota confirm", "ota reject", "module reset", "module wait", "boot status", "wifi mode client", "wifi mode off",
                    "wifi status", "vfs ls", "vfs stat", "help", "exit"):
        assert [line for line in shown if line.startswith(command)], command


# ---- leaving ----


def test_ctrl_c_at_the_prompt(terminal):
    terminal.keys("ota boot nothing", line="ota boot nothing")
    row = len(terminal.screen.rows)
    terminal.keys(CTRL_C)
    terminal.wait_for_prompt(row)
    assert terminal.rows[row - 1] == PROMPT + "ota boot nothing^C"
    assert terminal.command("ota status") == STATUS


def test_ctrl_d(terminal):
    terminal.command("ota boot nothing")
    terminal.leave()


def test_exit(terminal):
    terminal.keys("exit", ENTER)
    terminal.end()


def test_terminal_goes_away(terminal):
    terminal.process.kill(signal.SIGHUP)
    terminal.end(code=0)


def test_sigterm_at_the_prompt(terminal):
    terminal.terminate(code=0)


def test_sigterm_without_a_terminal(module):
    session = module.start()
    session.send("ota status nocheck")
    session.wait_for("Boot partition:")
    session.end(code=0, number=signal.SIGTERM)


def test_sigint_without_a_terminal(module):
    session = module.start()
    session.send("ota status nocheck")
    session.wait_for("Boot partition:")
    session.end(code=130, number=signal.SIGINT)


# ---- in the middle of an update ----


def run_update(web, terminal):
    """The update that was broken off, once more."""
    web.pages[BIN] = page(NEWER)
    shown = terminal.command("ota flash http")
    assert shown[-3:] == ["OTA flash was successful", f"  Flashed {SIZE} bytes from api.openvehicles.com{BIN}",
                          "  Next boot will be from 'ota_0'"]
    terminal.command("module reset")
    assert terminal.command("ota status nocheck") == status_lines(NEWER_VERSION, "ota_0")


def test_ctrl_c_in_a_download(web, module):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    with Terminal(module) as terminal:
        row = len(terminal.screen.rows)
        terminal.keys("ota flash http", ENTER)
        terminal.wait_for(BEGUN)
        module.wait_until_written()
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert terminal.rows[-4:-1] == [f"^C{CANCELLED}", *remains(INCOMPLETE)]
        assert terminal.command("ota status nocheck") == STATUS
        run_update(web, terminal)


@pytest.mark.parametrize("sent", [b"", announce(NEWER)], ids=["before an answer", "before the first byte"])
def test_ctrl_c_while_nothing_comes(web, module, sent):
    web.pages[BIN] = silent_after(sent)
    with Terminal(module) as terminal:
        row = len(terminal.screen.rows)
        terminal.keys("ota flash http", ENTER)
        terminal.wait_for("Download firmware")
        time.sleep(0.2)
        begin = time.monotonic()
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert time.monotonic() - begin < 5
        assert CANCELLED in terminal.rows[-2]
        assert terminal.changed == set()
        run_update(web, terminal)


def test_ctrl_c_in_a_lookup(web, module):
    web.pages["/firmware/ota/v3.1/main/ovms3.ver"] = silent_after()
    with Terminal(module) as terminal:
        row = len(terminal.screen.rows)
        terminal.keys("ota status", ENTER)
        time.sleep(0.3)
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert CANCELLED in terminal.rows[-2]
        assert terminal.command("ota status nocheck") == STATUS


def test_ctrl_c_while_flashing_a_file(module):
    card = module.put("ovms3.bin", NEWER)
    with Terminal(module, *REAL_FLASH) as terminal:
        row = len(terminal.screen.rows)
        terminal.keys(f"ota flash vfs {card}", ENTER)
        terminal.wait_for(BEGUN)
        time.sleep(0.25)  # history and journal are written first
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert terminal.rows[-4:-1] == [f"^C{CANCELLED}", *remains(INCOMPLETE)]


def test_ctrl_c_after_the_image_was_verified(module):
    """Cancelled while the slot is being selected: what is said about the slot has to be true."""
    card = module.put("ovms3.bin", NEWER)
    again = module.put("again.bin", FACTORY)
    module.run(f"ota flash vfs {card}", "module reset", f"ota flash vfs {card}", "module reset")
    with Terminal(module, *REAL_FLASH) as terminal:  # both records are in use: selecting takes an erase, 45 ms
        assert terminal.booted == ["ota_1"]
        row = len(terminal.screen.rows)
        terminal.keys(f"ota flash vfs {again}", ENTER)
        terminal.wait_for("Setting boot partition...")
        terminal.keys(CTRL_C)
        terminal.wait_for("Next boot will be from")
        terminal.settle()
        shown = terminal.rows[row:]
        cancelled = any(line.endswith(CANCELLED) for line in shown)
        assert cancelled != ("OTA flash was successful" in shown), shown
        next_boot = terminal.command("ota status nocheck")[2].removeprefix("Boot partition:    ")
        assert f"  Next boot will be from '{next_boot}'" in shown
        if cancelled:
            assert f"  Partition ota_0 {WHOLE}" in shown
        assert terminal.command("ota boot ota_0") == ["Boot from ota_0 at 0x00410000 (size 0x00400000)"]
        assert content(module.flash, "ota_0", SIZE) == FACTORY


def test_ctrl_c_while_a_slot_is_verified(make_module):
    """A cancelled `ota boot` tells what boots next: here it came before anything was selected."""
    module = make_module(factory=FACTORY, ota_1=build_image(NEWER_VERSION, size=4 * MB))
    with Terminal(module, *REAL_FLASH) as terminal:  # reading 4 MB takes 0.2 s
        row = len(terminal.screen.rows)
        terminal.keys("ota boot ota_1", ENTER)
        wait_until(lambda: not terminal.is_editing(), "beginning of the command")
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert terminal.rows[row:-1] == [f"^C{CANCELLED}", "  Next boot will be from 'factory'"]
        assert terminal.command("ota status nocheck") == STATUS
        assert terminal.changed == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_in_an_update(web, module, number):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    session = module.start()
    session.send("ota flash http")
    session.wait_for(BEGUN)
    module.wait_until_written()
    session.end(code=130, number=number)
    assert session.lines[-3:] == [CANCELLED, *remains(INCOMPLETE)]
    web.pages[BIN] = page(NEWER)
    session = module.run("ota status nocheck", "ota flash http", "module reset", "ota status nocheck")
    assert session.lines[:3] == STATUS
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_0")


def test_sigterm_in_an_update_on_a_terminal(web, module):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    terminal = Terminal(module)
    terminal.keys("ota flash http", ENTER)
    terminal.wait_for(BEGUN)
    terminal.terminate(code=130)
    assert terminal.changed <= {"ota_0"}


# The flash alone takes 0.5 s for this update, so each of these moments is in the middle of it.
SEEDED = random.Random(600601)
MOMENTS = sorted(SEEDED.uniform(0, 0.45) for _ in range(10))


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment:.3f}s")
def test_killed_in_an_update(module, moment):
    card = module.put("ovms3.bin", NEWER)
    session = module.start(*REAL_FLASH)
    session.send(f"ota flash vfs {card}")
    session.wait_for(BEGUN)
    time.sleep(moment)
    if moment >= 0.2:
        module.wait_until_written()  # on a busy computer it may not have come that far yet
    session.kill()
    assert "OTA flash was successful" not in session.text, "it was killed too late to show anything"
    assert session.changed >= {"ota_0"} or moment < 0.2
    session = module.run("ota status nocheck", f"ota flash vfs {card}", "module reset", "ota status nocheck")
    assert session.lines[:3] == STATUS
    assert session.booted == ["factory", "ota_0"]
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_0")


def test_all_of_it_twice(make_module, web):
    """Several updates in one power-on, each into the slot that is not running."""
    module = make_module(factory=FACTORY)
    module.server = web.address
    with Terminal(module) as terminal:
        for turn, slot in enumerate(("ota_0", "ota_1", "ota_0", "ota_1")):
            web.pages[BIN] = page(NEWER if turn % 2 == 0 else FACTORY)
            assert f"Target partition is: {slot}" in terminal.command("ota flash http")
            terminal.command("module reset")
            version = NEWER_VERSION if turn % 2 == 0 else FACTORY_VERSION
            assert terminal.command("ota status nocheck") == status_lines(version, slot)
        assert terminal.booted == ["factory", "ota_0", "ota_1", "ota_0", "ota_1"]
