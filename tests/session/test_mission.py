# SPDX-License-Identifier: MIT
"""The mission's session on a terminal, from its first line to its last, line by line."""

import re

import pytest
from depot_server import DepotServer, lifeboat, published
from terminal import PROMPT, Terminal

SIZE = 2100352
IDF = "v3.1-dev-453-g0f978bcb"
CODE_SIZE = 1300000

# What the mission shows. In its text the user types `module reset` between the two last commands; that prints nothing.
MISSION = """\
OVMS# ota status
Firmware:          3.1.003-2-g7ea18b4-dirty/factory/main (build idf v3.1-dev-453-g0f978bcb Apr  7 2018 16:26:57)
Server Available:  3.1.003
Running partition: factory
Boot partition:    factory
OVMS# ota boot ota_1
Boot from ota_1 at 0x00810000 (size 0x00400000)
OVMS# ota status
Firmware:          3.1.003-2-g7ea18b4-dirty/factory/main (build idf v3.1-dev-453-g0f978bcb Apr  7 2018 16:26:57)
Server Available:  3.1.003
Running partition: factory
Boot partition:    ota_1
OVMS# ota flash http
Current running partition is: factory
Target partition is: ota_0
Download firmware from api.openvehicles.com/firmware/ota/v3.1/main/ovms3.bin to ota_0
Expected file size is 2100352
Preparing flash partition...
Downloading... (100361 bytes so far)
Downloading... (200369 bytes so far)
Downloading... (300577 bytes so far)
...
Downloading... (1903977 bytes so far)
Downloading... (2004185 bytes so far)
Download complete (at 2100352 bytes)
Setting boot partition...
OTA flash was successful
  Flashed 2100352 bytes from api.openvehicles.com/firmware/ota/v3.1/main/ovms3.bin
  Next boot will be from 'ota_0'
OVMS# ota status
Firmware:          3.1.003-2-g7ea18b4-dirty/factory/main (build idf v3.1-dev-453-g0f978bcb Apr  7 2018 16:26:57)
Server Available:  3.1.003
Running partition: factory
Boot partition:    ota_0
OVMS# module reset
OVMS# ota status
Firmware:          3.1.003/ota_0/main (build idf v3.1-dev-453-g0f978bcb Apr  7 2018 13:11:19)
Server Available:  3.1.003
Running partition: ota_0
Boot partition:    ota_0
""".splitlines()

DOWNLOADING = re.compile(r"Downloading\.\.\. \((\d+) bytes so far\)")


def collapse(lines):
    """Runs of `Downloading...` lines, and the mission's `...` for more of them, become one entry."""
    found = []
    for line in lines:
        if line == "..." or DOWNLOADING.fullmatch(line):
            line = "Downloading..."
            if found and found[-1] == line:
                continue
        found.append(line)
    return found


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The mission's three firmwares, made by the tool: factory, an older one, the release."""
    folder = tmp_path_factory.mktemp("mission")

    def make(version, time, filling):
        code = folder / f"{version}.raw"
        code.write_bytes((bytes(range(256)) + filling) * (CODE_SIZE // (256 + len(filling))))
        image = folder / f"{version}.bin"
        done = lifeboat("image", "make", image, "--segment", f"0x400D0018={code}", "--version", version, "--project",
                        "ovms3", "--date", "Apr  7 2018", "--time", time, "--idf", IDF, "--size", SIZE)
        assert done.returncode == 0, done.stderr
        assert image.stat().st_size == SIZE
        return image.read_bytes(), image

    return make("3.1.003-2-g7ea18b4-dirty", "16:26:57", b"fact"), make("3.1.002", "10:05:44", b"oldr"), \
        make("3.1.003", "13:11:19", b"newr")


def check_progress(lines):
    """A line each time more than 100,000 bytes have come since the last one, in pieces of at most 4096."""
    counts = [0] + [int(found[1]) for found in map(DOWNLOADING.fullmatch, lines) if found]
    assert len(counts) == 1 + 20, counts
    for before, after in zip(counts, counts[1:]):
        assert 100000 < after - before <= 100000 + 4096, (before, after)
    assert counts[-1] <= SIZE


def test_mission(tmp_path, make_module, images):
    (factory, _), (older, older_file), (release, release_file) = images
    module = make_module(factory=factory, ota_1=older)
    depot = tmp_path / "depot"
    published(depot, older_file)
    published(depot, release_file)
    with DepotServer(depot) as server:
        module.server = server.address
        with Terminal(module) as terminal:
            for line in MISSION:
                if line.startswith(PROMPT):
                    terminal.command(line.removeprefix(PROMPT))
            shown = terminal.rows
            assert shown[-1] == PROMPT.rstrip()
            assert collapse(shown[:-1]) == collapse(MISSION)
            check_progress(shown)
        assert terminal.booted == ["factory", "ota_0"]
        assert terminal.changed == {"otadata", "ota_0"}
