# SPDX-License-Identifier: MIT
"""A second console beside the module's own: both work at once, whoever comes, goes or resets the module."""

import signal
import socket
import subprocess
import time

import pytest
from firmware import NEWER, NEWER_VERSION, SIZE, status_lines
from flash_layout import area
from second_console import (BEGUN, BIN, CANCEL, CANCELLED, EXECUTE, FLASHED, SAID_CANCELLED, SAID_RESET, STATUS, WAS_RESET,
                            Attached, Wire, frame, is_idle, listening, online, path, percentages, run_attached, wait_until_idle)
from terminal import ENTER, PROMPT, Terminal
from virtual_module import ENVIRONMENT, wait_until
from web_server import page, silent_after, slowly

VERSION_FILE = "/firmware/ota/v3.1/main/ovms3.ver"
REFUSED = "Error: Flash operation already in progress - cannot flash again"
DONE = "OTA flash was successful"


# ---- both at once ----


def test_both_consoles(listening, tmp_path, path):
    listening.send("ota status nocheck")
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS
    listening.send("boot status")
    listening.wait_for("Detected boot reason")
    assert listening.lines[:3] == STATUS


def test_main_console_on_a_terminal(module, tmp_path, path):
    with Terminal(module, "--listen", str(path)) as terminal:
        terminal.keys("ota sta", line="ota sta")
        assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS
        terminal.keys("tus nocheck", line="ota status nocheck")
        assert terminal.enter() == STATUS
    assert not path.exists()


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_update_on_the_first_is_seen_on_the_second(web, module, tmp_path, path, clock):
    web.pages[BIN] = slowly(NEWER, pieces=60, pause=0.1)
    session = module.start("--listen", str(path), "--clock", clock)
    session.send("ota flash http")
    session.wait_for(BEGUN)
    with Wire(path) as wire:
        found = percentages(wire, 4)
        assert found == sorted(found) and found[-1] < 100
        lines, result = wire.execute("ota flash http")
        assert result != 0 and lines[0] == REFUSED
        assert wire.execute("ota flash vfs /sd/x.bin")[0][0] == REFUSED
        assert run_attached(tmp_path, path, "ota flash http", code=1).lines[0] == REFUSED
        session.wait_for(DONE)
        wait_until(lambda: is_idle(wire), "end of the update")  # the words come a step before it
        assert wire.execute("ota status nocheck") == (FLASHED, 0)
    session.end()


def test_update_on_the_second_is_seen_on_the_first(web, module, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=60, pause=0.1)
    with Terminal(module, "--listen", str(path)) as terminal:
        attached = Attached(tmp_path, path)
        attached.send("ota flash http")
        attached.wait_for(BEGUN)
        found = []
        for _ in range(3):
            time.sleep(0.5)
            status = [row for row in terminal.command("ota status nocheck") if row.startswith("Status: ")]
            found.append(int(status[0].rsplit("(", 1)[1].removesuffix("%)")))
        assert found == sorted(set(found))
        assert terminal.command("ota flash http")[0] == REFUSED
        assert terminal.command("module  reset")[0].startswith("Error: ")  # two blanks: the terminal expects no boot
        assert attached.wait(0).lines[-3:] == [
            DONE, f"  Flashed {SIZE} bytes from api.openvehicles.com{BIN}", "  Next boot will be from 'ota_0'"]
        assert terminal.command("ota status nocheck") == FLASHED


def test_many_lookups_at_once(web, module, tmp_path, path):
    """Commands that wait for a server do not wait for each other."""
    def late(visit):
        visit.wait(1)
        page(b"3.1.003\n")(visit)

    web.pages[VERSION_FILE] = late
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    begin = time.monotonic()
    clients = [Attached(tmp_path, path) for _ in range(3)]
    for client in (session, *clients):
        client.send("ota status")
    for client in clients:
        assert "Server Available:  3.1.003" in client.wait(0).lines
    session.wait_for("Boot partition:")
    assert time.monotonic() - begin < 3
    session.end()


def test_script_on_the_first_does_not_starve_the_second(module, tmp_path, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    session.process.stdin.write("boot status\n" * 20000)
    session.process.stdin.flush()
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS
    session.kill()
    path.unlink()


# ---- who goes away ----


@pytest.mark.parametrize("way", ["close", "half", "unread"])
def test_update_outlives_its_client(web, online, path, way):
    web.pages[BIN] = slowly(NEWER, pieces=40, pause=0.1)
    wire = Wire(path)
    wire.begin("ota flash http")
    if way != "unread":
        wire.wait_for(BEGUN)
    else:
        time.sleep(0.5)
    if way == "half":
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.answer()[2] == 0
        assert wire.receive() is None
    wire.close()
    with Wire(path) as other:
        if way != "half":
            assert percentages(other, 2)
        wait_until(lambda: is_idle(other), "end of the update")
        assert other.execute("ota status nocheck") == (FLASHED, 0)


def test_requests_of_a_client_that_has_gone_are_dropped(web, online, path):
    web.pages[BIN] = slowly(NEWER, pieces=20, pause=0.1)
    wire = Wire(path)
    wire.send(frame(EXECUTE, b"ota flash http"), frame(EXECUTE, b"ota boot factory"))
    wire.wait_for(BEGUN)
    wire.close()
    wait_until_idle(path)
    with Wire(path) as other:
        time.sleep(0.3)
        assert other.execute("ota status nocheck") == (FLASHED, 0)


def test_attached_console_is_killed_in_an_update(web, online, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=30, pause=0.1)
    attached = Attached(tmp_path, path)
    attached.send("ota flash http")
    attached.wait_for(BEGUN)
    attached.end(code=-signal.SIGKILL, number=signal.SIGKILL)
    wait_until_idle(path)
    assert run_attached(tmp_path, path, "ota status nocheck").lines == FLASHED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_attached_console_detaches_from_an_update(web, online, tmp_path, path, number):
    web.pages[BIN] = slowly(NEWER, pieces=30, pause=0.1)
    attached = Attached(tmp_path, path)
    attached.send("ota flash http")
    attached.wait_for(BEGUN)
    attached.end(code=130, number=number)
    wait_until_idle(path)
    assert run_attached(tmp_path, path, "ota status nocheck").lines == FLASHED


def test_interrupt_cancels_in_the_module(web, online, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    attached = Attached(tmp_path, path)
    attached.send("ota flash http")
    attached.wait_for(BEGUN)
    attached.end(code=130, number=signal.SIGINT)
    assert [line for line in attached.lines if line.startswith(SAID_CANCELLED)]
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS


def test_cancel_before_an_answer(web, online, path):
    web.pages[BIN] = silent_after()
    with Wire(path) as wire:
        wire.begin("ota flash http")
        wire.wait_for("Download firmware")
        wire.send(frame(CANCEL))
        output, _, result = wire.answer()
        assert output.startswith(SAID_CANCELLED) and result == CANCELLED
        wire.send(frame(CANCEL), frame(CANCEL))  # too late for anything
        assert wire.execute("ota status nocheck") == (STATUS, 0)


def test_first_console_ends_the_module(web, module, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    attached, idle = Attached(tmp_path, path), Wire(path)
    attached.send("ota flash http")
    attached.wait_for(BEGUN)
    session.send("exit")
    session.end()
    attached.wait(1)
    assert [line for line in attached.lines if line.startswith(SAID_CANCELLED)]
    assert attached.errors == ""  # its last command failed: that is why it ended
    assert idle.farewell() == b"o"
    assert not path.exists()


def test_sigterm_while_the_second_updates(web, module, path):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    with Wire(path) as wire:
        wire.begin("ota flash http")
        wire.wait_for(BEGUN)
        session.end(code=130, number=signal.SIGTERM)
        output, _, result = wire.answer()
        assert output.startswith(SAID_CANCELLED) and result == CANCELLED
        assert wire.farewell() == b"o"


# ---- resets ----


def test_reset_from_the_second(module, tmp_path, path):
    card = module.put("ovms3.bin", NEWER)
    with Terminal(module, "--listen", str(path)) as terminal, Wire(path) as idle:
        terminal.guard.sources.add(card)
        assert run_attached(tmp_path, path, f"ota flash vfs {card}").lines[-3] == DONE
        terminal.keys("ota stat", line="ota stat")
        row = len(terminal.rows)
        attached = Attached(tmp_path, path)
        attached.send("module reset")
        terminal.check_life()
        attached.send("ota status nocheck")
        assert attached.wait(0).lines == status_lines(NEWER_VERSION, "ota_0")
        terminal.read(lambda: len(terminal.rows) > row and terminal.rows[-1] == f"{PROMPT}ota stat", "the line again")
        terminal.keys("us nocheck", line="ota status nocheck")
        assert terminal.enter() == status_lines(NEWER_VERSION, "ota_0")
        assert idle.execute("ota status nocheck") == (status_lines(NEWER_VERSION, "ota_0"), 0)
        assert "  This is reset #1 since last power cycle" in idle.execute("boot status")[0]


def test_reset_from_the_first(module, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    with Wire(path) as wire:
        session.send("module reset")
        assert "  This is reset #1 since last power cycle" in wire.execute("boot status")[0]
    session.end()


def test_reset_cancels_what_others_do(web, module, path):
    web.pages[VERSION_FILE] = silent_after()
    with Terminal(module, "--listen", str(path)) as terminal, Wire(path) as waiting, Wire(path) as resetting:
        row = len(terminal.screen.rows)
        terminal.keys("ota status", ENTER)
        waiting.begin("ota status")
        time.sleep(0.5)
        assert resetting.execute("module reset") == ([], 0)
        terminal.check_life()
        output, _, result = waiting.answer()
        assert output.startswith(SAID_RESET) and result == WAS_RESET
        terminal.wait_for_prompt(row + 1)
        assert terminal.rows[-2].startswith(SAID_RESET)
        assert waiting.execute("ota status nocheck") == (STATUS, 0)


def test_reset_fails_the_line_of_a_script(web, module, path):
    web.pages[VERSION_FILE] = silent_after()
    session = module.start("--listen", str(path))
    session.send("ota status")
    wait_until(lambda: web.requests, "request")
    with Wire(path) as wire:
        wire.begin("module reset")
        session.check_life()
        session.end(code=1)


def test_reset_is_refused_in_an_update(web, online, path):
    web.pages[BIN] = slowly(NEWER, pieces=20, pause=0.1)
    with Wire(path) as updating, Wire(path) as other:
        updating.begin("ota flash http")
        updating.wait_for(BEGUN)
        lines, result = other.execute("module reset")
        assert result != 0 and lines[0].startswith("Error: ")
        assert DONE in updating.answer()[0]


def test_reset_of_a_client_that_has_gone(module, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    wire = Wire(path)
    wire.begin("module reset")
    wire.close()
    session.check_life()
    with Wire(path) as other:
        assert "  This is reset #1 since last power cycle" in other.execute("boot status")[0]
    session.end()


def test_many_resets(listening, tmp_path, path):
    with Wire(path) as other:
        for turn in range(1, 6):
            with Wire(path) as wire:
                wire.begin("module reset")
                listening.check_life()
                assert wire.answer()[2] == 0
            assert f"  This is reset #{turn} since last power cycle" in other.execute("boot status")[0]


def test_nothing_boots_after_a_reset(module, tmp_path, path):
    """Without the guard: it is the test that destroys the factory firmware."""
    with open(tmp_path / "boot.log", "w") as log, \
            subprocess.Popen(module.command("--listen", str(path)), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=log, env=ENVIRONMENT) as process:
        wait_until(path.exists, "socket")
        attached = Attached(tmp_path, path)
        attached.send("ota status nocheck")
        attached.wait_for("Boot partition")
        with open(module.flash, "r+b") as flash:
            flash.seek(area("factory").start)
            flash.write(bytes(4096))
        attached.send("module reset")
        attached.wait(3)
        assert "the module has halted" in attached.errors
        assert process.wait(30) == 3
    assert not path.exists()
