# SPDX-License-Identifier: MIT
"""The program of docs/integrating.md, as an integrator would run it."""

import os
import subprocess
from pathlib import Path

import pytest

from image_builder import build_image

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
EXAMPLE = BINARY.parent / "examples" / "minimal"


@pytest.fixture(name="table")
def made_table(tmp_path):
    """The partition table that `lifeboat flash create` writes."""
    factory = tmp_path / "factory.bin"
    factory.write_bytes(build_image("1.0"))
    flash = tmp_path / "flash.bin"
    subprocess.run([BINARY, "flash", "create", flash, "--factory", factory], check=True, capture_output=True)
    table = tmp_path / "table.bin"
    table.write_bytes(flash.read_bytes()[0x8000:0x9000])
    return table


def run(table, factory, new):
    return subprocess.run([EXAMPLE, table, factory, new], capture_output=True, text=True, timeout=60, check=False)


def test_it_boots_what_it_updated(tmp_path, table):
    new = tmp_path / "new.bin"
    new.write_bytes(build_image("2.0", size=300000))
    done = run(table, tmp_path / "factory.bin", new)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "boot: selected: factory",
        "boot: factory: verified, version 1.0",
        "boot: starting factory",
        "boot: selected: ota_0",
        "boot: ota_0: verified, version 2.0",
        "boot: starting ota_0 on trial, attempt 1 of 3",
        "boot: selected: ota_0",
        "boot: ota_0: verified, version 2.0",
        "boot: starting ota_0",
    ]
    assert done.returncode == 0


def test_it_refuses_another_product(tmp_path, table):
    new = tmp_path / "new.bin"
    new.write_bytes(build_image("2.0", project="other"))
    done = run(table, tmp_path / "factory.bin", new)
    assert "of another project" in done.stderr
    assert done.returncode == 1
