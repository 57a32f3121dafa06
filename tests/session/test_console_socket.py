# SPDX-License-Identifier: MIT
"""The Unix socket of --listen: who may connect, and what is replaced, refused and removed."""

import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from firmware import FACTORY
from second_console import STATUS, Wire, listening, path, run_attached
from virtual_module import wait_until

# ---- the socket ----


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_permissions(module, path, mask):
    module.before_exec = lambda: os.umask(mask)
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    assert stat.S_ISSOCK(path.stat().st_mode) and stat.S_IMODE(path.stat().st_mode) == 0o600
    with Wire(path) as wire:
        assert wire.execute("ota status nocheck") == (STATUS, 0)
    session.end()
    assert not path.exists()


def test_stale_socket_is_replaced(module, tmp_path, path):
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    session.kill()
    assert path.exists()
    assert run_attached(tmp_path, path, "help", code=1).errors == (
        f"Error: {path}: nobody listens there - the module has ended: start it again with --listen and this path\n")
    session = module.start("--listen", str(path))
    session.send("ota status nocheck")
    session.wait_for("Boot partition")
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS
    session.end()
    assert not path.exists()


def refused(module, path, *expected):
    session = module.run("ota status nocheck", code=1, options=("--listen", str(path)))
    assert session.lines == []
    assert session.boot_log.startswith("Error: ") and session.boot_log.count("\n") == 1, session.boot_log
    for text in expected:
        assert text in session.boot_log


def test_live_socket_is_refused(listening, make_module, tmp_path, path):
    refused(make_module(factory=FACTORY), path, str(path), "another module listens there")
    assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS


def test_two_modules_find_the_same_stale_socket(make_module, tmp_path, path):
    """Exactly one of them may have it, and its socket has to be the one that is found there."""
    modules = [make_module(factory=FACTORY) for _ in range(4)]
    for _ in range(4):
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(path))
        stale.close()
        sessions = [module.start("--listen", str(path)) for module in modules]
        wait_until(lambda: sum(session.process.poll() is not None for session in sessions) == 3, "three refusals")
        assert run_attached(tmp_path, path, "ota status nocheck").lines == STATUS
        ends = sorted(session.end(code=None).process.returncode for session in sessions)
        assert ends == [0, 1, 1, 1]
        assert not path.exists()


def test_what_is_no_socket_stays(module, path):
    path.write_text("precious")
    refused(module, path, "the file exists and is no socket")
    assert path.read_text() == "precious"


def test_link_to_a_socket_stays(listening, make_module, tmp_path, path):
    link = tmp_path / "link"
    link.symlink_to(path)
    refused(make_module(factory=FACTORY), link, "is no socket")
    assert link.is_symlink()
    assert run_attached(tmp_path, link, "ota status nocheck").lines == STATUS


def test_foreign_socket_is_not_removed(module, path):
    """Somebody has put another file there meanwhile."""
    session = module.start("--listen", str(path))
    wait_until(path.exists, "socket")
    path.unlink()
    path.write_text("another")
    session.end()
    assert path.read_text() == "another"


def test_long_path(module, tmp_path):
    folder = Path(tempfile.mkdtemp(prefix="lifeboat-"))
    try:
        longest = folder / ("x" * (107 - len(str(folder)) - 1))
        session = module.start("--listen", str(longest))
        wait_until(longest.exists, "socket")
        assert run_attached(tmp_path, longest, "ota status nocheck").lines == STATUS
        session.end()
        refused(module, f"{longest}x", "may have 107 bytes, this has 108")
        refused(module, "x" * 5000, "may have 107 bytes, this has 5000")
        attached = run_attached(tmp_path, f"{longest}x", "help", code=1)
        assert "may have 107 bytes, this has 108" in attached.errors
    finally:
        shutil.rmtree(folder)


def test_bad_folder(module, tmp_path):
    refused(module, tmp_path / "missing" / "s", "No such file or directory")
    (tmp_path / "file").write_text("")
    refused(module, tmp_path / "file" / "s", "Not a directory")
    refused(module, "", "this is no path")


def test_socket_that_appears_is_listened_to(module, path):
    """Scripts wait for the file, and then connect at once."""
    for _ in range(10):
        session = module.start("--listen", str(path))
        while not path.exists():
            pass
        works = Wire(path)
        assert works.execute("ota status nocheck") == (STATUS, 0)
        works.close()
        session.end()
        assert not [name for name in path.parent.iterdir() if name.name.startswith(".lifeboat")]
