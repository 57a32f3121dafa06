# SPDX-License-Identifier: MIT
"""`vfs cat|cp|mv|rm`: what they do, and that they neither lose a file nor leave their mounts."""

import os
import re
import signal

import pytest
from firmware import NEWER, NEWER_VERSION, status_lines
from refusals import CANCELLED, wrong_arguments
from terminal import Terminal
from virtual_module import wait_until

MB = 1 << 20
TEXT = "Mended.\nAnd mended again.\n"
MISSING = "there is no such file - look at what there is with `vfs ls` (ESP_ERR_NOT_FOUND, 261)"
FOLDER = "this is a directory - name a file in it (ESP_ERR_INVALID_ARG, 258)"
NO_FOLDER = "this is no directory - name a directory (ESP_ERR_INVALID_ARG, 258)"
NO_MOUNT = "nothing is mounted there - put a card in, or name a path below /sd or /store (ESP_ERR_NOT_FOUND, 261)"
OUTSIDE = "the path leaves its mount - name a file below /sd or /store (ESP_ERR_NOT_ALLOWED, 269)"
EXISTS = "something has that name already - choose another name, or remove it first (ESP_ERR_INVALID_STATE, 259)"
OTHER_MOUNT = "a file keeps its mount when it is renamed - copy it, and remove it here (ESP_ERR_INVALID_ARG, 258)"


def tree(folder):
    """All that is in a folder: names with contents, links with their targets, folders with None."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(root, name)
            key = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[key] = ("link", os.readlink(path))
            elif os.path.isdir(path):
                found[key] = None
            else:
                with open(path, "rb") as file:
                    found[key] = file.read()
    return found


@pytest.fixture
def card(module):
    """A card with a bit of everything, and beside it what a module must never see."""
    (module.sd / "text").write_text(TEXT)
    (module.sd / "other").write_bytes(b"other\n")
    (module.sd / "empty").write_bytes(b"")
    (module.sd / "two words").write_text("two\n")
    (module.sd / "folder").mkdir()
    (module.sd / "folder" / "deep").write_text("deep\n")
    (module.store / "script").write_text("script\n")
    (module.folder / "secret").write_text("secret\n")
    for name, target in (("inside", "text"), ("way", "folder"), ("outside", "../secret"), ("parent", ".."),
                         ("absolute", "/etc/passwd"), ("dangling", "gone"), ("circle", "circle")):
        (module.sd / name).symlink_to(target)
    return module


@pytest.fixture
def everything(card):
    """What is on both mounts and beside them, before and (when called) now."""
    before = {name: tree(card.folder / name) for name in ("sd", "store")}

    def compare():
        now = {name: tree(card.folder / name) for name in ("sd", "store")}
        assert (card.folder / "secret").read_text() == "secret\n"
        assert not (card.folder / "y").exists()
        return now == before

    return compare


def refused(module, line, path, words):
    session = module.run(line, code=1)
    assert session.lines == [f"Error: {path}: {words}"]


# ---- vfs cat ----


@pytest.mark.parametrize("path, text", [
    ("/sd/text", TEXT), ("/sd/empty", ""), ("/store/script", "script\n"), ("/sd/folder/deep", "deep\n"),
    ("/sd/way/deep", "deep\n"), ("/sd/inside", TEXT), ('"/sd/two words"', "two\n"), ("//sd///text", TEXT),
    ("/sd/./folder/../text", TEXT),
])
def test_cat(card, everything, path, text):
    assert card.run(f"vfs cat {path}").text == text
    assert everything()


def test_cat_of_much_text(card):
    text = "".join(f"line {number}\n" for number in range(100000))
    (card.sd / "much").write_text(text)
    assert card.run("vfs cat /sd/much").text == text


def test_cat_in_utf_8(card):
    """A character of several bytes may lie on the border of two pieces of 4096."""
    text = "x" * 4095 + "größe\n" + "ü" * 5000 + "\n"
    (card.sd / "words").write_text(text, encoding="utf-8")
    assert card.run("vfs cat /sd/words").text == text


def test_cat_keeps_control_characters_from_the_terminal(card):
    (card.sd / "bytes").write_bytes(bytes(range(128)) + b"\x1b[2J\x1b]0;title\x07\n")
    session = card.run("vfs cat /sd/bytes")
    shown = session.output.read_bytes()
    expected = bytes(byte if byte in b"\t\n\r" or 0x20 <= byte < 0x7F else ord("?") for byte in range(128))
    assert shown == expected + b"?[2J?]0;title?\n"


def test_cat_keeps_8_bit_control_characters_from_the_terminal(card):
    """U+009B is the same to a terminal as ESC [: as one byte in ISO 8859, as two in UTF-8."""
    (card.sd / "bytes").write_bytes(b"a\xc2\x9b2Jb\n")
    assert b"\xc2\x9b" not in card.run("vfs cat /sd/bytes").output.read_bytes()


def test_prompt_after_a_text_without_end_of_line(card):
    """The prompt begins a line of its own, and so does the next command of a transcript."""
    (card.sd / "open").write_text("no end of line")
    session = card.run("vfs cat /sd/open", "vfs cat /sd/empty", options=["--transcript"])
    assert session.lines == ["OVMS# vfs cat /sd/open", "no end of line", "OVMS# vfs cat /sd/empty"]


@pytest.mark.parametrize("path, words", [
    ("/sd/gone", MISSING), ("/sd/gone/text", MISSING), ("/sd", FOLDER), ("/sd/", FOLDER), ("/", FOLDER),
    ("/sd/folder", FOLDER), ("/sd/way", FOLDER), ("/sd/text/", NO_FOLDER), ("/sd/text/x", NO_FOLDER),
    ("/sdx/text", NO_MOUNT), ("/etc/passwd", NO_MOUNT), ("text", NO_MOUNT), ("sd/text", NO_MOUNT),
    ("/sd/../secret", OUTSIDE), ("/sd/../sd/text", OUTSIDE), ("/sd/folder/../../secret", OUTSIDE),
    ("/store/../sd/text", OUTSIDE), ("/sd/outside", OUTSIDE), ("/sd/parent/secret", OUTSIDE),
    ("/sd/absolute", OUTSIDE), ("/sd/dangling", MISSING), ("/sd/circle", MISSING),
    ("/../etc/passwd", NO_MOUNT),
])
def test_cat_refused(card, everything, path, words):
    refused(card, f"vfs cat {path}", path, words)
    assert everything()


@pytest.mark.parametrize("line, usage", [
    ("vfs cat", "vfs cat FILE"), ("vfs cat /sd/text /sd/text", "vfs cat FILE"), ("vfs cp /sd/text", "vfs cp FROM TO"),
    ("vfs cp /sd/text /sd/x /sd/y", "vfs cp FROM TO"), ("vfs mv /sd/text", "vfs mv FROM TO"),
    ("vfs rm", "vfs rm FILE"), ("vfs rm /sd/text /sd/other", "vfs rm FILE"),
    ("vfs cat /sd/two words", "vfs cat FILE"),
])
def test_arguments(card, everything, line, usage):
    assert card.run(line, code=1).lines == wrong_arguments(usage)
    assert everything()


def test_cat_on_a_terminal(card):
    with Terminal(card) as terminal:
        assert terminal.command("vfs cat /sd/text") == TEXT.splitlines()


# ---- vfs cp ----


@pytest.mark.parametrize("source, target, place", [
    ("/sd/text", "/sd/y", "sd/y"), ("/sd/text", "/store/y", "store/y"),
    ("/store/script", "/sd/folder/y", "sd/folder/y"),
    ("/sd/text", "/sd/way/y", "sd/folder/y"), ("/sd/inside", "/sd/y", "sd/y"), ("/sd/empty", "/sd/y", "sd/y"),
    ("/sd/text", '"/sd/y z"', "sd/y z"), ("/sd/text", "/sd/folder/../y", "sd/y"), ("/sd/text", "/sd/.y", "sd/.y"),
])
def test_cp(card, source, target, place):
    before = {name: tree(card.folder / name) for name in ("sd", "store")}
    session = card.run(f"vfs cp {source} {target}")
    assert session.text == ""
    mount, _, name = place.partition("/")
    expected = (card.folder / source.strip("/")).read_bytes()
    assert tree(card.folder / mount) == {**before[mount], name: expected}
    assert not (card.folder / place).is_symlink()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, 3 * MB + 5])
def test_cp_of_any_size(card, size):
    data = os.urandom(size)
    (card.sd / "data").write_bytes(data)
    card.run("vfs cp /sd/data /store/copy")
    assert (card.store / "copy").read_bytes() == data
    assert sorted(tree(card.store)) == ["copy", "script"]


def test_flash_of_a_copy(card):
    card.put("ovms3.bin", NEWER)
    session = card.run("vfs cp /sd/ovms3.bin /store/kept.bin", "vfs rm /sd/ovms3.bin", "ota flash vfs /store/kept.bin",
                       "module reset", "ota status nocheck")
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_0")


@pytest.mark.parametrize("source, target, about, words", [
    ("/sd/gone", "/sd/y", 0, MISSING), ("/sd/folder", "/sd/y", 0, FOLDER), ("/sd", "/sd/y", 0, FOLDER),
    ("/sd/outside", "/sd/y", 0, OUTSIDE), ("/sd/../secret", "/sd/y", 0, OUTSIDE), ("/none/x", "/sd/y", 0, NO_MOUNT),
    ("/sd/text", "/sd/other", 1, EXISTS), ("/sd/text", "/sd/text", 1, EXISTS), ("/sd/text", "/sd/folder", 1, EXISTS),
    ("/sd/text", "/sd/empty", 1, EXISTS), ("/sd/text", "/sd", 1, EXISTS), ("/sd/text", "/sd/inside", 1, EXISTS),
    ("/sd/text", "/sd/dangling", 1, EXISTS), ("/sd/text", "/sd/outside", 1, EXISTS),
    ("/sd/text", "/sd/gone/y", 1, MISSING), ("/sd/text", "/none/y", 1, NO_MOUNT), ("/sd/text", "/y", 1, NO_MOUNT),
    ("/sd/text", "y", 1, NO_MOUNT), ("/sd/text", "/sd/../y", 1, OUTSIDE), ("/sd/text", "/sd/parent/y", 1, OUTSIDE),
    ("/sd/text", "/sd/folder/../../y", 1, OUTSIDE), ("/sd/text", "/sd/other/y", 1, NO_FOLDER),
])
def test_cp_refused(card, everything, source, target, about, words):
    refused(card, f"vfs cp {source} {target}", (source, target)[about], words)
    assert everything()


def test_cp_of_a_file_that_is_called_part(card):
    """The name of the unfinished copy is a file's own name here: it was removed before it had been read."""
    (card.sd / "data.part").write_bytes(b"precious" * 5000)
    card.run("vfs cp /sd/data.part /sd/data", code=None)
    assert (card.sd / "data.part").exists(), "the file that was copied is gone"
    assert (card.sd / "data.part").read_bytes() == b"precious" * 5000


def test_cp_leaves_files_of_others_alone(card):
    """A file of the user that happens to be called so is neither removed nor overwritten."""
    (card.sd / "data.part").write_bytes(b"precious")
    card.run("vfs cp /sd/text /sd/data", code=None)
    assert (card.sd / "data.part").exists(), "a file that had nothing to do with it is gone"
    assert (card.sd / "data.part").read_bytes() == b"precious"


def start_long_copy(card, size=400 * MB):
    """A copy that takes a while; returns the session once it has begun to write."""
    with open(card.sd / "large", "wb") as file:
        file.truncate(size)
    session = card.start()
    session.send("vfs cp /sd/large /store/copy")
    wait_until(lambda: any(path.stat().st_size > MB for path in card.store.iterdir()), "begun copy")
    return session


def test_cancelled_cp(card):
    session = start_long_copy(card)
    session.end(code=130, number=signal.SIGINT)
    assert session.lines == [CANCELLED]
    assert sorted(tree(card.store)) == ["script"]


def test_cut_cp(card):
    """The power goes: no half file has the name of the whole one, and the same copy afterwards works and tidies up."""
    start_long_copy(card).kill()
    assert not (card.store / "copy").exists()
    (card.sd / "large").write_bytes(b"small now\n")
    card.run("vfs cp /sd/large /store/copy")
    assert tree(card.store) == {"script": b"script\n", "copy": b"small now\n"}


# ---- vfs mv ----


@pytest.mark.parametrize("source, target, place", [
    ("/sd/text", "/sd/y", "y"), ("/sd/text", "/sd/folder/y", "folder/y"), ("/sd/folder/deep", "/sd/y", "y"),
    ("/sd/text", '"/sd/y z"', "y z"),
])
def test_mv(card, source, target, place):
    before = tree(card.sd)
    assert card.run(f"vfs mv {source} {target}").text == ""
    moved = before.pop(source.removeprefix("/sd/"))
    assert tree(card.sd) == {**before, place: moved}


def test_mv_of_a_link(card):
    """The link itself gets the new name, not what it leads to."""
    card.run("vfs mv /sd/outside /sd/y")
    assert os.readlink(card.sd / "y") == "../secret"
    assert (card.folder / "secret").read_text() == "secret\n"


@pytest.mark.parametrize("source, target, about, words", [
    ("/sd/gone", "/sd/y", 0, MISSING), ("/sd", "/sd/y", 0, FOLDER), ("/none/x", "/sd/y", 0, NO_MOUNT),
    ("/sd/../secret", "/sd/y", 0, OUTSIDE), ("/sd/parent/secret", "/sd/y", 0, OUTSIDE),
    ("/sd/text", "/sd/other", 1, EXISTS), ("/sd/text", "/sd/text", 1, EXISTS), ("/sd/text", "/sd/folder", 1, EXISTS),
    ("/sd/text", "/sd/dangling", 1, EXISTS), ("/sd/text", "/sd/outside", 1, EXISTS),
    ("/sd/text", "/store/script", 1, EXISTS),
    # the target is what is wrong, so the line has to name it
    ("/sd/text", "/none/y", 1, NO_MOUNT), ("/sd/text", "/sd/../y", 1, OUTSIDE),
    ("/sd/text", "/sd/parent/y", 1, OUTSIDE),
    ("/sd/text", "/sd/gone/y", 1, MISSING), ("/sd/text", "/sd/other/y", 1, NO_FOLDER), ("/sd/text", "/sd", 1, FOLDER),
    ("/sd/text", "y", 1, NO_MOUNT),
])
def test_mv_refused(card, everything, source, target, about, words):
    session = card.run(f"vfs mv {source} {target}", code=1)
    assert everything()
    assert session.lines == [f"Error: {(source, target)[about]}: {words}"]


def test_mv_to_the_other_mount(card, everything):
    """/sd and /store are two file systems on a module, whatever they are on the host."""
    session = card.run("vfs mv /sd/text /store/y", code=1)
    assert session.lines == [f"Error: /store/y: {OTHER_MOUNT}"]
    assert everything()


def test_mv_of_a_folder_into_itself(card, everything):
    session = card.run("vfs mv /sd/folder /sd/folder/y", code=1)
    assert everything()
    assert "could not be read" not in session.text  # nothing is wrong with the card


# ---- vfs rm ----


@pytest.mark.parametrize("path", ["/sd/text", "/sd/empty", "/sd/folder/deep", "/sd/way/deep", "/store/script"])
def test_rm(card, path):
    before = {name: tree(card.folder / name) for name in ("sd", "store")}
    assert card.run(f"vfs rm {path}").text == ""
    mount, _, name = path.strip("/").partition("/")
    before[mount].pop(name.replace("way/", "folder/"))
    assert {name: tree(card.folder / name) for name in ("sd", "store")} == before


@pytest.mark.parametrize("name", ["inside", "outside", "parent", "absolute", "dangling", "circle", "way"])
def test_rm_of_a_link(card, name):
    """The link goes, what it leads to stays."""
    before = tree(card.sd)
    card.run(f"vfs rm /sd/{name}")
    before.pop(name)
    assert tree(card.sd) == before
    assert (card.folder / "secret").read_text() == "secret\n"


@pytest.mark.parametrize("path, words", [
    ("/sd/gone", MISSING), ("/sd/folder", FOLDER), ("/sd/folder/", FOLDER), ("/sd", FOLDER), ("/sd/", FOLDER),
    ("/sd/.", FOLDER), ("/sd/folder/..", FOLDER), ("/none/x", NO_MOUNT), ("text", NO_MOUNT),
    ("/sd/../secret", OUTSIDE), ("/sd/parent/secret", OUTSIDE), ("/sd/folder/../../secret", OUTSIDE),
    ("/sd/text/x", NO_FOLDER), ("/", FOLDER), ("/sd/text/", NO_FOLDER),
])
def test_rm_refused(card, everything, path, words):
    session = card.run(f"vfs rm {path}", code=1)
    assert everything()
    assert session.lines == [f"Error: {path}: {words}"]


# ---- all together ----


def test_every_refusal_has_a_code(card):
    lines = ["vfs cat /sd/gone", "vfs cp /sd/text /sd/other", "vfs mv /sd/text /none/y", "vfs rm /sd/folder"]
    session = card.run(*lines, options=["--keep-going"], code=1)
    assert len(session.lines) == len(lines)
    for line in session.lines:
        assert re.fullmatch(r"Error: .* - .* \(ESP_\w+, -?\d+\)", line), line


def test_mount_that_is_not_there(card):
    """A name that only begins like a mount is none."""
    refused(card, "vfs cat /s/text", "/s/text", NO_MOUNT)
    refused(card, "vfs cat /sd2/text", "/sd2/text", NO_MOUNT)
