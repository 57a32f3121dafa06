# SPDX-License-Identifier: MIT
"""Files that are no firmware for this module, lines that are no commands: refused in words, and nothing is lost."""

import os
import re
import shutil
import subprocess

import pytest
from depot_server import LIFEBOAT
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, OLDER, SIZE, status_lines
from flash_layout import MB, area, change, content, flip
from image_builder import CHIPS, build_image, seal
from refusals import INCOMPLETE, NO_SLOT, UNTOUCHED, not_bootable, remains, too_large, wrong_arguments
from virtual_module import VirtualModule

SLOT = 4 * MB
ERROR = re.compile(r"Error: .*[^ ] \((ESP_\w+), (-?\d+)\)")
BEHIND = re.compile(r"  \S.* - .*[^ ] \((ESP_\w+), (-?\d+)\)")
SIZES = re.compile(r"  image is \d+ bytes, partition \w+ holds \d+ \((ESP_\w+), (\d+)\) - \S.*")
BAD_IMAGE = "Error: partition contained invalid app image, or signature validation failed"
FRESH_COPY = "get a fresh copy of the image (ESP_ERR_IMAGE_INVALID, 8194)"
HTML = b"<!DOCTYPE html>\n<html><body>Please log in to the hotel's network.</body></html>\n" * 40


def check_words(lines):
    """Every error tells what to do, and ESP-IDF's name and number for it, in its own line or in the one below."""
    errors = [number for number, line in enumerate(lines) if line.startswith("Error: ")]
    assert len(errors) == 1, lines
    at = errors[0]
    below = lines[at + 1] if at + 1 < len(lines) else ""
    assert ERROR.fullmatch(lines[at]) or BEHIND.fullmatch(below) or SIZES.fullmatch(below), lines[at:]
    return lines[at:]


def refused(session):
    """The lines of an update from its error on, which came before anything was written."""
    assert session.changed == set()
    return check_words(session.lines)


def failed_on_the_way(module, data, what=INCOMPLETE):
    """The same for an image that was accepted at first, and what is said to remain of the slot does remain.

    otadata is as it was, since it did not select that slot.
    """
    session = flash(module, data)
    assert session.changed == {"ota_0"}  # of one that is as it was: only the journal behind the image
    lines = check_words(session.lines)
    assert lines[-2:] == remains(what)
    boot = module.run("ota boot ota_0", code=1)
    assert boot.lines == not_bootable("ota_0", "this does not begin as an application image does")
    return lines[:-2]


def flash(module, data, name="bad.bin"):
    return module.run(f"ota flash vfs {module.put(name, data)}", code=1)


# ---- what is refused before anything is erased ----


@pytest.mark.parametrize("size", [0, 1, 1023])
def test_file_too_small(module, size):
    lines = refused(flash(module, NEWER[:size]))
    assert lines == [f"Error: /sd/bad.bin is {size} bytes, too small for an image - check the file "
                     "(ESP_ERR_INVALID_SIZE, 260)"]


@pytest.mark.parametrize("data, guess", [
    (HTML, "0x3c instead of 0xe9, it looks like a web page, perhaps of a captive portal or an error"),
    (b"\xff" * 0x1000 + NEWER, "0xff instead of 0xe9, it looks like a merged flash image or erased flash"),
    (b"\x1f\x8b\x08" + NEWER, "0x1f instead of 0xe9, it looks compressed"),
    (b"\x7fELF" + NEWER, "0x7f instead of 0xe9, it looks like an ELF file: an image is made from it"),
    (bytes(2000), "0x00 instead of 0xe9, it is something else"),
], ids=["web page", "merged flash", "gzip", "ELF", "zeros"])
def test_no_image(module, data, guess):
    lines = refused(flash(module, data))
    assert lines == [f"Error: /sd/bad.bin is no application image: its first byte is {guess} - check the file "
                     "(ESP_ERR_IMAGE_INVALID, 8194)"]


@pytest.mark.parametrize("chip", [chip for chip in CHIPS if chip != "esp32"])
def test_other_chip(module, chip):
    lines = refused(flash(module, build_image(size=SIZE, chip=chip)))
    assert lines == [f"Error: image is made for chip {chip}, this module has esp32 - use its own firmware "
                     "(ESP_ERR_IMAGE_INVALID, 8194)"]


def test_unknown_chip(module):
    image = bytearray(NEWER)
    image[12] = 0x77
    lines = refused(flash(module, seal(bytes(image))))
    assert lines[0].startswith("Error: image is made for chip unknown, this module has esp32 - ")


def test_newer_chip_revision(module):
    lines = refused(flash(module, build_image(size=SIZE, min_revision=301)))
    assert lines == ["Error: the image is made for other revisions of the chip - use the image made for this module "
                     "(ESP_ERR_IMAGE_INVALID, 8194)"]


def test_other_project(module):
    lines = refused(flash(module, build_image(size=SIZE, project="kettle")))
    assert lines == ["Error: image is of project kettle, this module runs ovms3 - use its own firmware "
                     "(ESP_ERR_INVALID_VERSION, 266)"]


def test_one_byte_too_large(module):
    image = NEWER + b"\xff" * (SLOT + 1 - SIZE)
    assert refused(flash(module, image)) == too_large(4194305)


def test_as_large_as_the_partition(module):
    image = build_image(NEWER_VERSION, size=SLOT)
    session = module.run(f"ota flash vfs {module.put('large.bin', image)}", "module reset", "ota status nocheck")
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_0")
    assert content(module.flash, "ota_0") == image


def test_bootloader(module):
    """A merged image for 0x1000 begins with the bootloader: an image, but one whose segments are all for RAM."""
    bootloader = build_image("", has_description=False, size=SIZE, first_load=0x3FFF0018)
    lines = refused(flash(module, bootloader + b"\xff" * 0x1000 + NEWER))
    assert lines == ["Error: this is a bootloader or a merged flash image, no application - "
                     "use the application image alone (ovms3.bin) (ESP_ERR_IMAGE_INVALID, 8194)"]


@pytest.mark.parametrize("offset, value, words", [
    (1, 0, "the image has an impossible number of segments"),
    (1, 17, "the image has an impossible number of segments"),
    (23, 0, "the image has no SHA-256 appended"),
    (28, 3, "a segment of the image has an impossible length"),
    (25, 0x10, "a mapped segment of the image does not fit its place in the flash"),
], ids=["no segments", "17 segments", "no hash", "odd length", "not congruent"])
def test_impossible_header(module, offset, value, words):
    image = bytearray(NEWER)
    image[offset] = value
    lines = refused(flash(module, bytes(image)))
    assert len(lines) == 1 and lines[0].startswith(f"Error: {words} - "), lines


def test_segment_larger_than_the_slot(module):
    image = bytearray(NEWER)
    image[28:32] = (SLOT).to_bytes(4, "little")
    lines = refused(flash(module, bytes(image)))
    assert lines == ["Error: the image is longer than its partition - use the image made for this module "
                     "(ESP_ERR_INVALID_SIZE, 260)"]


# ---- what is found on the way ----


@pytest.mark.parametrize("size, what", [(1024, UNTOUCHED), (SIZE // 2, INCOMPLETE), (SIZE - 1, INCOMPLETE)])
def test_truncated(module, size, what):
    lines = failed_on_the_way(module, NEWER[:size], what)
    assert lines == [BAD_IMAGE, f"  the image is cut off - {FRESH_COPY}"]


@pytest.mark.parametrize("offset, words", [(SIZE // 3, "the checksum of the image is wrong"),
                                           (SIZE - 1, "the SHA-256 of the image is wrong")])
def test_damaged(module, offset, words):
    image = bytearray(NEWER)
    image[offset] ^= 1
    assert failed_on_the_way(module, bytes(image)) == [BAD_IMAGE, f"  {words} - {FRESH_COPY}"]


def test_other_data_behind(module):
    lines = failed_on_the_way(module, NEWER + b"\xff" * 100 + b"x")
    assert lines == [BAD_IMAGE, "  other data follows the image - use the application image alone, "
                     "not a merged flash image (ESP_ERR_IMAGE_INVALID, 8194)"]


def test_erased_flash_behind_is_accepted(module):
    session = module.run(f"ota flash vfs {module.put('read.bin', NEWER + bytes([0xFF]) * 5000)}")
    assert f"  Flashed {SIZE} bytes from /sd/read.bin" in session.lines


def test_damaged_image_over_the_selected_slot(make_module):
    """otadata selected the slot: the selection has to have moved away before it was overwritten."""
    module = make_module(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)
    card = module.put("bad.bin", build_image("3.1.004", size=SIZE)[:-1])
    session = module.run("ota boot ota_0", f"ota flash vfs {card} to ota_0", code=1)
    assert check_words(session.lines)[-2:] == remains(INCOMPLETE)
    session = module.run("ota status nocheck")
    assert session.lines == status_lines(FACTORY_VERSION, "factory")
    assert "does not verify" not in session.boot_log


# ---- files that cannot be read ----


def test_missing_file(module):
    lines = refused(module.run("ota flash vfs /sd/nothing.bin", code=1))
    assert lines == ["Error: Cannot find file /sd/nothing.bin",
                     "  there is no such file - look at what there is with `vfs ls` (ESP_ERR_NOT_FOUND, 261)"]


def test_directory(module):
    (module.sd / "folder").mkdir()
    lines = refused(module.run("ota flash vfs /sd/folder", code=1))
    assert lines == ["Error: Cannot open /sd/folder",
                     "  this is a directory - name a file in it (ESP_ERR_INVALID_ARG, 258)"]


@pytest.mark.parametrize("path", ["/sd", "/", "/sd/", "/sd/file.bin/below", "/nowhere/x.bin", "x.bin", ""])
def test_no_file(module, path):
    module.put("file.bin", NEWER)
    refused(module.run(f'ota flash vfs "{path}"', code=1))


def test_fifo(module):
    os.mkfifo(module.sd / "pipe")
    lines = refused(module.run("ota flash vfs /sd/pipe", code=1))
    assert lines[0] == "Error: Cannot open /sd/pipe"


def test_no_permission(make_module, tmp_path):
    module = make_module(factory=FACTORY)
    module.put("secret.bin", NEWER)
    (module.sd / "secret.bin").chmod(0)
    if os.geteuid() == 0:
        run_as_nobody(module, tmp_path)
    lines = refused(module.run("ota flash vfs /sd/secret.bin", code=1))
    assert lines == ["Error: Cannot open /sd/secret.bin", "  the file may not be read - give the module permission to "
                     "read it (ESP_ERR_NOT_ALLOWED, 269)"]


def run_as_nobody(module, tmp_path):
    """root may read everything; so these sessions run as somebody else, who has to reach the flash and the folders."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o001)
    for path in (module.folder, module.flash, module.sd, module.store):
        os.chown(path, 65534, 65534)

    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    module.before_exec = become_nobody


def outside(module):
    secret = module.folder / "outside.bin"
    secret.write_bytes(NEWER)
    return secret


OUTSIDE = "  the path leaves its mount - name a file below /sd or /store (ESP_ERR_NOT_ALLOWED, 269)"


@pytest.mark.parametrize("path", ["/sd/../outside.bin", "/sd/a/../../outside.bin", "/store/../sd/../outside.bin"])
def test_path_that_leaves_the_card(module, path):
    outside(module)
    (module.sd / "a").mkdir()
    lines = refused(module.run(f"ota flash vfs {path}", code=1))
    assert lines == [f"Error: Cannot open {path}", OUTSIDE]


@pytest.mark.parametrize("absolute", [True, False])
def test_link_that_leaves_the_card(module, absolute):
    secret = outside(module)
    (module.sd / "link.bin").symlink_to(secret if absolute else "../outside.bin")
    lines = refused(module.run("ota flash vfs /sd/link.bin", code=1))
    assert lines == ["Error: Cannot open /sd/link.bin", OUTSIDE]


def test_link_to_a_folder_outside(module):
    outside(module)
    (module.sd / "up").symlink_to("..")
    lines = refused(module.run("ota flash vfs /sd/up/outside.bin", code=1))
    assert lines == ["Error: Cannot open /sd/up/outside.bin", OUTSIDE]


def test_store_is_a_source_too(module):
    (module.store / "ovms3.bin").write_bytes(NEWER)
    session = module.run("ota flash vfs /store/ovms3.bin", "module reset", "ota status nocheck")
    assert session.lines[-3:] == status_lines(NEWER_VERSION, "ota_0")


# ---- the flash file ----


def module_on(path, *options):
    return subprocess.run(VirtualModule(path.parent, path).command(*options), input="ota status nocheck\n", text=True,
                          capture_output=True, timeout=60)


def not_started(path, words):
    done = module_on(path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {path}: {words} - "), done.stderr
    assert ERROR.fullmatch(done.stderr.rstrip("\n"))


@pytest.mark.parametrize("size", [0, 1, 16 * MB - 1, 16 * MB + 1, 12 * MB])
def test_flash_of_wrong_size(tmp_path, size):
    path = tmp_path / "flash.bin"
    with open(path, "wb") as file:
        file.truncate(size)
    not_started(path, "flash file has the wrong size")
    assert path.stat().st_size == size
    path.unlink()


def test_flash_missing(tmp_path):
    not_started(tmp_path / "flash.bin", "flash file does not exist")
    assert not (tmp_path / "flash.bin").exists()


def test_flash_is_a_directory(tmp_path):
    (tmp_path / "flash").mkdir()
    not_started(tmp_path / "flash", "flash is no ordinary file")


def test_flash_is_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "flash")
    not_started(tmp_path / "flash", "flash is no ordinary file")


def test_flash_in_use(module):
    session = module.start()
    session.send("ota status nocheck")
    session.wait_for("Boot partition:")
    not_started(module.flash, "flash file is in use")
    session.end()
    module.run("ota status nocheck")


def test_flash_not_to_be_written(module):
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everything, and there is no setpriv to become somebody else")
    module.flash.chmod(0o444)
    if os.geteuid() == 0:
        module.run("ota status nocheck")  # root may; below it is somebody else
        for folder in (module.folder, *module.folder.parents):
            if folder.stat().st_mode & 0o001 == 0:
                folder.chmod(folder.stat().st_mode | 0o001)
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run([*words, *module.command()], input="", text=True, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {module.flash}: flash file may not be read and written - "), done.stderr


@pytest.mark.parametrize("option", ["--sd", "--store"])
def test_folder_missing(module, option):
    missing = module.folder / "missing"
    done = subprocess.run([*module.command(), option, str(missing)], input="", text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {missing}: "), done.stderr


@pytest.mark.parametrize("words", [
    ["--flash"], ["--flash", "x", "--link", "sideways"], ["--flash", "x", "--host", "nonsense"], ["--nonsense"], [],
    ["--flash", "x", "more"], ["--flash", "x", "--clock", "sundial"], ["--flash", "x", "--timing", "never"]])
def test_wrong_options(words):
    done = subprocess.run([LIFEBOAT, "module", *words], input="", text=True,
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


# ---- ota boot ----


@pytest.fixture
def full_module(make_module):
    return make_module(factory=FACTORY, ota_0=OLDER, ota_1=NEWER)


@pytest.mark.parametrize("slot", ["ota_2", "OTA_0", "ota", "nothing"])
def test_boot_of_unknown_slot(full_module, slot):
    assert refused(full_module.run(f"ota boot {slot}", code=1)) == NO_SLOT


@pytest.mark.parametrize("name", ["nvs", "otadata", "store"])
def test_boot_of_what_is_no_slot(full_module, name):
    assert refused(full_module.run(f"ota boot {name}", code=1)) == NO_SLOT


def test_boot_of_erased_slot(module):
    lines = refused(module.run("ota boot ota_1", code=1))
    assert lines == not_bootable("ota_1", "this does not begin as an application image does")


@pytest.mark.parametrize("offset, cause", [
    (0, "this does not begin as an application image does"), (12, "the image is made for another chip"),
    (100, "the checksum of the image is wrong"), (SIZE - 33, "the checksum of the image is wrong"),
    (SIZE - 1, "the SHA-256 of the image is wrong")])
def test_boot_of_damaged_slot(full_module, offset, cause):
    flip(full_module.flash, area("ota_1").start + offset)
    assert refused(full_module.run("ota boot ota_1", code=1)) == not_bootable("ota_1", cause)


def test_boot_of_damaged_factory(full_module):
    full_module.run("ota boot ota_1")
    full_module.confirm()
    flip(full_module.flash, area("factory").start + 100)
    lines = refused(full_module.run("ota boot factory", code=1))
    assert lines == not_bootable("factory", "the checksum of the image is wrong")
    assert full_module.run("ota status nocheck").lines == status_lines(NEWER_VERSION, "ota_1")


# ---- ota flash ... to ----


@pytest.mark.parametrize("slot", ["nothing", "nvs", "otadata", "store"])
def test_flash_to_what_is_no_slot(module, slot):
    assert refused(module.run(f"ota flash vfs {module.put('ovms3.bin', NEWER)} to {slot}", code=1)) == NO_SLOT


def test_flash_to_factory(full_module):
    full_module.run("ota boot ota_1")
    full_module.confirm()
    session = full_module.run(f"ota flash vfs {full_module.put('ovms3.bin', NEWER)} to factory", code=1)
    assert refused(session) == ["Error: that partition is no OTA slot, and factory is never written by an update - "
                                "choose an OTA slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"]


@pytest.mark.parametrize("running", ["factory", "ota_0", "ota_1"])
def test_flash_to_the_running_slot(full_module, running):
    card = full_module.put("ovms3.bin", NEWER)
    full_module.run(f"ota boot {running}")
    if running != "factory":
        full_module.confirm()
    session = full_module.run(f"ota flash vfs {card} to {running}", code=1)
    assert refused(session) == [
        "Error: Cannot flash to running image partition", "  that slot holds the running firmware - "
        "choose another slot, or none (ESP_ERR_OTA_PARTITION_CONFLICT, 5377)"]


@pytest.mark.parametrize("slot", ["ota_0", "ota_1"])
def test_flash_to_a_slot(full_module, slot):
    session = full_module.run(f"ota flash vfs {full_module.put('ovms3.bin', FACTORY)} to {slot}", "module reset",
                              "ota status nocheck")
    assert session.booted == ["factory", slot]
    assert session.lines[-3:] == status_lines(FACTORY_VERSION, slot)


# ---- lines that are no commands ----


@pytest.mark.parametrize("line, words", [
    ("fly", "fly: there is no such command"),
    ("ota fly", "ota fly: there is no such command"),
    ("OTA status", "OTA status: there is no such command"),
    ("ota", "ota: the command is not complete"),
    ("ota flash", "ota flash: the command is not complete"),
    ("module", "module: the command is not complete"),
    ("wifi mode", "wifi mode: the command is not complete"),
    ("vfs s", None),
    ("e", None),
])
def test_no_command(module, line, words):
    session = module.run(line, code=0 if line == "e" else 1)
    if line == "e":
        assert session.lines == []  # an abbreviation of exit
        return
    lines = refused(session)
    if words:
        assert lines == [f"Error: {words} - see `help` (ESP_ERR_INVALID_ARG, 258)"]


@pytest.mark.parametrize("line, usage", [
    ("ota status full moon", "ota status [nocheck|full]"),
    ("ota status fast", "ota status [nocheck|full]"),
    ("ota copy ota_0", "ota copy FROM TO"),
    ("ota copy ota_0 to ota_1", "ota copy FROM TO"),
    ("ota erase", "ota erase SLOT"),
    ("ota erase ota_0 ota_1", "ota erase SLOT"),
    ("ota partitions list all", "ota partitions list"),
    ("ota boot", "ota boot SLOT"),
    ("ota boot ota_0 ota_1", "ota boot SLOT"),
    ("ota flash vfs", "ota flash vfs FILE [to SLOT] [force]"),
    ("ota flash vfs a b", "ota flash vfs FILE [to SLOT] [force]"),
    ("ota flash vfs a b c d", "ota flash vfs FILE [to SLOT] [force]"),
    ("ota flash vfs to ota_0", "ota flash vfs FILE [to SLOT] [force]"),
    ("ota flash http a b c d", "ota flash http [URL] [to SLOT] [force]"),
    ("ota flash http a b", "ota flash http [URL] [to SLOT] [force]"),
    ("module reset now", "module reset"),
    ("vfs stat", "vfs stat PATH"),
    ("exit now please", "exit"),
    ("help a b c d", "help [COMMAND]"),
])
def test_wrong_arguments(module, line, usage):
    assert refused(module.run(line, code=1)) == wrong_arguments(usage)


def test_ambiguous(module):
    assert refused(module.run("ota b ota_0 x", code=1))  # one command only: its arguments are wrong
    lines = refused(module.run("w m", code=1))
    assert lines[0].startswith("Error: w m: ")


def test_abbreviations(module):
    session = module.run("ot st no", "o s nocheck", code=1)
    assert session.lines[0].startswith("Error: ")
    session = module.run("o s nocheck", "ot sta nocheck")
    assert session.lines == status_lines(FACTORY_VERSION, "factory") * 2


@pytest.mark.parametrize("length", [1023, 1024, 2000, 100000])
def test_long_line(module, length):
    lines = refused(module.run("ota flash vfs /sd/".ljust(length, "x"), code=1))
    if length > 1023:
        assert lines == ["Error: the line is too long - use shorter names (ESP_ERR_INVALID_SIZE, 260)"]


def test_long_network_name(module):
    """33 bytes are one too many (IEEE 802.11); that is the user's slip, and no defect of the module."""
    assert module.run("wifi mode client " + "x" * 32).lines
    lines = refused(module.run("wifi mode client " + "x" * 33, code=1))
    assert lines == ["Error: the name of a network has at most 32 bytes - give its name as it is "
                     "(ESP_ERR_INVALID_ARG, 258)"]


def test_help_for_what_there_is_not(module):
    lines = refused(module.run("help zzz", code=1))
    assert lines == ["Error: zzz: there is no such command - see `help` (ESP_ERR_INVALID_ARG, 258)"]


def test_many_words(module):
    refused(module.run("ota status " + "nocheck " * 100, code=1))


@pytest.mark.parametrize("line", ["", "   ", "# a remark", "\t"])
def test_lines_without_a_command(module, line):
    assert module.run(line).lines == []


def test_bytes_that_are_no_text(module):
    session = module.start()
    session.process.stdin.buffer.write(b"ota \xff\xfe\x00 boot\n")
    session.end(code=1)
    assert session.lines[0].startswith("Error: ")


# ---- sessions without a terminal ----


def test_it_stops_at_the_first_failure(module):
    session = module.run("ota status nocheck", "ota boot nothing", "ota status nocheck", code=1)
    assert session.lines == [*status_lines(FACTORY_VERSION, "factory"), *NO_SLOT]


def test_keep_going(module):
    session = module.run("ota boot nothing", "ota status nocheck", code=1, options=["--keep-going"])
    assert session.lines == [*NO_SLOT, *status_lines(FACTORY_VERSION, "factory")]


def test_keep_going_over_a_reset(module):
    session = module.run("ota boot nothing", "module reset", "ota status nocheck", code=1, options=["--keep-going"])
    assert session.booted == ["factory", "factory"]
    assert session.lines == [*NO_SLOT, *status_lines(FACTORY_VERSION, "factory")]


def test_no_prompt_and_no_echo(module):
    session = module.run("ota status nocheck", "exit", "ota boot nothing")
    assert session.text == "\n".join(status_lines(FACTORY_VERSION, "factory")) + "\n"


def test_line_without_an_end(module):
    session = module.start()
    session.process.stdin.write("ota status nocheck")
    session.end()
    assert session.lines == status_lines(FACTORY_VERSION, "factory")


def test_reset_prints_nothing(module):
    assert module.run("module reset").text == ""


# ---- odd firmwares ----


def test_running_image_without_description(make_module):
    """Older than ESP-IDF 3.3: version from OVMS's own marks."""
    factory = build_image("", has_description=False, mark="3.0.007", size=SIZE)
    session = make_module(factory=factory).run("ota status nocheck")
    assert session.lines == ["Firmware:          3.0.007/factory/main", "Running partition: factory",
                             "Boot partition:    factory"]


def test_version_with_control_characters(make_module):
    """What stands in an image must not play with the owner's terminal."""
    image = build_image(b"3.1\x1b[2J\x07\r\nOK", size=SIZE)
    assert b"\x1b[2J" in image
    module = make_module(factory=FACTORY)
    change(module.flash, (area("factory").start, image))
    session = module.run("ota status nocheck")
    assert "\x1b" not in session.output.read_bytes().decode("latin-1")
    assert len(session.lines) == 3
