# SPDX-License-Identifier: MIT
"""`lifeboat console`, in scripts and on a terminal."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from depot_server import LIFEBOAT
from firmware import NEWER
from second_console import (BEGUN, BIN, FLASHED, SAID_CANCELLED, STATUS, Attached, AttachedTerminal, listening,
                            online, path, run_attached, wait_until_idle)
from terminal import ARROW_LEFT, ARROW_UP, BACKSPACE, CTRL_C, CTRL_D, ENTER, PROMPT, TAB
from virtual_module import ENVIRONMENT, RESET, wait_until
from web_server import slowly

# ---- lifeboat console in scripts ----


def test_exit_codes(listening, tmp_path, path):
    assert run_attached(tmp_path, path).lines == []
    failed = run_attached(tmp_path, path, "ota boot nothing", "ota status nocheck", code=1)
    assert failed.lines[0] == "Error: OTA partition not found" and STATUS[0] not in failed.lines
    went_on = run_attached(tmp_path, path, "ota boot nothing", "ota status nocheck", code=1, options=("--keep-going",))
    assert went_on.lines[-3:] == STATUS
    assert run_attached(tmp_path, path, "", "# a remark", "exit", "ota boot nothing").lines == []
    assert failed.errors == went_on.errors == ""


def test_last_line_without_an_end(listening, tmp_path, path):
    attached = Attached(tmp_path, path)
    attached.process.stdin.write("ota status nocheck")
    assert attached.wait(0).lines == STATUS


def test_long_lines(listening, tmp_path, path):
    longest = "# " + "x" * 1021
    assert run_attached(tmp_path, path, longest).lines == []
    for length in (1024, 1025, 100000):
        refusal = run_attached(tmp_path, path, "#" * length, code=1).lines
        assert len(refusal) == 1 and refusal[0].startswith("Error: "), refusal
    kept = run_attached(tmp_path, path, "x" * 5000, "ota status nocheck", code=1, options=("--keep-going",))
    assert kept.lines[1:] == STATUS


def test_interrupt_without_a_command(listening, tmp_path, path):
    attached = Attached(tmp_path, path)
    attached.send("ota status nocheck")
    attached.wait_for("Boot partition")
    attached.end(code=130, number=signal.SIGINT)
    attached = Attached(tmp_path, path)
    attached.send("ota status nocheck")
    attached.wait_for("Boot partition")
    attached.end(code=0, number=signal.SIGTERM)


def test_called_wrongly():
    for words in ([], ["a", "b"], ["--nonsense", "a"]):
        done = subprocess.run([LIFEBOAT, "console", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "Usage: lifeboat console PATH" in done.stderr


def test_no_module(tmp_path):
    missing = tmp_path / "missing"
    assert run_attached(tmp_path, missing, "help", code=1).errors == (
        f"Error: {missing}: there is no such socket - start a module with --listen and this path\n")
    missing.write_text("")
    assert run_attached(tmp_path, missing, "help", code=1).errors.startswith(f"Error: {missing}: this is no socket - ")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user(module, tmp_path):
    folder = Path(tempfile.mkdtemp(prefix="lifeboat-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        binary = folder / "lifeboat"
        shutil.copyfile(LIFEBOAT, binary)
        binary.chmod(0o755)
        session = module.start("--listen", str(folder / "s"))
        wait_until((folder / "s").exists, "socket")
        done = subprocess.run([binary, "console", folder / "s"], input="help\n", capture_output=True, text=True,
                              check=False, user=65534, group=65534, extra_groups=[], cwd="/", env=ENVIRONMENT)
        assert done.returncode == 1
        assert done.stderr == (f"Error: {folder}/s: permission denied - only the user who started the module may "
                               "attach to it\n")
        session.end()
    finally:
        shutil.rmtree(folder)


# ---- lifeboat console on a terminal ----


def test_terminal(listening, tmp_path, path):
    with AttachedTerminal(tmp_path, path, listening) as terminal:
        assert terminal.rows == [PROMPT.rstrip()]
        assert terminal.command("ota status nocheck") == STATUS
        terminal.keys("ota xtatus nocheck", line="ota xtatus nocheck")
        terminal.keys(ARROW_LEFT * 13, BACKSPACE, "s", line="ota status nocheck")
        assert terminal.enter() == STATUS
        assert terminal.command("ota boot nothing")[0] == "Error: OTA partition not found"
        terminal.keys(ARROW_UP * 2, line="ota status nocheck")
        assert terminal.enter() == STATUS
        terminal.keys("ota boot not", CTRL_C)
        terminal.settle()
        terminal.command(RESET)
        assert "  This is reset #1 since last power cycle" in terminal.command("boot status")


@pytest.mark.parametrize("typed, completed", [
    ("o", "ota "), ("ota fl", "ota flash "), ("ota boot o", "ota boot ota_"), ("ota boot f", "ota boot factory "),
    ("vfs stat /sd/ov", "vfs stat /sd/ovms3.bin "), ("zzz", "zzz"),
])
def test_completion(module, listening, tmp_path, path, typed, completed):
    module.put("ovms3.bin", NEWER)
    with AttachedTerminal(tmp_path, path, listening) as terminal:
        terminal.keys(typed, TAB, "!", line=completed + "!")
        terminal.keys(CTRL_C)
        terminal.settle()


def test_candidates_and_question_mark(listening, tmp_path, path):
    with AttachedTerminal(tmp_path, path, listening) as terminal:
        terminal.keys("ota boot ota_", TAB)
        terminal.wait_for("ota_0  ota_1")
        terminal.keys(CTRL_C)
        terminal.settle()
        row = len(terminal.screen.rows)
        terminal.keys("ota f?")
        terminal.read(lambda: len(terminal.rows) > row + 2 and terminal.rows[-1] == PROMPT + "ota f", "the line again")
        shown = terminal.rows[row:-1]
        assert [line for line in shown if line.startswith("ota flash http")]
        assert not [line for line in shown if line.startswith("ota boot")]
        terminal.keys(CTRL_C)
        terminal.settle()


def test_ctrl_c_cancels_an_update(web, online, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=100, pause=0.1)
    with AttachedTerminal(tmp_path, path, online) as terminal:
        row = len(terminal.screen.rows)
        terminal.keys("ota flash http", ENTER)
        terminal.wait_for(BEGUN)
        terminal.keys(CTRL_C)
        terminal.wait_for_prompt(row + 1)
        assert [line for line in terminal.rows[row:] if SAID_CANCELLED in line]
        assert terminal.command("ota status nocheck") == STATUS


@pytest.mark.parametrize("way", [CTRL_D, "exit" + ENTER])
def test_leaving_only_detaches(listening, tmp_path, path, way):
    terminal = AttachedTerminal(tmp_path, path, listening)
    terminal.keys(way)
    terminal.end()
    assert terminal.rows.count(PROMPT.rstrip()) <= 1
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS


def test_window_is_closed_in_an_update(web, online, tmp_path, path):
    web.pages[BIN] = slowly(NEWER, pieces=30, pause=0.1)
    terminal = AttachedTerminal(tmp_path, path, online)
    terminal.keys("ota flash http", ENTER)
    terminal.wait_for(BEGUN)
    terminal.hang_up()
    wait_until_idle(path)
    assert run_attached(tmp_path, path, "ota status nocheck").lines == FLASHED


def test_module_ends_while_a_line_is_typed(module, tmp_path, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    terminal = AttachedTerminal(tmp_path, path, session)
    terminal.keys("ota sta", line="ota sta")
    session.end()
    terminal.end(code=1)
    assert terminal.boot_log == f"Error: {path}: the module was switched off - start it again and attach again\n"


def test_module_is_killed_while_a_line_is_typed(module, tmp_path, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    terminal = AttachedTerminal(tmp_path, path, session)
    session.kill()
    terminal.end(code=1)
    assert "the module has hung up" in terminal.boot_log


def test_module_stands_still(listening, tmp_path, path):
    """A person who presses Tab gets the keyboard back, and no answer is taken for that to another question."""
    with AttachedTerminal(tmp_path, path, listening) as terminal:
        os.kill(listening.process.pid, signal.SIGSTOP)
        terminal.keys("ota b", TAB)
        begin = time.monotonic()
        terminal.keys("x", line="ota bx")
        assert 2 < time.monotonic() - begin < 20
        os.kill(listening.process.pid, signal.SIGCONT)
        terminal.keys(BACKSPACE, TAB, "!", line="ota boot !")
        terminal.keys(CTRL_C)
        terminal.settle()


def test_second_ctrl_c_detaches(listening, tmp_path, path):
    terminal = AttachedTerminal(tmp_path, path, listening)
    os.kill(listening.process.pid, signal.SIGSTOP)
    terminal.keys("ota status", ENTER)
    wait_until(lambda: not terminal.is_editing(), "command")
    time.sleep(0.3)
    terminal.keys(CTRL_C)
    time.sleep(0.3)
    terminal.keys(CTRL_C)
    terminal.end(code=130)
    os.kill(listening.process.pid, signal.SIGCONT)
