# SPDX-License-Identifier: MIT
"""A module's life with real OVMS firmware; see LIFEBOAT_FIRMWARE in docs. Without it, made images of the same sizes."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from depot_server import DepotServer, published, published_with_patches
from flash_layout import content
from image_builder import build_image
from nginx_server import NginxServer

DESCRIPTION = 32  # offset in an image
URL = "api.openvehicles.com/firmware/ota/v3.1/main/ovms3.bin"


@dataclass(frozen=True)
class Real:
    size: int
    sha256: str


RELEASES = {
    "3.3.003-585": Real(3659184, "c3e7a45f42c58a42ef4fc5949d77ce810ece6cb7366bae669b9a856ce08c19bf"),
    "3.3.003-600": Real(3653024, "9fc6780797d0cbfa06df35b5b8e38fc40aeaad615dcb71acc9dae0f7f3885275"),
    "3.3.003-601": Real(3653024, "864d5d41f000380877b3b324ad9288e031d237fca25a704724fdddf34f20dddd"),
}


def text_at(image, offset, size):
    return image[offset:offset + size].split(b"\0")[0].decode()


def build_of(image):
    """The end of the line Firmware, from the application description at its offset."""
    idf, date, time = (text_at(image, DESCRIPTION + at, size) for at, size in ((112, 32), (96, 16), (80, 16)))
    return f"(build idf {idf} {date} {time})"


@pytest.fixture(scope="module")
def images():
    folder = os.environ.get("LIFEBOAT_FIRMWARE")
    if not folder:  # conftest.py tells it
        return {version: build_image(version, size=real.size) for version, real in RELEASES.items()}
    found = {}
    for version, real in RELEASES.items():
        path = Path(folder) / f"ovms-{version}.bin"
        image = path.read_bytes()
        assert hashlib.sha256(image).hexdigest() == real.sha256, f"{path} is another file than the tests know"
        assert len(image) == real.size
        found[version] = image
    return found


def version_of(image):
    """The real ones have more to their version than their file names say: 3.3.003-585-g440dc7de-dirty."""
    return text_at(image, DESCRIPTION + 16, 32)


def status(image, release, running, boot, available):
    version = version_of(image)
    assert version.startswith(release)
    return [f"Firmware:          {version}/{running}/main {build_of(image)}", f"Server Available:  {available}",
            f"Running partition: {running}", f"Boot partition:    {boot}"]


def without_progress(lines):
    return [line for line in lines if not line.startswith("Downloading...")]


@pytest.fixture(params=["depot serve", "nginx"])
def server(request, tmp_path, images):
    depot = tmp_path / "depot"
    image = tmp_path / "600.bin"
    image.write_bytes(images["3.3.003-600"])
    published(depot, image)
    with contextlib.ExitStack() as stack:
        if request.param == "nginx":
            yield stack.enter_context(NginxServer(tmp_path / "nginx", depot))
        else:
            yield stack.enter_context(DepotServer(depot))


def test_life_of_a_module(make_module, images, server):
    first, second, third = (images[version] for version in RELEASES)
    module = make_module(factory=first)
    module.server = server.address
    card = module.put("ovms3.bin", third)
    session = module.run(
        "ota status", "ota flash http", "ota status", "module reset",
        "ota status", f"ota flash vfs {card}", "ota status", "module reset",
        "ota status", "ota boot ota_0", "ota status", "module reset",
        "ota status", "ota boot factory", "ota status", "module reset",
        "ota status", timeout=120)
    assert session.booted == ["factory", "ota_0", "ota_1", "ota_0", "factory"]
    assert session.changed == {"otadata", "ota_0", "ota_1"}
    offered = version_of(second)
    expected = [
        *status(first, "3.3.003-585", "factory", "factory", offered),
        "Current running partition is: factory",
        "Target partition is: ota_0",
        f"Download firmware from {URL} to ota_0",
        "Expected file size is 3653024",
        "Preparing flash partition...",
        "Download complete (at 3653024 bytes)",
        "Setting boot partition...",
        "OTA flash was successful",
        f"  Flashed 3653024 bytes from {URL}",
        "  Next boot will be from 'ota_0'",
        *status(first, "3.3.003-585", "factory", "ota_0", offered),
        *status(second, "3.3.003-600", "ota_0", "ota_0", offered),
        "Current running partition is: ota_0",
        "Target partition is: ota_1",
        "Source image is 3653024 bytes in size",
        "Preparing flash partition...",
        "Flashing image partition...",
        "Setting boot partition...",
        "OTA flash was successful",
        f"  Flashed 3653024 bytes from {card}",
        "  Next boot will be from 'ota_1'",
        *status(second, "3.3.003-600", "ota_0", "ota_1", offered),
        *status(third, "3.3.003-601", "ota_1", "ota_1", offered),
        "Boot from ota_0 at 0x00410000 (size 0x00400000)",
        *status(third, "3.3.003-601", "ota_1", "ota_0", offered),
        *status(second, "3.3.003-600", "ota_0", "ota_0", offered),
        "Boot from factory at 0x00010000 (size 0x00400000)",
        *status(second, "3.3.003-600", "ota_0", "factory", offered),
        *status(first, "3.3.003-585", "factory", "factory", offered),
    ]
    assert without_progress(session.lines) == expected
    assert sum(line.startswith("Downloading...") for line in session.lines) == 35
    assert content(module.flash, "factory", len(first)) == first
    assert content(module.flash, "ota_0", len(second)) == second
    assert content(module.flash, "ota_1", len(third)) == third


@pytest.mark.skipif(not os.environ.get("LIFEBOAT_FIRMWARE"), reason="made images have nothing in common")
def test_life_by_patches(make_module, images, tmp_path):
    """Two updates of real firmware: from factory, then from one slot to the other; both cost what has changed."""
    first, second, third = (images[version] for version in RELEASES)
    files = [tmp_path / f"{version}.bin" for version in RELEASES]
    for file, image in zip(files, images.values()):
        file.write_bytes(image)
    module = make_module(factory=first)
    depot = tmp_path / "depot"
    published_with_patches(depot, files[1], "--base", files[0])
    with DepotServer(depot) as server:
        module.server = server.address
        one = module.run("ota flash http", "module reset", timeout=120)
        published_with_patches(depot, files[2])
        two = module.run("ota flash http", "module reset", "ota history", timeout=120)
    assert one.booted[-1] == "ota_0" and two.booted[-1] == "ota_1"
    assert any(line.startswith("  By patch from factory: ") for line in one.lines)
    assert "  By patch from ota_0: 586 bytes instead of 3653024" in two.lines
    assert content(module.flash, "factory", len(first)) == first
    assert content(module.flash, "ota_0", len(second)) == second
    assert content(module.flash, "ota_1", len(third)) == third
