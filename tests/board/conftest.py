# SPDX-License-Identifier: MIT
"""Sessions on the emulated board. They share the depot, the servers and the flash layout with tests/session."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "session"))

import board_flash  # noqa: E402
from board_flash import FIRST, SECOND  # noqa: E402
from depot_server import DepotServer  # noqa: E402
from qemu_board import Board  # noqa: E402
from sd_card import make_card  # noqa: E402
from web_server import WebServer  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "sample: also part of `make test`")


class Bench:
    """A flash file, an SD card, and the board that is switched on with them."""

    def __init__(self, folder):
        self.folder = folder
        self.flash = folder / "flash.bin"
        self.card = None
        self.boards = []

    def create(self, **slots):
        board_flash.create(self.flash, **slots)
        return self

    def select(self, slot):
        board_flash.select(self.flash, slot)
        return self

    def settings(self, **values):
        board_flash.settings(self.flash, **values)
        return self

    def insert(self, files=None, **options):
        """Puts a card with these files into the slot."""
        self.card = make_card(self.folder / "card.img", files, **options)
        return self

    def power_on(self, **options):
        self.boards.append(Board(self.flash, sd=self.card, **options))
        return self.boards[-1]

    def close(self):
        for board in self.boards:
            board.terminate()
        for path in (self.flash, self.card):
            if path:
                path.unlink(missing_ok=True)  # pytest keeps the folders of its last runs, and these are large


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def factory(bench):
    """As it leaves production."""
    return bench.create(factory=FIRST)


@pytest.fixture(scope="session")
def depot_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("depot")
    board_flash.publish(folder, FIRST, SECOND)
    return folder


@pytest.fixture
def depot(depot_folder):
    """A depot whose newest firmware is the second one."""
    with DepotServer(depot_folder) as server:
        yield server


@pytest.fixture
def web(bench):
    """A server whose paths behave as the test says."""
    with WebServer() as server:
        yield server
