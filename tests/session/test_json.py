# SPDX-License-Identifier: MIT
"""docs/json.md: every key that a command prints is documented there, and every documented one is printed."""

import json
import os
import re
import struct
import subprocess
from pathlib import Path

import pytest
from firmware import FACTORY, NEWER, OLDER
from flash_layout import OTADATA, TABLE, area, change, record, stage
from image_builder import build_image, seal

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text()


def section(title):
    """The text below a heading, up to the next of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", PAGE, re.M | re.S)
    assert match, title
    return match[2]


def documented(*titles):
    """The words in backticks at the beginning of an entry or of one of its parts: keys, not values."""
    keys = set()
    for title in titles:
        keys |= set(re.findall(r"`([a-z][a-z_0-9]*)`", section(title)))
    return keys


def keys_of(value):
    if isinstance(value, dict):
        return set(value) | set().union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def run(*words, codes=(0,)):
    done = subprocess.run([BINARY, *map(str, words), "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode in codes, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()] if done.stdout.startswith('{"') else \
        [json.loads(done.stdout)]


@pytest.fixture
def image(tmp_path):
    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


def check(printed, titles, values):
    """`values` are words in backticks that are values, not keys."""
    keys = set().union(*map(keys_of, printed))
    assert keys - documented(*titles) == set()
    assert documented(*titles) - values - {"null"} - keys == set()


def test_flash_status(make_module):
    module = make_module(factory=FACTORY, ota_0=NEWER)
    path = module.flash
    printed = run("flash", "status", path)
    module.run("ota boot ota_0")
    printed += run("flash", "status", path)
    assert printed[1]["otadata"]["records"][0]["trial"] == {"state": "on_trial", "attempts": 3, "failures": 0,
                                                              "cause": None}
    assert printed[1]["boot"]["on_trial"]
    assert printed[1]["slots"][2]["patch"] is None
    change(path, (OTADATA, record(1)), (area("ota_0").start + 5000, bytes(9)))
    stage(path, area("ota_1"), b"\x5a" * 5000, 5000, "http://depot.example/a.patch", whole=True)
    printed += run("flash", "status", path)
    assert printed[2]["slots"][2]["patch"] == {"source": "http://depot.example/a.patch", "size": 5000, "received": 5000,
                                               "whole": True}
    change(path, (TABLE, bytes(9)))
    printed += run("flash", "status", path)
    check(printed, ["error", "table", "lifeboat flash status"],
          {"table", "file", "selected", "default", "fallback_factory", "fallback_other", "unknown", "confirmed", "rejected",
           "crashed", "hung", "power", "operator", "no_depot"})


def test_flash_history(make_module, image):
    module = make_module(factory=FACTORY)
    module.run(f"ota flash vfs {module.put('new.bin', NEWER)}")
    module.run(f"ota flash vfs {module.put('bad.bin', OLDER[:-1] + b'x')} to ota_1", code=1)
    printed = run("flash", "history", module.flash)
    assert [update["result"] for update in printed[0]["updates"]] == ["failed", "flashed"]
    check(printed, ["error", "lifeboat flash history"],
          {"interrupted", "failed", "flashed", "confirmed", "rejected", "superseded", "crashed", "hung", "power", "operator",
           "no_depot", "unknown"})


def test_image_info(image):
    body = bytearray(build_image("1.0", size=4096))
    text = struct.pack("<B3sI32s24s16s", 0x50, b"", 3, b"v5.1", b"Jan  2 2024", b"").ljust(400, b"\0")
    bootloader = seal(bytes(body[:1]) + b"\1" + bytes(body[2:24]) + struct.pack("<II", 0x3FFF0018, 400) + text)
    printed = run("image", "info", image("good", bytes(body)))
    printed += run("image", "info", image("bad", bytes(body[:-1])), codes=[1])
    printed += run("image", "info", image("bootloader", bootloader), codes=[1])
    printed += run("image", "info", image("page", b"<html>"), codes=[1])
    check(printed, ["error", "lifeboat image info"], {"dio", "40m", "padding"})


def test_image_verify(image):
    printed = run("image", "verify", image("good", NEWER), image("bad", NEWER[:-1]), codes=[1])
    check(printed, ["error", "lifeboat image verify"], set())
    assert [line["good"] for line in printed] == [True, False]


def test_image_diff(image):
    one = image("one", OLDER)
    check(run("image", "diff", one, image("two", NEWER), codes=[1]) + run("image", "diff", one, one)
          + run("image", "diff", one, image("cut", NEWER[:-1]), codes=[1]), ["error", "lifeboat image diff"],
          {"header", "description", "end"})


def test_depot_publish(image, tmp_path):
    check(run("depot", "publish", tmp_path / "depot", image("one", OLDER), "--product", "v3.1", "--tag", "main"),
          ["lifeboat depot publish"], {"null", "present", "made", "too_large", "no_help"})


def test_patch(image, tmp_path):
    old, new, patch = image("old", OLDER), image("new", NEWER), tmp_path / "patch"
    printed = run("patch", "make", old, new, patch) + run("patch", "apply", old, patch, tmp_path / "out")
    assert [line["command"] for line in printed if line["event"] == "done"] == ["make", "apply"]
    printed += run("patch", "info", patch)
    patch.write_bytes(patch.read_bytes()[:-1])
    printed += run("patch", "info", patch, codes=[1])
    check(printed, ["error", "progress", "lifeboat patch make, apply, info"],
          {"done", "make", "apply", "info", "default", "small", "none", "progress"})


def test_flash_commands(make_module, image, tmp_path):
    listed = subprocess.run([BINARY, "help"], capture_output=True, text=True, timeout=60).stdout
    if "flash erase" not in listed:
        pytest.skip("this lifeboat has no commands that change a dump")
    path = make_module(factory=FACTORY, ota_0=OLDER).flash
    printed = run("flash", "write", path, "ota_1", image("new", NEWER))
    assert printed[-1]["event"] == "done" and printed[-1]["command"] == "write"
    printed += run("flash", "boot", path, "ota_1") + run("flash", "read", path, "ota_1", tmp_path / "out")
    printed += run("flash", "copy", path, "ota_1", "ota_0") + run("flash", "erase", path, "ota_0")
    check(printed, ["lifeboat flash boot, write, read, copy, erase"],
          {"boot", "write", "read", "copy", "erase", "progress"})
    check(run("flash", "table", path), ["error", "table"], {"name", "cause", "remedy", "esp_name", "esp_code"})


def test_every_command_with_json_is_documented():
    listed = subprocess.run([BINARY, "help"], capture_output=True, text=True, timeout=60).stdout
    for command in re.findall(r"^  ([a-z]+(?: [a-z]+)*)  +[A-Z]", listed, re.M):
        done = subprocess.run([BINARY, *command.split(), "--help"], capture_output=True, text=True, timeout=60)
        if re.search(r"^  --json", done.stdout, re.M):
            group, _, second = command.partition(" ")
            named = re.search(rf"^## lifeboat {group} (?:.*, )?{second}(?:,|$)", PAGE, re.M) or \
                f"`lifeboat {command}`" in PAGE
            assert named, command
