# SPDX-License-Identifier: MIT
"""No command of the tool writes its result over what it is made from, nor another product's firmware into factory."""

import os
import subprocess
from pathlib import Path

import pytest
from image_builder import build_image

BINARY = Path(os.environ.get("LIFEBOAT_BINARY", "build/lifeboat")).resolve()


def run(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(name="folder")
def made_folder(tmp_path):
    (tmp_path / "image").write_bytes(build_image("1.0"))
    (tmp_path / "other").write_bytes(build_image("2.0", project="other"))
    assert run("flash", "create", tmp_path / "flash", "--factory", tmp_path / "image").returncode == 0
    return tmp_path


@pytest.mark.parametrize("words, kept", [
    (["flash", "map", "flash", "--svg", "flash"], "flash"),
    (["flash", "table", "flash", "--binary", "flash", "--force"], "flash"),
    (["flash", "create", "image", "--factory", "image", "--force"], "image"),
    (["flash", "read", "flash", "factory", "flash", "--force"], "flash"),
    (["image", "make", "image", "--segment", "0x400D0018=image"], "image"),
])
def test_input_is_kept(folder, words, kept):
    before = (folder / kept).read_bytes()
    done = run(*[word.replace(kept, str(folder / kept)) if word == kept or word.endswith("=" + kept) else word
                 for word in words])
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("Error: ")
    assert (folder / kept).read_bytes() == before


def test_factory_keeps_its_project(folder):
    before = (folder / "flash").read_bytes()
    done = run("flash", "write", folder / "flash", "factory", folder / "other", "--production")
    assert done.returncode == 1
    assert "of another project" in done.stderr
    assert (folder / "flash").read_bytes() == before


@pytest.mark.parametrize("name", ["link", "pipe"])
def test_only_ordinary_files_are_replaced(folder, name):
    if name == "link":
        (folder / name).symlink_to("image")
    else:
        os.mkfifo(folder / name)
    done = run("image", "make", folder / name, "--segment", f"0x400D0018={folder / 'other'}")
    assert done.returncode == 1
    assert "is not an ordinary file" in done.stderr
    assert (folder / name).is_symlink() or (folder / name).is_fifo()
