# SPDX-License-Identifier: MIT
"""Images of SD cards, formatted and filled by dosfstools and mtools."""

import os
import shutil
import subprocess

MB = 1 << 20
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # where a user's PATH does not look


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done


def make_card(path, files=None, size=16 * MB, fat=16):
    """`files`: {path on the card: content}; folders are made. The size has to be a power of two, as QEMU wants it."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as file:
        file.truncate(size)
    run(shutil.which("mkfs.fat", path=SEARCH), "-F", fat, "-i", "1ced1ced", "--invariant", path)
    made = set()
    for name, data in (files or {}).items():
        folders = name.split("/")[:-1]
        for count in range(1, len(folders) + 1):
            folder = "/".join(folders[:count])
            if folder not in made:
                made.add(folder)
                run("mmd", "-i", path, f"::{folder}")
        content = path.with_suffix(".content")
        content.write_bytes(data)
        run("mcopy", "-i", path, content, f"::{name}")
        content.unlink()
    return path
