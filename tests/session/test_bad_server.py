# SPDX-License-Identifier: MIT
"""Servers as they should not be: each failure is told in words, and the module is what it was."""

import re
import socket
import subprocess

import pytest
from certificates import Authority
from firmware import FACTORY, FACTORY_VERSION, NEWER, NEWER_VERSION, SIZE, status_lines
from refusals import INCOMPLETE, UNTOUCHED, not_bootable, remains, too_large
from web_server import (HEAD, WebServer, announce, answer, in_chunks, page, redirect, silent_after, slowly,
                        without_length)

BIN = "/firmware/ota/v3.1/main/ovms3.bin"
VER = "/firmware/ota/v3.1/main/ovms3.ver"
NAME = f"api.openvehicles.com{BIN}"
HTML = b"<html><head><title>Welcome</title></head><body>Log in to go on.</body></html>\n" * 30
HALF = SIZE // 2
FAILED = "Error: Request failed"
HUNG_UP = "  the server hung up before the end - try again (ESP_ERR_INVALID_SIZE, 260)"
VIRTUAL = ("--clock", "virtual")
AGAIN = "  `ota flash` again starts over: the server has no strong validator for its file"


def flash(module, url="", code=1, options=(), lines=(), tries=None):
    """`tries`: how often a lost link is tried again, if it is not the default; see test_resume.py."""
    session = module.start(*options)
    if tries is not None:
        session.guard.settings[("ota", "http.retries")] = str(tries)
        session.send(f"config set ota http.retries {tries}")
    for line in (*lines, f"ota flash http {url}".rstrip()):
        session.send(line)
    return session.end(code)


def refused(session):
    """The lines from the error on; nothing was written."""
    assert session.changed == set()
    return from_error(session)


def from_error(session):
    errors = [number for number, line in enumerate(session.lines) if line.startswith("Error: ")]
    assert len(errors) == 1, session.lines
    return session.lines[errors[0]:]


def updates(module, url="", options=()):
    """The update that has to succeed."""
    session = flash(module, url, code=0, options=options)
    assert f"Download complete (at {SIZE} bytes)" in session.lines
    assert session.changed == {"otadata", "ota_0"}
    assert module.run("ota status nocheck").lines == status_lines(NEWER_VERSION, "ota_0")
    return session


def test_good_server(web, module):
    """What all the others differ from."""
    web.pages[BIN] = page(NEWER)
    updates(module)
    assert web.requests == [BIN]


# ---- answers that are no firmware ----


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Internal Server Error",
                                    "503 Service Unavailable", "204 No Content", "206 Partial Content",
                                    "401 Unauthorized", "429 Too Many Requests"])
def test_status(web, module, status):
    web.pages[BIN] = answer(status, HTML)
    assert refused(flash(module)) == [
        FAILED, f"  the server answered {status[:3]} instead of 200 for {NAME} - "
        f"{'try again later' if status[:3] == '429' or status >= '5' else 'check the address'} "
        "(ESP_ERR_INVALID_RESPONSE, 264)"]


def test_web_page(web, module):
    web.pages[BIN] = page(HTML)
    assert refused(flash(module)) == [
        f"Error: {NAME} is no application image: its first byte is 0x3c instead of 0xe9, it looks like a web page, "
        "perhaps of a captive portal or an error - check the address (ESP_ERR_IMAGE_INVALID, 8194)"]


@pytest.mark.parametrize("size", [0, 100, 1023])
def test_too_small(web, module, size):
    web.pages[BIN] = page(NEWER[:size])
    lines = refused(flash(module))
    assert lines[0] == f"Error: Expected download file size ({size}) is invalid"
    assert lines[1].startswith("  this is too small for an image: an empty file or an error page - ")


def test_too_large(web, module):
    size = 5 * 10**9
    web.pages[BIN] = page(NEWER, length=size)
    assert refused(flash(module)) == too_large(size)


def test_one_byte_too_large(web, module):
    web.pages[BIN] = page(NEWER, length=4194305)
    assert refused(flash(module)) == too_large(4194305)


@pytest.mark.parametrize("length", ["-1", "0x100", "99999999999999999999999999", "", "1, 2"])
def test_nonsense_for_a_length(web, module, length):
    web.pages[BIN] = page(NEWER, length=length)
    refused(flash(module))


@pytest.mark.parametrize("garbage", [b"garbage\r\n\r\n" * 100, b"SSH-2.0-OpenSSH_9.2\r\n", bytes(5000), b"\xff" * 100,
                                     b"HTTP/1.1 OK\r\n\r\n"],
                         ids=["text", "another protocol", "zeros", "ones", "no status"])
def test_no_http(web, module, garbage):
    web.pages[BIN] = lambda visit: visit.send(garbage)
    assert refused(flash(module))[0] == FAILED


def test_endless_header(web, module):
    web.pages[BIN] = lambda visit: visit.send(HEAD + b"X-Long: long\r\n" * 1000000)
    assert refused(flash(module))[0] == FAILED


# ---- less, more, none, nothing ----


def on_the_way(module, what=INCOMPLETE, options=()):
    """It had accepted the image, and what it says to remain of the slot does remain."""
    session = flash(module, options=options, tries=0)
    assert session.changed == (set() if what == UNTOUCHED else {"ota_0"})
    lines = from_error(session)
    if lines[-1] == AGAIN:
        lines.pop()
    assert lines[-2:] == remains(what)
    boot = module.run("ota boot ota_0", code=1)
    assert boot.lines == not_bootable("ota_0", "this does not begin as an application image does")
    return lines[:-2]


def works_afterwards(web, module):
    web.pages[BIN] = page(NEWER)
    updates(module)


@pytest.mark.parametrize("size, what", [(4096, UNTOUCHED), (HALF, INCOMPLETE), (SIZE - 1, INCOMPLETE)])
def test_hangs_up_on_the_way(web, module, size, what):
    web.pages[BIN] = page(NEWER[:size], length=SIZE)
    assert on_the_way(module, what) == [f"Error: Download file size ({size}) does not match expected ({SIZE})", HUNG_UP]
    works_afterwards(web, module)


@pytest.mark.parametrize("size", [0, 100, 4095])
def test_hangs_up_at_the_beginning_of_the_image(web, module, size):
    web.pages[BIN] = page(NEWER[:size], length=SIZE)
    lines = refused(flash(module, tries=0))
    assert lines == [f"Error: Download file size ({size}) does not match expected ({SIZE})", HUNG_UP]


def test_less_announced_than_the_image_has(web, module):
    """The announced bytes come, and are not the whole image."""
    web.pages[BIN] = page(NEWER[:HALF], length=HALF)
    assert on_the_way(module) == [
        "Error: partition contained invalid app image, or signature validation failed",
        "  the image is cut off - get a fresh copy of the image (ESP_ERR_IMAGE_INVALID, 8194)"]


TOO_MUCH = [FAILED, "  the server sent more than it announced - have the server mended (ESP_ERR_INVALID_SIZE, 260)"]


def test_more_than_announced(web, module):
    web.pages[BIN] = page(NEWER + b"more" * 100, length=SIZE)
    assert on_the_way(module) == TOO_MUCH


def test_much_more_than_announced(web, module):
    web.pages[BIN] = page(NEWER + NEWER, length=SIZE)
    assert on_the_way(module) == TOO_MUCH


@pytest.mark.parametrize("kind", [without_length, in_chunks])
def test_no_length(web, module, kind):
    web.pages[BIN] = kind(NEWER)
    lines = refused(flash(module))
    assert lines[1] == ("  the server did not announce a length - use a server that sends Content-Length "
                        "(ESP_ERR_INVALID_SIZE, 260)")


def test_broken_chunks(web, module):
    web.pages[BIN] = in_chunks(NEWER, end=b"nonsense\r\n")
    refused(flash(module))


def test_hangs_up_at_once(web, module):
    web.pages[BIN] = lambda visit: None
    assert refused(flash(module)) == [FAILED, HUNG_UP]


@pytest.mark.parametrize("sent", [b"", HEAD, announce(NEWER) + NEWER[:HALF]],
                         ids=["from the beginning", "in the headers", "half way"])
def test_silent_for_a_minute(web, module, sent):
    web.pages[BIN] = silent_after(sent)
    half_way = NEWER[:HALF] in sent
    lines = on_the_way(module, options=VIRTUAL) if half_way else refused(flash(module, options=VIRTUAL))
    assert lines == [FAILED, "  nothing came from the server for a minute - try again (ESP_ERR_TIMEOUT, 263)"]


def test_slow_server_is_no_bad_server(web, module):
    """More than a minute in all, of the module's time, and never a minute without a byte."""
    web.pages[BIN] = slowly(NEWER, pieces=30, pause=0.4)
    session = module.run("ota flash http", "boot status", options=VIRTUAL)
    assert "OTA flash was successful" in session.lines
    seconds = int(re.search(r"Last boot was (\d+) second", session.text)[1])
    assert seconds > 60, "this server was not slow"


# ---- redirects ----


def test_redirect_to_another_host(web, module):
    with WebServer() as other:
        other.pages["/there.bin"] = page(NEWER)
        web.pages[BIN] = redirect(other.url("/there.bin"))
        updates(module)
        assert other.requests == ["/there.bin"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects(web, module, status):
    web.pages[BIN] = redirect("../elsewhere/x.bin?y=z", status)
    web.pages["/firmware/ota/v3.1/elsewhere/x.bin?y=z"] = page(NEWER)
    updates(module)


@pytest.mark.parametrize("count, good", [(5, True), (6, False)])
def test_many_redirects(web, module, count, good):
    web.pages[BIN] = redirect(f"/{count - 1}")
    for number in range(count):
        web.pages[f"/{number}"] = redirect(f"/{number - 1}")
    web.pages["/0"] = page(NEWER)
    if good:
        updates(module)
    else:
        assert refused(flash(module)) == [FAILED, "  the server redirects too often or in a circle - "
                                          "check the address and the server (ESP_ERR_INVALID_RESPONSE, 264)"]


def test_redirect_in_a_circle(web, module):
    web.pages[BIN] = redirect(BIN)
    assert refused(flash(module))[1].startswith("  the server redirects too often or in a circle - ")
    assert len(web.requests) == 6


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/x.bin", "gopher://127.0.0.1/",
                                      "http://", "//", "http://user:secret@127.0.0.1/x", "data:,x"])
def test_redirect_to_what_is_no_http(web, module, location):
    web.pages[BIN] = redirect(location)
    assert refused(flash(module))[0] == FAILED


def test_redirect_without_location(web, module):
    web.pages[BIN] = answer("302 Found", HTML)
    assert refused(flash(module))[1].startswith("  the server answered 302 instead of 200")


# ---- addresses ----


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x.bin", "gopher://127.0.0.1/", "http:///x",
                                 "http://", "scp://127.0.0.1/x", "FILE:///etc/hostname", "javascript:x",
                                 "http://u:p@127.0.0.1/x"])
def test_url(web, module, url):
    assert refused(flash(module, url)) == [
        FAILED, "  this is no http or https address - give one like http://HOST/PATH (ESP_ERR_INVALID_ARG, 258)"]
    assert web.requests == []


def test_url_with_a_scheme_and_without(web, module):
    web.pages["/x.bin"] = page(NEWER)
    updates(module, web.url("/x.bin"))
    web.pages["/x.bin"] = page(FACTORY)
    session = flash(module, web.url("/x.bin").removeprefix("http://"), code=0)
    assert "  Next boot will be from 'ota_1'" in session.lines


def test_ipv6(module):
    with WebServer("::1") as web:
        module.server = web.address
        web.pages[BIN] = page(NEWER)
        updates(module)
        web.pages["/six"] = page(FACTORY)
        session = flash(module, web.url("/six"), code=0)
        assert "  Next boot will be from 'ota_1'" in session.lines


def test_unknown_name(web, module):
    lines = refused(flash(module, "http://nosuch.invalid/x.bin"))
    assert lines == [FAILED, "  the name of the server is not known - check the name and the network "
                     "(ESP_ERR_NOT_FOUND, 261)"]


def test_nobody_listens(module):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but it does not listen: the port stays free of others
        module.server = unused.getsockname()
        lines = refused(flash(module))
    assert lines == [FAILED, "  the server does not accept the connection - check the address, or try again when "
                     "the server is there (ESP_FAIL, -1)"]


NO_NETWORK = [FAILED, "  there is no network - take the link up with `wifi mode client SSID` "
              "(ESP_ERR_INVALID_STATE, 259)"]


def test_link_down(web, module):
    assert refused(flash(module, options=["--link", "down"])) == NO_NETWORK
    assert web.requests == []


def test_wifi_off_and_on(web, module):
    web.pages[BIN] = page(NEWER)
    web.pages[VER] = page(b"3.1.003\n")
    assert refused(flash(module, lines=["wifi mode off"])) == NO_NETWORK
    session = module.run("wifi mode off", "ota status", "wifi status", "wifi mode client garage", "ota status",
                         "wifi status", "ota flash http")
    off = status_lines(FACTORY_VERSION, "factory")
    on = status_lines(FACTORY_VERSION, "factory", available="3.1.003")
    assert session.lines[:16] == [
        "Stopping wifi station...", *off, "Power:             off", "Mode:              off",
        "Starting WIFI as a client to garage...", *on, "Power:             on", "Mode:              client",
        "Network:           garage", "Current running partition is: factory", "Target partition is: ota_0"]
    assert "OTA flash was successful" in session.lines


# ---- https ----


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates") / "known")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory, authority):
    other = Authority(tmp_path_factory.mktemp("certificates") / "unknown")
    return {
        "good": authority.issue("good"),
        "other name": authority.issue("other", host="elsewhere.example"),
        "expired": authority.issue("expired", end="20200201000000Z"),
        "unknown": other.issue("good"),
    }


def https(module, certificate, authority):
    """A server with that certificate, and what the module is told about authorities."""
    server = WebServer(certificate=certificate)
    server.pages[BIN] = page(NEWER)
    module.server = server.address
    return server, ["--ca", str(authority.file)]


def test_https(module, certificates, authority):
    server, options = https(module, certificates["good"], authority)
    with server:
        session = updates(module, f"https://{NAME}", options)
        assert f"  Flashed {SIZE} bytes from https://{NAME}" in session.lines


@pytest.mark.parametrize("kind, words", [
    ("unknown", "the certificate of the server is of no known authority, or not valid today - "
     "check the address, the clock and the certificate (ESP_FAIL, -1)"),
    ("expired", "the certificate of the server is of no known authority, or not valid today - "
     "check the address, the clock and the certificate (ESP_FAIL, -1)"),
    ("other name", "the certificate of the server is for another name - "
     "check the address and the certificate (ESP_FAIL, -1)"),
])
def test_certificate(module, certificates, authority, kind, words):
    server, options = https(module, certificates[kind], authority)
    with server:
        assert refused(flash(module, f"https://{NAME}", options=options)) == [FAILED, f"  {words}"]
        assert server.requests == []


def test_computers_own_authorities_do_not_know_ours(module, certificates, authority):
    server, _ = https(module, certificates["good"], authority)
    with server:
        assert "of no known authority" in refused(flash(module, f"https://{NAME}"))[1]


def test_https_of_a_server_without(web, module, authority):
    """No falling back to plain http."""
    web.pages[BIN] = page(NEWER)
    lines = refused(flash(module, f"https://{NAME}", options=["--ca", str(authority.file)]))
    assert lines[0] == FAILED
    assert BIN not in web.requests


def test_https_redirects_to_http(module, certificates, authority):
    server, options = https(module, certificates["good"], authority)
    with server, WebServer() as plain:
        plain.pages["/x.bin"] = page(NEWER)
        server.pages[BIN] = redirect(plain.url("/x.bin"))
        lines = refused(flash(module, f"https://{NAME}", options=options))
        assert lines == [FAILED, "  the server redirects https to an address without it - name the https address of "
                         "the file itself (ESP_ERR_NOT_ALLOWED, 269)"]
        assert plain.requests == []


def test_http_redirects_to_https(web, module, certificates, authority):
    server, options = https(module, certificates["good"], authority)
    module.server = web.address
    web.pages[BIN] = redirect("https://other.example/x.bin")
    with server:
        server.pages["/x.bin"] = page(NEWER)
        host, port = server.address
        more = [*options, "--host", f"other.example={host}:{port}"]
        assert "for another name" in refused(flash(module, options=more))[1]


def test_authorities_that_are_missing(module):
    missing = module.folder / "missing.pem"
    done = subprocess.run([*module.command(), "--ca", str(missing)], input="", text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {missing}: ")
    assert "certificate of the server" not in done.stderr, "no server has been asked yet"


# ---- the version on the server ----


@pytest.mark.parametrize("body, version", [
    (b"3.1.003", "3.1.003"), (b"3.1.003\n", "3.1.003"), (b"3.1.003\r\nchanges\r\n", "3.1.003"),
    (b"3.1.003-2-g7ea18b4-dirty\nchanges", "3.1.003-2-g7ea18b4-dirty"), (b"3.1.003\n" + b"x" * (1 << 20), "3.1.003")])
def test_version(web, module, body, version):
    web.pages[VER] = page(body)
    session = module.run("ota status")
    assert session.lines == status_lines(FACTORY_VERSION, "factory", available=version)
    assert web.requests == [VER]


@pytest.mark.parametrize("body", [b"", b"\n", HTML, b"\n3.1.003", b"3.1.003 beta", b"x" * (1 << 20), b"3" * (1 << 20),
                                  b"3.1\x1b[2J\n", b"\xff\xfe3\0.\0", b"3.1.003<br>\n"])
def test_what_is_no_version(web, module, body):
    web.pages[VER] = page(body)
    session = module.run("ota status")
    assert session.lines == status_lines(FACTORY_VERSION, "factory")


@pytest.mark.parametrize("behaviour", [
    answer("404 Not Found", b"3.1.003\n"), answer("500 Oops", b"3.1.003\n"), lambda visit: None,
    lambda visit: visit.send(b"3.1.003\n"), silent_after(), silent_after(HEAD), redirect(VER), redirect("file:///x")],
    ids=["404", "500", "hangs up", "no http", "silent", "silent after the head", "in a circle", "to a file"])
def test_server_without_a_version(web, module, behaviour):
    web.pages[VER] = behaviour
    session = module.run("ota status", options=VIRTUAL)
    assert session.lines == status_lines(FACTORY_VERSION, "factory")


def test_version_without_a_length(web, module):
    web.pages[VER] = without_length(b"3.1.003\n")
    assert module.run("ota status").lines == status_lines(FACTORY_VERSION, "factory", available="3.1.003")


def test_version_cut_in_the_middle(web, module):
    """Half a version is not a version: nobody may be told 3.1 where 3.1.003 was meant."""
    web.pages[VER] = page(b"3.1", length=len(b"3.1.003\n"))
    assert module.run("ota status").lines == status_lines(FACTORY_VERSION, "factory")


def test_nocheck_asks_nobody(web, module):
    web.pages[VER] = page(b"3.1.003\n")
    assert module.run("ota status nocheck").lines == status_lines(FACTORY_VERSION, "factory")
    assert web.requests == []


def test_nobody_to_ask(module):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        module.server = unused.getsockname()
        assert module.run("ota status").lines == status_lines(FACTORY_VERSION, "factory")
