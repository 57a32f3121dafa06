# SPDX-License-Identifier: MIT
"""Servers as they should not be, reached through the board's own Ethernet and TCP/IP."""

import socket

import pytest
from board_flash import FIRST, SECOND, SERVER_AT_HOST, server_setting
from web_server import Parts, answer, page, redirect

PATH = "/ovms3.bin"
OK = "OTA flash was successful"


def url(web, path=PATH):
    return f"http://{SERVER_AT_HOST}:{web.address[1]}{path}"


def flash(board, *words):
    return board.command(" ".join(("ota flash http", *words)))


def runs_second(board):
    board.command("module reset")
    assert board.command("ota status nocheck")[0].startswith(SECOND.line("ota_0"))


@pytest.mark.sample
def test_a_server_that_hangs_up(factory, web):
    """The same command goes on where the bytes ended, by Range."""
    size = len(SECOND.bytes)
    web.pages[PATH] = parts = Parts(SECOND.bytes)
    parts.cuts = [size // 3, size // 3, None]
    with factory.power_on() as board:
        rows = flash(board, url(web))
        assert OK in rows, rows
        firsts = [first for first, _ in parts.asked]
        assert firsts[0] is None and 0 < firsts[1] < firsts[2] and len(firsts) == 3, parts.asked
        assert {tag for _, tag in parts.asked[1:]} == {'"v1"'}
        runs_second(board)


def test_power_lost_in_the_middle(factory, web):
    """The next command goes on by Range as well, from what the journal says."""
    size = len(SECOND.bytes)
    web.pages[PATH] = parts = Parts(SECOND.bytes)
    parts.holds = [size - 4096]
    with factory.power_on() as board:
        board.wait_for_prompt()
        board.send(f"ota flash http {url(web)}\r")
        board.wait_for("Downloading... (", timeout=20)
    with factory.power_on() as board:
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))
        rows = flash(board, url(web))
        assert OK in rows and any(row.startswith("Resuming at ") for row in rows), rows
        assert parts.asked[1][0] >= 65536
        runs_second(board)


@pytest.mark.sample
def test_nobody_listens(factory):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with factory.power_on() as board:
            rows = flash(board, f"http://{SERVER_AT_HOST}:{closed.getsockname()[1]}/x")
            assert "Error: Request failed" in rows, rows
            assert "the server does not accept the connection" in rows[-1]


def test_a_name_that_nobody_knows(factory):
    """QEMU's name server asks the host's, if it has one: known it is to neither."""
    with factory.power_on() as board:
        rows = board.command("ota flash http http://no-such-name.invalid/x", timeout=120)
        assert "Error: Request failed" in rows, rows
        assert "the name of the server is not known" in rows[-1] or "nothing came from the server" in rows[-1], rows


@pytest.mark.parametrize("behaviour, word", [
    (answer("404 Not Found", b"no"), "answered 404"),
    (page(b"<html>" + b" " * 5000), "is no application image"),
    (page(b"short"), "Error: Expected download file size (5) is invalid"),
    (lambda visit: visit.send(b"SSH-2.0-nonsense\r\n\r\n"), "the answer is no valid HTTP"),
    (redirect(PATH), "redirects too often or in a circle"),
])
def test_bad_answers(factory, web, behaviour, word):
    web.pages[PATH] = behaviour
    with factory.power_on() as board:
        rows = flash(board, url(web))
        assert word in "\n".join(rows), rows
        assert board.command("ota status nocheck")[0].startswith(FIRST.line("factory"))


def test_a_redirect_is_followed(factory, web):
    web.pages["/old"] = redirect(url(web))
    web.pages[PATH] = page(SECOND.bytes)
    with factory.power_on() as board:
        assert OK in flash(board, url(web, "/old"))
        runs_second(board)


def test_https_is_refused(factory):
    with factory.power_on() as board:
        rows = flash(board, f"https://{SERVER_AT_HOST}/x")
        assert "this board has no TLS - use an http address" in rows[-1], rows


def test_wifi_off_and_on(bench, depot):
    bench.create(factory=FIRST).settings(server=server_setting(depot.address))
    with bench.power_on() as board:
        assert any(row.startswith("Server Available:  2.0.0") for row in board.command("ota status"))
        board.command("wifi mode off")
        rows = flash(board)
        assert "there is no network" in rows[-1], rows
        board.command("wifi mode client home")
        assert any(row.startswith("Server Available:  2.0.0") for row in board.command("ota status"))
        assert OK in flash(board)
        runs_second(board)


def test_no_cable(bench):
    """Without a network there is no address; that is told, and everything else works."""
    bench.create(factory=FIRST).insert({"ovms3.bin": SECOND.bytes})
    with bench.power_on(network=False) as board:
        rows = flash(board, f"http://{SERVER_AT_HOST}:1/x")
        assert "Error: Request failed" in rows, rows
        assert OK in board.command("ota flash vfs /sd/ovms3.bin")
        runs_second(board)


def test_cancelled_by_a_key(factory, web):
    web.pages[PATH] = parts = Parts(SECOND.bytes)
    parts.holds = [len(SECOND.bytes) // 2]
    with factory.power_on() as board:
        board.wait_for_prompt()
        row = len(board.screen.rows)
        board.send(f"ota flash http {url(web)}\r")
        board.wait_for("Preparing flash partition...", row)
        board.send("\x03")
        board.wait_for_prompt(row, 30)
        assert any("cancelled" in line for line in board.rows[row:]), board.tail
        assert OK in flash(board, url(web))
        runs_second(board)


def test_many_updates_in_one_life(factory, web):
    """Nothing is used up: connections, buffers, files."""
    web.pages[PATH] = page(SECOND.bytes)
    with factory.power_on() as board:
        for _ in range(12):
            assert OK in flash(board, url(web))
        for _ in range(12):
            assert "answered 404" in "\n".join(flash(board, url(web, "/nothing")))
        assert OK in flash(board, url(web))
        runs_second(board)
