# SPDX-License-Identifier: MIT
"""What a board of the tests begins with: the firmwares that the build made, and flash files with them."""

from dataclasses import dataclass

from depot_server import lifeboat
from qemu_board import BUILD

CHIP = ("--chip", "sifive_u")
SERVER_AT_HOST = "10.0.2.2"  # what QEMU's network makes of the host's loopback
DEPOT_PATH = "firmware/ota"  # under which `lifeboat depot serve` has a depot
PRODUCT, TAG = "v3.1", "main"


@dataclass(frozen=True)
class Firmware:
    name: str
    version: str

    @property
    def path(self):
        return BUILD / f"{self.name}.bin"

    @property
    def bytes(self):
        return self.path.read_bytes()

    def line(self, slot):
        """How `ota status` begins while it runs from that slot; the build's date follows."""
        return f"Firmware:          {self.version}/{slot}/main (build idf none "


FIRST = Firmware("firmware", "1.0.0")
SECOND = Firmware("second", "2.0.0")
CRASHING = Firmware("crashing", "3.0.0")
HANGING = Firmware("hanging", "4.0.0")
FRAGILE = Firmware("fragile", "5.0.0")
DECODING = Firmware("decoding", "6.0.0")
ALL = (FIRST, SECOND, CRASHING, HANGING, FRAGILE)


def done(*words):
    """`lifeboat` with these words, which has to succeed; returns what it printed."""
    result = lifeboat(*words)
    assert result.returncode == 0, (words, result)
    return result.stdout


def create(path, factory=FIRST, ota_0=None, ota_1=None):
    """A flash as it leaves production, with further images in the slots."""
    words = [word for slot, firmware in (("--factory", factory), ("--ota-0", ota_0), ("--ota-1", ota_1)) if firmware
             for word in (slot, firmware.path)]
    done("flash", "create", path, "--size", "32MB", "--bootloader", BUILD / "bootloader.bin", *words, "--force", *CHIP)
    return path


def select(path, slot):
    """By cable, where it counts at once."""
    done("flash", "boot", path, slot, *CHIP)


def settings(path, **values):
    """settings(path, trial_time=1): settings of `ota`, with _ for the dot."""
    for key, value in values.items():
        done("flash", "settings", path, "--set", "ota", key.replace("_", "."), "string", value, *CHIP)


def server_setting(address, path=DEPOT_PATH):
    """The value of `ota server` for a server on the host's loopback."""
    return f"{SERVER_AT_HOST}:{address[1]}/{path}"


def publish(depot, *firmwares, tag=TAG, patches=0):
    """Publications of one product, the last one being the newest, with patches from so many releases."""
    for firmware in firmwares:
        done("depot", "publish", depot, firmware.path, "--product", PRODUCT, "--tag", tag, "--patches", patches)
