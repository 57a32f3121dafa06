# SPDX-License-Identifier: MIT
import os
import shutil

import pytest

from depot_server import lifeboat
from firmware import FACTORY
from flash_layout import OVMS, SEVEN_MB
from virtual_module import VirtualModule
from web_server import WebServer


def pytest_report_header():
    folder = os.environ.get("LIFEBOAT_FIRMWARE")
    if folder:
        return f"real OVMS firmware from {folder}"
    return "LIFEBOAT_FIRMWARE is not set: made images of the real ones' versions and sizes are used"


@pytest.fixture(scope="session")
def flash_files(tmp_path_factory):
    """flash_files(factory=IMAGE, ota_1=IMAGE): a flash file with these images, made once and not to be written to."""
    folder = tmp_path_factory.mktemp("flash")
    made = {}

    def prepare(layout=OVMS, **slots):
        key = (layout, tuple(sorted(slots.items())))
        if key not in made:
            path = folder / f"{len(made)}.bin"
            words = ["--layout", "7m"] if layout is SEVEN_MB else []
            for slot, image in slots.items():
                image_file = folder / f"{len(made)}-{slot}.bin"
                image_file.write_bytes(image)
                words += [f"--{slot.replace('_', '-')}", image_file]
            done = lifeboat("flash", "create", path, *words)
            assert done.returncode == 0, done.stderr
            made[key] = path
        return made[key]

    yield prepare
    for path in made.values():
        path.unlink()  # pytest keeps the folders of its last runs, and these are large


@pytest.fixture
def make_module(tmp_path, flash_files):
    """make_module(factory=IMAGE, ota_1=IMAGE): a module of its own for the test."""
    copies = []

    def make(layout=OVMS, **slots):
        folder = tmp_path / f"module-{len(copies)}"
        folder.mkdir()
        copies.append(folder / "flash.bin")
        shutil.copyfile(flash_files(layout, **slots), copies[-1])
        return VirtualModule(folder, copies[-1], layout)

    yield make
    for copy in copies:
        copy.unlink(missing_ok=True)


@pytest.fixture
def module(make_module):
    """A module as it leaves production: factory and nothing else."""
    return make_module(factory=FACTORY)


@pytest.fixture
def web(module):
    """A server that `module` takes for its own."""
    with WebServer() as server:
        module.server = server.address
        yield server
