#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulated board with a depot beside it, and you at its console. Called by `make board`, which builds first.

usage: board.py [--fresh] [--folder DIR]

Flash, SD card and depot are in build/board/run and are kept for the next time, unless --fresh is given.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "board"
LIFEBOAT = ROOT / "build" / "lifeboat"
FIRMWARES = ("firmware", "second")  # 1.0.0 and 2.0.0
HOST = "10.0.2.2"  # what QEMU's network makes of this machine's loopback
CARD_SIZE = 64 << 20  # a power of two, as QEMU wants it


def run(*words):
    """Runs a program; what it says is shown only if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"Error: {Path(words[0]).name} failed: {done.stderr or done.stdout}")


def make_flash(path):
    run(LIFEBOAT, "flash", "create", path, "--size", "32MB", "--bootloader", BUILD / "bootloader.bin", "--factory",
        BUILD / f"{FIRMWARES[0]}.bin")


def make_card(path):
    with open(path, "wb") as file:
        file.truncate(CARD_SIZE)
    run(shutil.which("mkfs.fat", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"), "-n", "LIFEBOAT", path)
    run("mcopy", "-i", path, BUILD / f"{FIRMWARES[1]}.bin", "::ovms3.bin")


def prepare(folder):
    """Makes what is not there yet. A new file gets its name when it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("flash.bin", make_flash), ("sd.img", make_card)):
        unfinished = folder / f"{name}.new"
        unfinished.unlink(missing_ok=True)
        if not (folder / name).exists():
            make(unfinished)
            unfinished.rename(folder / name)
    shutil.rmtree(folder / "depot", ignore_errors=True)
    for firmware in FIRMWARES:
        run(LIFEBOAT, "depot", "publish", folder / "depot", BUILD / f"{firmware}.bin", "--product", "v3.1", "--tag",
            "main")


def start_depot(folder):
    """Returns its process and its port."""
    with open(folder / "depot.log", "w", encoding="utf-8") as log:
        depot = subprocess.Popen([LIFEBOAT, "depot", "serve", folder / "depot", "--listen", "127.0.0.1:0"],
                                 stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
    ready = depot.stdout.readline()
    if not ready:
        sys.exit(f"Error: the depot does not start; see {folder / 'depot.log'}")
    return depot, ready.rpartition("http://")[2].split("/")[0].rpartition(":")[2]


def run_board(folder):
    """Until Ctrl-A X. QEMU takes the keys, Ctrl-C among them; SIGTERM ends it."""
    board = subprocess.Popen([
        "qemu-system-riscv32", "-M", "sifive_u", "-m", "128M", "-bios", BUILD / "first_stage.elf", "-display", "none",
        "-serial", "mon:stdio", "-drive", f"if=mtd,format=raw,file={folder / 'flash.bin'}",
        "-drive", f"if=sd,format=raw,file={folder / 'sd.img'}", "-nic", "user"])

    def end(*_):
        board.terminate()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return board.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--fresh", action="store_true", help="make flash and card anew")
    parser.add_argument("--folder", type=Path, default=BUILD / "run", help="where they are (default build/board/run)")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    prepare(folder)
    depot, port = start_depot(folder)
    try:
        run(LIFEBOAT, "flash", "settings", folder / "flash.bin", "--set", "ota", "server", "string",
            f"{HOST}:{port}/firmware/ota", "--chip", "sifive_u")
        print("`ota flash http`, then `module reset`: the second firmware, whose `board info` the first one lacks.")
        print("`ota flash vfs /sd/ovms3.bin`: the same from the SD card. `help` lists the commands.")
        print("Ctrl-A X switches the board off.", flush=True)
        return run_board(folder)
    finally:
        depot.terminate()
        depot.wait()


if __name__ == "__main__":
    sys.exit(main())
