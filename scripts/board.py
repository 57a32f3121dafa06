#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulated board with a depot beside it, and you at its console. Called by `make board`, which builds first.

usage: board.py [--fresh] [--folder DIR]

Flash and SD card are in build/board/run and are kept for the next time, unless --fresh is given. The card's ovms3.bin
and the depot are always what was built last.
"""

import argparse
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "board"
LIFEBOAT = ROOT / "build" / "lifeboat"
FIRMWARES = ("firmware", "second")  # 1.0.0 and 2.0.0
HOST = "10.0.2.2"  # what QEMU's network makes of this machine's loopback
FLASH_SIZE = 32 << 20  # of the board's chip; QEMU takes no other
BOOTLOADER = 0x1000  # where the flash has it
CARD_SIZE = 64 << 20  # a power of two, as QEMU wants it
ANEW = "`make board FRESH=1` begins anew"
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A program failed; with what it said."""


def run(*words):
    """Runs a program; what it says is shown only if it fails."""
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().removeprefix("Error: ")
        raise Failed(f"{Path(words[0]).name}: {said or f'exit code {done.returncode}'}")


def end_with_parent():
    """In the child: also if this program is killed, nothing stays behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def lock(path, flags, error):
    """Returns the locked file, which is locked for as long as anyone has it open."""
    file = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"Error: {error}")
    return file


def make_flash(path):
    run(LIFEBOAT, "flash", "create", path, "--size", "32MB", "--bootloader", BUILD / "bootloader.bin", "--factory",
        BUILD / f"{FIRMWARES[0]}.bin")


def make_card(path):
    with open(path, "wb") as file:
        file.truncate(CARD_SIZE)
    run(shutil.which("mkfs.fat", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"), "-n", "LIFEBOAT", path)


def remove_all(folder):
    """What this program has made there, and nothing else."""
    for name in ("flash.bin", "sd.img", "depot.log"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "depot", ignore_errors=True)


def prepare(folder):
    """Makes what is not there yet. A new file gets its name when it is whole."""
    for name, make in (("flash.bin", make_flash), ("sd.img", make_card)):
        unfinished = folder / f"{name}.new"
        unfinished.unlink(missing_ok=True)
        if not (folder / name).exists():
            make(unfinished)
            unfinished.rename(folder / name)
    flash = folder / "flash.bin"
    size = flash.stat().st_size
    if size != FLASH_SIZE:
        sys.exit(f"Error: {flash} has {size} bytes, and the board's flash 32 MB; {ANEW}")
    try:
        run("mcopy", "-o", "-i", folder / "sd.img", BUILD / f"{FIRMWARES[1]}.bin", "::ovms3.bin")
    except Failed as error:
        print(f"Warning: ovms3.bin cannot be written to the card: {error}; {ANEW}")
    shutil.rmtree(folder / "depot", ignore_errors=True)
    for firmware in FIRMWARES:
        run(LIFEBOAT, "depot", "publish", folder / "depot", BUILD / f"{firmware}.bin", "--product", "v3.1", "--tag",
            "main")


def is_current(flash):
    """Does the flash have bootloader and first firmware as they were built last? Both are written when it is made."""
    bootloader = (BUILD / "bootloader.bin").read_bytes()
    with open(flash, "rb") as file:
        file.seek(BOOTLOADER)
        if file.read(len(bootloader)) != bootloader:
            return False
    with tempfile.TemporaryDirectory() as folder:
        factory = Path(folder) / "factory.bin"
        try:
            run(LIFEBOAT, "flash", "read", flash, "factory", factory, "--chip", "sifive_u")
        except Failed:
            return False
        return factory.read_bytes() == (BUILD / f"{FIRMWARES[0]}.bin").read_bytes()


def set_server(flash, port):
    """A flash that is too damaged for that is started as well: its bootloader has something to say."""
    try:
        run(LIFEBOAT, "flash", "settings", flash, "--set", "ota", "server", "string", f"{HOST}:{port}/firmware/ota",
            "--chip", "sifive_u")
    except Failed as error:
        print(f"Warning: `ota server` cannot be set to the depot: {error}; {ANEW}")


def start_depot(folder):
    """Returns its process and its port."""
    with open(folder / "depot.log", "w", encoding="utf-8") as log:
        depot = subprocess.Popen([LIFEBOAT, "depot", "serve", folder / "depot", "--listen", "127.0.0.1:0"],
                                 stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
                                 preexec_fn=end_with_parent)
    ready = depot.stdout.readline()
    if not ready:
        sys.exit(f"Error: the depot does not start; see {folder / 'depot.log'}")
    return depot, ready.rpartition("http://")[2].split("/")[0].rpartition(":")[2]


def run_board(folder):
    """Until Ctrl-A X. QEMU takes the keys, Ctrl-C among them; SIGTERM ends it. It has the lock of the flash, the one
    that `lifeboat flash` asks for, which so leaves alone what a board runs from."""
    flash = lock(folder / "flash.bin", os.O_RDWR, f"{folder / 'flash.bin'} is in use; end the other module or tool")
    board = subprocess.Popen([
        "qemu-system-riscv32", "-M", "sifive_u", "-m", "128M", "-bios", BUILD / "first_stage.elf", "-display", "none",
        "-serial", "mon:stdio", "-drive", f"if=mtd,format=raw,file={folder / 'flash.bin'}",
        "-drive", f"if=sd,format=raw,file={folder / 'sd.img'}", "-nic", "user"],
        pass_fds=[flash], preexec_fn=end_with_parent)

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
    if not os.isatty(0):
        print("Error: the board's console needs a terminal, and the input is none", file=sys.stderr)
        return 2
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lock(folder / "lock", os.O_RDWR | os.O_CREAT,
         f"another board runs in {folder}; end it, or have one in another folder: scripts/board.py --folder DIR")
    if options.fresh:
        remove_all(folder)
    prepare(folder)
    flash = folder / "flash.bin"
    if not is_current(flash):
        print(f"Factory or bootloader in {flash} is not what was built last; {ANEW}.")
    depot, port = start_depot(folder)
    try:
        set_server(flash, port)
        print("`ota flash http`, then `module reset`: the second firmware, whose `board info` the first one lacks.")
        print("`ota flash vfs /sd/ovms3.bin`: the same from the SD card. `help` lists the commands.")
        print("Ctrl-A X switches the board off.", flush=True)
        return run_board(folder)
    finally:
        depot.terminate()
        depot.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"Error: {failure}")
