# SPDX-License-Identifier: MIT
"""The firmwares that most sessions play with: small, so that a session takes no time."""

from image_builder import build_image

SIZE = 71680
FACTORY_VERSION, OLDER_VERSION, NEWER_VERSION = "3.1.001", "3.1.002", "3.1.003"
FACTORY = build_image(FACTORY_VERSION, size=SIZE)
OLDER = build_image(OLDER_VERSION, size=SIZE)
NEWER = build_image(NEWER_VERSION, size=SIZE)


def firmware_line(version, slot):
    return f"Firmware:          {version}/{slot}/main (build idf v3.1-dev-453-g0f978bcb Apr  7 2018 13:11:19)"


def status_lines(version, running, boot=None, available=None):
    """What `ota status` prints, `nocheck` unless a server has a version."""
    server = [f"Server Available:  {available}"] if available else []
    return [firmware_line(version, running), *server, f"Running partition: {running}",
            f"Boot partition:    {boot or running}"]
