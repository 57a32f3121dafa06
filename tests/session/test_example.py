# SPDX-License-Identifier: MIT
"""The programs of docs/integrating.md, as an integrator would run them."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from image_builder import build_image, seal

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
EXAMPLE = BINARY.parent / "examples" / "minimal"
BY_PATCH = BINARY.parent / "examples" / "patch_update"


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


def run(table, factory, new, example=EXAMPLE):
    return subprocess.run([example, table, factory, new], capture_output=True, text=True, timeout=60, check=False)


def rebuilt(image, version):
    """The same firmware as another version, with other bytes every so often."""
    data = bytearray(image)
    data[48:80] = version.encode().ljust(32, b"\0")
    for at in range(4096, len(data) - 4096, 512):
        data[at:at + 32] = hashlib.sha256(f"{version} {at}".encode()).digest()
    return seal(bytes(data))


def make_patch(tmp_path, old, new):
    (tmp_path / "new.bin").write_bytes(new)
    (tmp_path / "old.bin").write_bytes(old)
    patch = tmp_path / "new.patch"
    subprocess.run([BINARY, "patch", "make", tmp_path / "old.bin", tmp_path / "new.bin", patch], check=True,
                   capture_output=True, timeout=60)
    return patch


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


def test_it_updates_by_patch(tmp_path, table):
    """Over a link that breaks off once: what has come does not come again."""
    old = build_image("1.0", size=250000)
    factory = tmp_path / "factory.bin"
    factory.write_bytes(old)
    patch = make_patch(tmp_path, old, rebuilt(old, "2.0"))
    size = patch.stat().st_size
    pages = size // 2 // 256  # that had come when the link broke off; the last one's sector is begun anew
    staged = (pages - 1) * 256 // 4096 * 4096
    assert staged > 0
    done = run(table, factory, patch, BY_PATCH)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "factory runs, version 1.0",
        f"{size} bytes instead of {len(old)}, from factory to ota_0",
        f"fetching from byte 0 of {size} on",
        "the link is lost",
        f"fetching from byte {staged} of {size} on",
        "ota_0 runs, version 2.0",
    ]
    assert done.returncode == 0


def test_it_refuses_a_patch_for_another_firmware(tmp_path, table):
    other = build_image("1.1", size=60000)
    patch = make_patch(tmp_path, other, rebuilt(other, "2.0"))
    done = run(table, tmp_path / "factory.bin", patch, BY_PATCH)
    assert "made for another firmware" in done.stderr
    assert done.returncode == 1
