#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the fuzz targets: corpus/TARGET/seed-NAME. Minimised findings lie beside them under other names.

usage: make_corpus.py

Those of fuzz_patch are made by make_patch_seeds.c, which has the encoder.
"""

import hashlib
import pathlib
import struct
import zlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"

OVMS = [
    ("nvs", 1, 2, 0x9000, 0x4000, 0),
    ("otadata", 1, 0, 0xD000, 0x2000, 0),
    ("phy_init", 1, 1, 0xF000, 0x1000, 0),
    ("factory", 0, 0, 0x10000, 0x100000, 0),
    ("ota_0", 0, 0x10, 0x110000, 0x100000, 0),
    ("ota_1", 0, 0x11, 0x210000, 0x100000, 0),
    ("store", 1, 0x81, 0x310000, 0x10000, 2),
]


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(data)


def esp_crc(data):
    """The CRC-32 of ESP-IDF's otadata and NVS: the register begins at 0."""
    return zlib.crc32(data, 0xFFFFFFFF)


# ---- partition tables ----


def row(label, kind, subtype, offset, size, flags):
    return struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, size, label.encode(), flags)


def table(rows, with_md5=True, end=True):
    data = b"".join(row(*fields) for fields in rows)
    if with_md5:
        data += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(data).digest()
    return data + (b"\xff" * 32 if end else b"")


def tables():
    put("fuzz_table", "ovms", b"\x00" + table(OVMS))
    put("fuzz_table", "without-md5", b"\x01" + table(OVMS, with_md5=False))
    put("fuzz_table", "unterminated", b"\x02" + table(OVMS, end=False))
    put("fuzz_table", "wrong-md5", b"\x00" + table(OVMS).replace(b"phy", b"PHY"))
    put("fuzz_table", "mended-md5", b"\x04" + table(OVMS).replace(b"phy", b"PHY"))
    put("fuzz_table", "md5-twice", b"\x00" + table(OVMS, end=False) + table(OVMS)[-64:])
    put("fuzz_table", "overlap", b"\x04" + table(OVMS + [("more", 1, 6, 0x30F000, 0x2000, 0)]))
    put("fuzz_table", "wraps", b"\x04" + table([("wide", 1, 6, 0xFFFFF000, 0x2000, 0)]))
    many = [(f"p{i}", 1, 6, 0x9000 + 0x1000 * i, 0x1000, 0) for i in range(95)]
    put("fuzz_table", "full", b"\x00" + table(many[:94]))
    put("fuzz_table", "full-without-md5", b"\x00" + table(many, with_md5=False))
    put("fuzz_table", "long-label", b"\x04" + table([("sixteen-letters-", 0, 0x10, 0x10000, 0x10000, 1)]))
    slots = [(f"ota_{i}", 0, 0x10 + i, 0x10000 * (i + 1), 0x10000, 0) for i in range(16)]
    put("fuzz_table", "sixteen-slots", b"\x04" + table(slots + [("test", 0, 0x20, 0x200000, 0x10000, 0)]))
    put(
        "fuzz_table",
        "boot-region",
        b"\x04" + table([("boot", 2, 0, 0x1000, 0x7000, 0), ("table", 3, 0, 0x8000, 0x1000, 0)]),
    )


def csv():
    put(
        "fuzz_csv",
        "ovms",
        b"\x02"
        + "".join(
            f"{label},{kind},{subtype:#x},{offset:#x},{size:#x},\n" for label, kind, subtype, offset, size, _ in OVMS
        ).encode(),
    )
    put(
        "fuzz_csv",
        "names",
        b"\x01# a comment\n nvs, data, nvs, , 16K\n\n otadata,data,ota,,0x2000\nphy_init, data, phy,,4K\r\n"
        b"factory, app, factory,, 1M\nota_0,app,ota_0,,1M, encrypted\nota_1,app,ota_1,,-3M,encrypted:readonly\n",
    )
    put(
        "fuzz_csv",
        "primary",
        b"\x00boot,bootloader,primary,,\ntable,partition_table,primary,,\ncore,data,coredump,,64K\n",
    )
    put(
        "fuzz_csv",
        "wrong",
        b"\x00nvs,data,nvs,0x9000,1\nnvs,data,nvs,,0x99999999999999999\n,app,,,\n\xff,1,2,3,4,5,6,7\n",
    )


# ---- images ----


def image(segments, seed=1, version=b"3.3.003", chip=0):
    data = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x4F, 0x40080000)
    data += struct.pack("<4sHBHH4sB", b"\xee\0\0\0", chip, 0, 0, 0xFFFF, b"\0" * 4, 1)
    checksum = 0xEF
    for number, (load, length) in enumerate(segments):
        content = bytes((seed * (i + 3) * (number + 1)) >> 3 & 0xFF for i in range(length))
        if number == 0 and length >= 256:
            description = struct.pack(
                "<II8s32s32s16s16s32s32s80s",
                0xABCD5432,
                0,
                b"",
                version,
                b"ovms3",
                b"16:26:57",
                b"Apr  7 2018",
                b"v3.1",
                hashlib.sha256(version).digest(),
                b"",
            )
            content = description + content[256:]
        data += struct.pack("<II", load, length) + content
        for byte in content:
            checksum ^= byte
    data += b"\0" * (15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest()


def image_input(mode, data, capacity=0x10000, address=0, cut=5):
    return struct.pack("<BIIB", mode, capacity, address, cut) + data


def images():
    whole = image([(0x3F400020, 512), (0x3FFB0000, 64), (0x400D0268, 128), (0x40080000, 32)])
    put("fuzz_image", "small", image_input(3, whole))
    put("fuzz_image", "trailing", image_input(0, whole + b"\xff" * 64, address=0x110000))
    put("fuzz_image", "tight", image_input(1, whole, capacity=len(whole)))
    put("fuzz_image", "too-tight", image_input(1, whole, capacity=len(whole) - 1))
    put("fuzz_image", "cut", image_input(1, whole[:300]))
    put("fuzz_image", "wrong-digest", image_input(1, whole[:-1] + b"\x5a"))
    put("fuzz_image", "mended", image_input(12, whole[:400] + b"\x5a" + whole[401:]))
    put("fuzz_image", "sixteen", image_input(12, image([(0x3FFB0000 + i, 4) for i in range(16)])))
    put("fuzz_image", "empty-segments", image_input(12, image([(0x3FFB0000, 0)] * 3)))
    marks = b"########OVMS_PRE########3.3.003-601-g95901879########OVMSPOST########"
    marked = bytearray(image([(0x3F400020, 512)]))
    marked[32 : 32 + 256] = b"\x11" * 256
    marked[250 : 250 + len(marks)] = marks
    put("fuzz_image", "marks", image_input(12, bytes(marked)))
    put(
        "fuzz_image", "long-segment", image_input(0, whole[:28] + b"\xfc\xff\xff\xff" + whole[32:], capacity=0xFFFFFFFF)
    )


# ---- text ----


def versions():
    put("fuzz_version", "file", b"3.3.003-601-g95901879\nMended: all of it.\n")
    put("fuzz_version", "portal", b"<!DOCTYPE html><html><body>Welcome to the garage</body></html>")
    put("fuzz_version", "three", b"3.3.003;3.3.003-rc1;3.3.004-dirty")
    put("fuzz_version", "commits", b"3.3.003-601-g95901879;3.3.003-600-gabc;3.3.003")
    put("fuzz_version", "slots", b"3.3.003/ota_0/main;3.3.3;3.3.003-beta2/ota_1")
    put("fuzz_version", "return", b"3.3.003\r\n")


def urls():
    put("fuzz_url", "plain", b"api.example.com/firmware/ovms3.bin")
    put("fuzz_url", "redirect", b"https://example.com:8443/a/b\n../c?d=e#f")
    put("fuzz_url", "downgrade", b"https://example.com/a\nhttp://example.com/a")
    put("fuzz_url", "user", b"http://user:secret@example.com/a")
    put("fuzz_url", "address", b"[::1]:80/a\n//other:81/b")
    put("fuzz_url", "host", b"example.com=127.0.0.1:8080")
    put("fuzz_url", "host6", b"x=[::1]:80")
    put("fuzz_url", "scheme", b"ftp://example.com/a\nfile:///etc/hosts")


def http():
    put("fuzz_http_url", "plain", b"api.example.com/firmware/ovms3.bin")
    put("fuzz_http_url", "redirect", b"http://example.com:8080/a/b?c\n../d/./e?f#g")
    put("fuzz_http_url", "server", b"127.0.0.1:80/a?b\n//other:81/b/..")
    put("fuzz_http_url", "query", b"HTTP://Host?a/b\n?c")
    put("fuzz_http_url", "whole", b"host/a\nhttp://other/%41?%42")
    put("fuzz_http_url", "tls", b"host/a\nhttps://host/a")
    put("fuzz_http_url", "encoded", b"host/\xc3\xa4\n\xc3\xb6")
    put("fuzz_http_url", "numbers", b"1.2.3.0x4\n")
    sizes = b"\0\6\1\50"
    head = sizes + b"HTTP/1.1 200 OK\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    put("fuzz_http_response", "length", head + b'ETag: "1a-5f3"\r\nContent-Length: 5\r\n\r\nhello')
    put("fuzz_http_response", "too-much", head + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello again")
    put("fuzz_http_response", "until-closed", sizes + b"HTTP/1.0 404 Not Found\nServer: x\n\nnothing here")
    put("fuzz_http_response", "chunks", chunked + b"5\r\nhello\r\n6 ;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n")
    put("fuzz_http_response", "big-chunk", chunked + b"7fffffffffffffff\r\nhello")
    put("fuzz_http_response", "both", head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")
    put("fuzz_http_response", "continue", sizes + b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + head[4:] + b"\r\nbody")
    put("fuzz_http_response", "redirect", sizes + b"HTTP/1.1 302 Found\r\nLocation: ../x?y#z\r\n\r\nelsewhere")
    put(
        "fuzz_http_response",
        "part",
        sizes
        + b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 2-4/5\r\nETag: W/\"1\"\r\nContent-Length: 3\r\n\r\nllo",
    )
    put("fuzz_http_response", "no-body", sizes + b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nsurplus")
    put("fuzz_http_response", "long-line", head + b"Cookie: " + b"x" * 700 + b"\r\nContent-Length: 1\r\n\r\nx")
    put("fuzz_http_response", "long-tag", head + b'ETag: W/"' + b"x" * 700 + b'"\r\nContent-Length: 1\r\n\r\nx')
    put("fuzz_http_response", "no-http", sizes + b"SSH-2.0-OpenSSH_9.2\r\n")


def depot():
    size = struct.pack("<Q", 1000000)
    for name, value in (
        ("from", b"bytes=500000-"),
        ("both", b"bytes=0-99"),
        ("last", b"bytes=-500"),
        ("many", b"bytes=0-1,5-6"),
        ("beyond", b"bytes=1000000-"),
        ("huge", b"bytes=99999999999999999999999-"),
        ("other", b"lines=1-2"),
        ("blanks", b"Bytes= \t1-2 "),
    ):
        put("fuzz_depot_range", name, size + value)
    put("fuzz_depot_range", "empty-file", struct.pack("<Q", 0) + b"bytes=0-")
    tag = b'"5f3-1a-16d2.000000001"'
    date = b"Sun, 06 Nov 1994 08:49:37 GMT"
    put("fuzz_depot_validator", "same", b"\n".join([tag, date, tag]))
    put("fuzz_depot_validator", "list", b'"x", W/' + tag + b" ,*\n" + date + b" \n" + date)
    put("fuzz_depot_validator", "weak", b"W/" + tag + b"\nMon" + date[3:] + b"\nW/" + tag)
    put("fuzz_depot_validator", "star", b"*\n\n*")
    put("fuzz_depot_validator", "unclosed", b'"5f3-1a, "x\n' + date[:20] + b"\n" + tag[:-1])
    put("fuzz_depot_path", "prefix", b"/firmware/ota/\n/firmware/ota/v3.1/main/ovms3.bin")
    put("fuzz_depot_path", "escapes", b"\n/v3.1/%65dge//ovms3.ver?query")
    put("fuzz_depot_path", "climb", b"\n/v3.1/../../etc/passwd")
    put("fuzz_depot_path", "hidden", b"/ota\n/ota/%2e%2e/%2fetc")
    put("fuzz_depot_path", "whole", b"/a\nhttp://host:80/a/b#c")
    put("fuzz_depot_path", "long", b"\n/" + b"x" * 1024)


def frame(kind, payload):
    return kind + struct.pack("<H", len(payload)) + payload


def frames():
    put(
        "fuzz_console_frame",
        "session",
        b"\x00" + frame(b"x", b"ota status") + frame(b"c", b"ota fl") + frame(b"?", b"") + frame(b"k", b""),
    )
    put("fuzz_console_frame", "longest", b"\x20" + frame(b"x", b"y" * 1024) + frame(b"x", b"z"))
    put("fuzz_console_frame", "too-long", b"\x20" + frame(b"x", b"y" * 1025))
    put("fuzz_console_frame", "nul", b"\x01" + frame(b"x", b"a\0b"))
    put(
        "fuzz_console_frame",
        "answers",
        b"\x02"
        + frame(b"g", b"lifeboat console 1")
        + frame(b"o", b"text\n")
        + frame(b"e", b"\0\0\0\0")
        + frame(b"b", b"x"),
    )
    put("fuzz_console_frame", "unknown", b"\x02" + frame(b"Z", b"a"))


def headers():
    put("fuzz_headers", "length", b"1500000\n00\n9223372036854775807\n9223372036854775808\n-1\n 5\n")
    put(
        "fuzz_headers",
        "range",
        b"bytes 500000-999999/1000000\nbytes */1000000\nbytes 0-0/1\nBYTES 007-8/9\nbytes 5-4/9\nbytes 1-2/*",
    )
    put("fuzz_headers", "etag", b'"1a-5f3"\nW/"1a"\n""\n"a b"\nabc\n"' + b"x" * 125 + b'"\n"' + b"x" * 126 + b'"')


# ---- settings ----


class Page:
    """A page of nvs, made after docs/SPEC.md."""

    def __init__(self, state, sequence):
        self.bytes = bytearray(b"\xff" * 4096)
        self.bytes[:9] = struct.pack("<IIB", state, sequence, 0xFE)
        self.bytes[28:32] = struct.pack("<I", esp_crc(bytes(self.bytes[4:28])))
        self.next = 0

    def item(self, space, kind, key, value, data=b"", chunk=0xFF):
        span = 1 + -(-len(data) // 32)
        entry = bytearray(
            struct.pack("<BBBBI16s8s", space, kind, span, chunk, 0, key.encode(), value.ljust(8, b"\xff"))
        )
        entry[4:8] = struct.pack("<I", esp_crc(bytes(entry[:4] + entry[8:])))
        at = 64 + 32 * self.next
        self.bytes[at : at + 32] = entry
        self.bytes[at + 32 : at + 32 + len(data)] = data
        for index in range(self.next, self.next + span):
            self.mark(index, 2)
        self.next += span

    def mark(self, index, state):
        shift = index % 4 * 2
        at = 32 + index // 4
        self.bytes[at] = self.bytes[at] & ~(3 << shift) & 0xFF | state << shift

    def data(self, space, kind, key, data, chunk=0xFF):
        self.item(space, kind, key, struct.pack("<HHI", len(data), 0xFFFF, esp_crc(data)), data, chunk)


def nvs():
    old = Page(0xFFFFFFFC, 3)
    old.item(0, 1, "ota", b"\1")
    old.item(0, 1, "vfs", b"\2")
    old.data(1, 0x21, "tag", b"main\0")
    old.data(1, 0x42, "blob", bytes(range(200)) * 3, 0)
    old.data(1, 0x41, "old", b"old" * 30)
    old.item(1, 0x14, "number", struct.pack("<i", -4))
    old.data(2, 0x21, "mru", b"/sd/one\0")
    new = Page(0xFFFFFFFE, 4)
    new.data(1, 0x42, "blob", b"x" * 100, 1)
    new.item(1, 0x48, "blob", struct.pack("<IBBH", 700, 2, 0, 0xFFFF))
    new.data(2, 0x21, "mru", b"/sd/a-file-with-a-longer-name.bin\0")
    new.data(1, 0x42, "orphan", b"o" * 64, 0x80)
    pages = bytes(old.bytes) + bytes(new.bytes)
    changes = (
        bytes([5])
        + bytes([0, 0, 0, 9])
        + bytes([0, 1, 1, 40])
        + bytes([2, 3, 3, 7])
        + bytes([1, 4, 2, 0])
        + bytes([0, 2, 1, 255])
    )
    put("fuzz_nvs", "two-pages", b"\0" + changes + pages)
    put("fuzz_nvs", "one-page", b"\7" + changes + bytes(new.bytes))
    put("fuzz_nvs", "freeing", b"\1" + changes + b"\xf8" + pages[1:])
    put("fuzz_nvs", "both-active", b"\1" + changes + b"\xfe" + pages[1:])
    put("fuzz_nvs", "blank", b"\0" + changes)
    put("fuzz_nvs", "noise", b"\7" + changes + hashlib.shake_256(b"noise").digest(8192))


# ---- otadata ----


def half(sequence, state=0xFFFFFFFF, tag=None, marks=(), boots=b""):
    """A record; `tag` is (kind, attempts, depot expected), `marks` are (offset, bytes)."""
    data = bytearray(b"\xff" * 512)
    data[:4] = struct.pack("<I", sequence)
    data[24:32] = struct.pack("<II", state, esp_crc(struct.pack("<I", sequence)))
    if tag:
        data[64:128] = struct.pack("<4sIBBB17s32s", b"LBTR", sequence, *tag, b"\xff" * 17, b"\x11" * 32) + b"\0" * 4
        data[124:128] = struct.pack("<I", zlib.crc32(bytes(data[64:124])))
    for offset, mark in marks:
        data[offset : offset + len(mark)] = mark
    data[192 : 192 + len(boots)] = boots
    return bytes(data)


def otadata():
    blank = b"\xff" * 512
    trial = (1, 3, 0)
    done = b"\0" * 8

    def happens(*events):
        """Pairs of why the processor starts and what the firmware does."""
        return bytes([len(events) - 1]) + bytes(reset | action << 2 for reset, action in events)

    quiet = happens((0, 0), (1, 0))
    put("fuzz_otadata", "blank", b"\0" + quiet + blank + blank)
    put("fuzz_otadata", "esp-idf", b"\0" + quiet + half(1) + half(2, 2))
    put("fuzz_otadata", "states", b"\0" + quiet + half(7, 3) + half(8, 4))
    put("fuzz_otadata", "crashes", b"\0" + happens((0, 0), (2, 0), (3, 0), (2, 0)) + half(1) + half(2, tag=trial))
    put(
        "fuzz_otadata",
        "confirm",
        b"\0" + happens((0, 1), (1, 3), (1, 4)) + half(1, 2, trial, [(128, done)]) + half(2, tag=trial),
    )
    put("fuzz_otadata", "reject", b"\0" + happens((0, 6), (1, 5)) + half(3, tag=(1, 3, 1)) + blank)
    put("fuzz_otadata", "rejected", b"\0" + quiet + half(1) + half(2, 4, trial, [(144, done + b"\1\xfe")]))
    put(
        "fuzz_otadata",
        "torn-marks",
        b"\0" + quiet + half(1, tag=trial, marks=[(128, b"\xfc")]) + half(2, tag=trial, marks=[(144, b"\xf0")]),
    )
    put("fuzz_otadata", "two-trials", b"\0" + quiet + half(5, tag=trial) + half(6, tag=trial, boots=b"\xcc\x0f\xfc"))
    put(
        "fuzz_otadata",
        "many-boots",
        b"\0" + happens((2, 2), (1, 2), (2, 0)) + half(1) + half(2, tag=trial, boots=b"\xc0" * 310),
    )
    put("fuzz_otadata", "no-images", b"\x70" + quiet + half(1) + half(2))
    put("fuzz_otadata", "fallback", b"\x40" + quiet + half(1) + half(2, tag=trial))
    put("fuzz_otadata", "select", b"\0" + happens((0, 8), (1, 4), (1, 9), (2, 0), (0, 7), (1, 11)) + blank + blank)
    put("fuzz_otadata", "same-image", b"\x80" + happens((0, 10), (1, 9), (0, 5), (1, 9), (1, 5)) + blank + blank)
    put(
        "fuzz_otadata",
        "last-sequence",
        b"\0" + happens((0, 10), (0, 9), (1, 8)) + half(0xFFFFFFFD, tag=(2, 0, 0)) + half(0xFFFFFFFE),
    )
    put("fuzz_otadata", "noise", b"\x0f" + quiet + hashlib.shake_256(b"otadata").digest(1024))


def console():
    def lines(network, interrupt, *texts):
        return bytes([network, interrupt]) + "\n".join(texts).encode()

    put("fuzz_console", "status", lines(0, 0, "ota status", "ota status full", "boot status", "wifi status", "help"))
    put(
        "fuzz_console",
        "update",
        lines(0, 0, "ota flash http", "module reset", "ota status", "ota confirm", "module wait 130", "ota history"),
    )
    put(
        "fuzz_console",
        "retried",
        lines(8, 0, "ota flash http host/a.bin to ota_1", "ota history", "module reset", "ota reject", "boot status"),
    )
    put(
        "fuzz_console",
        "interrupted",
        lines(0, 9, "ota flash http host/a.bin", "ota status", "ota flash http host/a.bin"),
    )
    put(
        "fuzz_console",
        "file",
        lines(
            1, 0, "ota flash vfs /sd/ovms3.bin force", "ota boot factory", "ota erase ota_1", "ota copy factory ota_1"
        ),
    )
    put(
        "fuzz_console",
        "files",
        lines(
            0,
            0,
            "vfs ls /sd",
            'vfs cat "/sd/a file with blanks.txt"',
            "vfs cp /sd/ovms3.bin /sd/b",
            "vfs mv /sd/b /sd/c",
            "vfs stat /sd/c",
            "vfs rm /sd/c",
            "vfs ls",
        ),
    )
    put(
        "fuzz_console",
        "settings",
        lines(
            0,
            0,
            "config set ota tag edge",
            'config set garage name "a b"',
            "config list",
            "config list ota",
            "config rm garage name",
            "config set ota trial.time 5",
            "config set ota trial.attempts 0",
        ),
    )
    put(
        "fuzz_console",
        "wrong",
        lines(
            0,
            0,
            "o s",
            "ota f",
            "ota flash",
            "# comment",
            '"',
            "ota boot nowhere",
            "ota flash http ftp://x",
            "config set a",
            "x" * 30,
        ),
    )
    put(
        "fuzz_console",
        "completed",
        lines(
            0,
            0,
            "\tota flash vfs /sd/",
            "\tota flash http ",
            "\tota boot ",
            "\tconfig set ota ",
            "\to",
            "\t",
            '\tvfs cat "/sd/a f',
        ),
    )
    put(
        "fuzz_console",
        "portal",
        lines(32, 0, "ota status", "ota flash http", "wifi mode off", "ota flash http", "wifi mode client garage"),
    )
    put("fuzz_console", "no-length", lines(4, 0, "ota flash http", "exit"))
    put("fuzz_console", "not-found", lines(2, 0, "ota flash http host/b", "ota partitions list"))
    put("fuzz_console", "too-long", lines(0, 0, "ota " + "y" * 1100))


def journal():
    def sector(
        size=9000, source=b"https://host/a.bin", validator=b'"1-2"', entries=b"", crc=None, head=b"\xe9" + b"\1" * 23
    ):
        data = struct.pack(
            "<4sIIIIII4s24s4s",
            b"LBJR",
            0x30000,
            size,
            0x4000,
            2048,
            len(source),
            len(validator),
            b"\xff" * 4,
            head,
            b"\xff" * 4,
        )
        data += struct.pack("<I", zlib.crc32(data + source + validator) if crc is None else crc)
        return (data + source + validator).ljust(128, b"\xff") + entries

    done = struct.pack("<I", 0x12345678) + b"\0" + b"\xff" * 5 + b"\0" + b"\xff" * 5
    put("fuzz_journal", "begun", b"\0\1" + sector(entries=done + b"\xff" * 4 + b"\0"))
    put("fuzz_journal", "attempts", b"\1\0" + sector(entries=done + b"\1\2\3\4" + b"\0" * 9 + b"\xff" * 3))
    put("fuzz_journal", "weak", b"\1\4" + sector(entries=done * 3 + b"\xff" * 4 + b"\x7f"))
    put("fuzz_journal", "wrong-crc", b"\0\0" + sector(crc=0, entries=done))
    put("fuzz_journal", "nul", b"\1\0" + sector(source=b"a\0b"))
    put("fuzz_journal", "local", b"\1\0" + sector(source=b"/sd/a.bin", validator=b"", size=24))
    put("fuzz_journal", "too-long", b"\1\0" + sector(size=0x3F00))
    put("fuzz_journal", "blank", b"\0\0")
    put("fuzz_journal", "void", b"\0\0" + b"\0" * 32 + sector()[32:])


def stage():
    def sector(size=2000, source=b"https://host/a.patch", validator=b'"1-2"', entries=b"", crc=None):
        data = struct.pack("<4sIIIII4s", b"LBST", 0x30000, size, 512, len(source), len(validator), b"\xff" * 4)
        data += struct.pack("<I", zlib.crc32(data + source + validator) if crc is None else crc)
        return (data + source + validator).ljust(64, b"\xff") + b"\xff" * 12 + entries

    blank = b"\xff" * 4
    attempt = struct.pack("<IIHH", 512, 0xFFFFFFFF - 512, 0, 0)
    put("fuzz_stage", "begun", b"\1" + sector())
    put("fuzz_stage", "half", b"\3" + sector())
    put("fuzz_stage", "whole", b"\3" + sector(entries=b"\0" * 4))
    put("fuzz_stage", "again", b"\3" + sector(entries=blank + attempt))
    put("fuzz_stage", "again-whole", b"\1" + sector(entries=blank + attempt + b"\0" * 4))
    put("fuzz_stage", "not-erased", b"\3" + sector(entries=blank + attempt[:10]))
    put("fuzz_stage", "too-often", b"\3" + sector(entries=b"\0" * 1000))
    put("fuzz_stage", "wrong-crc", b"\0" + sector(crc=0))
    put("fuzz_stage", "too-long", b"\1" + sector(size=0x3FFF))
    put("fuzz_stage", "nul", b"\1" + sector(source=b"a\0b", validator=b""))
    put("fuzz_stage", "void", b"\2" + b"\0" * 32 + sector()[32:])
    put("fuzz_stage", "blank", b"\0")


def patches():
    digest = "ab" * 32
    head = "lifeboat-patches 1\n"
    image = f"image 3670032 {digest} 3.3.003\n"

    def text(name, lines, piece=200):
        put("fuzz_patch_list", name, bytes([piece]) + lines.encode())

    text("one", head + image + "patch 562 @0 ovms3.bin.9af3c2d1a0b1c2d3.patch 3.3.002\n")
    text("all", head + image + "".join(f"patch {900 - 100 * i} @{i % 2} p{i}.patch\n" for i in range(6)), 6)
    text("nothing", head + image + "patch 2021303 - ovms3.bin.full.patch\n", 0)
    text("target", head + image + "patch 5 @2 a.patch\n")
    text("names", head + image + "patch 5 - .a\npatch 6 - a/b\npatch 7 - ..\npatch 8 - a%2fb\npatch 9 - " + "a" * 64)
    text("numbers", head + image + "patch 4294967296 - a\npatch 0 - b\npatch -1 - c\npatch 4294967295 - d\n")
    text("unknown", head + "remark x\n\n" + image + "patch 1 - a b c d e f g h\nimage 1 2 3\n", 1)
    text("long", head + image + "x" * 300 + "\npatch 1 - a\n")
    text("upper", head + image.replace("ab", "AB") + "patch 1 - a\n")
    text("without-image", head + "patch 1 - a\n")
    text("no-list", "<html>")
    noise = hashlib.shake_256(b"patch").digest(400)
    for mode, base, new in ((0, noise, noise[:200] + b"x" + noise[200:]), (1, b"", noise), (15, noise, noise[50:]),
                            (6, b"\x25\x10\x00\x21\xf0\xff" * 60, b"\x25\x11\x00\x21\xef\xff" * 60)):
        put("fuzz_patch_make", f"{mode}", bytes([mode]) + struct.pack("<H", len(base)) + base + new)


def resume():
    put("fuzz_resume", "half", bytes([0, 4, 1, 7]))
    put("fuzz_resume", "two-blocks", bytes([0, 6, 3, 7]) + b"\xff" * 4 + b"\0")
    put("fuzz_resume", "all", bytes([0, 8, 7, 7]))
    put("fuzz_resume", "sealed", bytes([0x20, 8, 7, 7]))
    put("fuzz_resume", "sealing", bytes([0x60, 8, 7, 7]))
    put("fuzz_resume", "sealed-but-cut", bytes([0x20, 7, 3, 7]))
    put("fuzz_resume", "wrong-crc", bytes([0, 8, 7, 5]))
    put("fuzz_resume", "wrong-size", bytes([1, 8, 7, 7]))
    put("fuzz_resume", "wrong-validator", bytes([2, 8, 7, 7]))
    put("fuzz_resume", "wrong-head", bytes([4, 8, 7, 7]))
    put("fuzz_resume", "wrong-end", bytes([8, 4, 1, 7]))
    put("fuzz_resume", "local", bytes([0x10, 6, 3, 7]))
    put("fuzz_resume", "rotten", bytes([0, 6, 3, 7]) + b"\xff" * 16 + bytes([100, 1, 0, 8, 0x3E, 0]))


def history_entry(
    number,
    result,
    cause=0,
    texts=(b"https://host/a.bin", b"ota_1", b"ota_0", b"3.3.004", b"3.3.003"),
    image=1,
    base=None,
):
    """Of version 1; with the label of a patch's base of version 2, and then some bytes came."""
    data = struct.pack(
        "<BBIiqqI32s32s",
        1 if base is None else 2,
        result,
        number,
        cause,
        1600000000,
        1600000100,
        1500000,
        bytes([image]) * 32,
        bytes([image + 1]) * 32,
    )
    if base is not None:
        data += struct.pack("<I", 65000)
        texts += (base,)
    data += b"".join(bytes([len(text)]) + text for text in texts)
    data += struct.pack("<I", zlib.crc32(data))
    return data + b"\0" * (len(data) % 2)


def history():
    def entries(mode, *blobs):
        return bytes([mode]) + b"".join(bytes([place, len(blob) // 2]) + blob for place, blob in blobs)

    # a length of zeros behind the CRC would be wrong: texts are chosen so that it is even
    even = (b"https://host/a.bin", b"ota_1", b"ota_0", b"3.3.004", b"3.3.03")
    first = history_entry(1, 5, 1, even)
    put("fuzz_history", "one", entries(0, (0, first)))
    put(
        "fuzz_history",
        "three",
        entries(0, (0, first), (5, history_entry(2, 4, 0, even)), (15, history_entry(3, 5, 2, even, 9))),
    )
    put("fuzz_history", "all", entries(0, *((i, history_entry(100 + i, i % 7, 0, even, i)) for i in range(16))))
    put("fuzz_history", "same-number", entries(0, (1, first), (2, first)))
    put("fuzz_history", "damaged", entries(0, (1, first[:-4] + b"\0\0\0\0")))
    put("fuzz_history", "last-number", entries(1, (3, history_entry(0x7FFFFFFF, 3, 0, even))))
    patched = [history_entry(9 + i, 3, 0, even, i, base) for i, base in enumerate((b"ota_0", b"-", b"x" * 17))]
    put("fuzz_history", "patched", entries(0, (0, patched[0]), (1, first), (2, patched[1])))
    put("fuzz_history", "patched-strange", entries(0, (4, patched[2])))
    put("fuzz_history", "patched-short", entries(1, (3, patched[0][:102])))
    put("fuzz_history", "short", entries(1, (3, first[:60])))


# ---- FAT ----


def fat_boot(bits, sectors, reserved, tables, table, root_entries, in_cluster=1, root_cluster=2):
    data = bytearray(512)
    data[:11] = b"\xeb\x3c\x90corpus  "
    data[11:24] = struct.pack(
        "<HBHBHHBH", 512, in_cluster, reserved, tables, root_entries, 0, 0xF8, 0 if bits == 32 else table
    )
    data[32:36] = struct.pack("<I", sectors)
    if bits == 32:
        data[36:48] = struct.pack("<IHHI", table, 0, 0, root_cluster)
    data[510:] = b"\x55\xaa"
    return bytes(data)


def fat_table(bits, chain):
    """The first sector of a table: `chain` is cluster -> next one, -1 for the end."""
    entries = [0] * 400
    for cluster, following in {0: -1, 1: -1, **chain}.items():
        entries[cluster] = following & {12: 0xFFF, 16: 0xFFFF, 32: 0x0FFFFFFF}[bits]
    if bits == 12:
        pairs = zip(entries[::2], entries[1::2])
        return b"".join(struct.pack("<I", low | high << 12)[:3] for low, high in pairs)[:512]
    return struct.pack(f"<{len(entries)}{'H' if bits == 16 else 'I'}", *entries)[:512]


def fat_entry(raw, cluster=0, size=0, attributes=0x20, case=0):
    return struct.pack(
        "<11sBBBHHHHHHHI", raw, attributes, case, 0, 0, 0, 0, cluster >> 16, 0x645C, 0x585D, cluster & 0xFFFF, size
    )


def fat_long(name, raw):
    """The parts of a long name, as they come before the entry of the short name."""
    checksum = 0
    for byte in raw:
        checksum = ((checksum >> 1 | checksum << 7) + byte) & 0xFF
    units = name.encode("utf-16-le")
    units += (b"\0\0" + b"\xff" * 24)[: -len(units) % 26]
    parts = [units[i : i + 26] for i in range(0, len(units), 26)]
    return b"".join(
        bytes([number | (0x40 if number == len(parts) else 0)])
        + part[:10]
        + bytes([0x0F, 0, checksum])
        + part[10:22]
        + b"\0\0"
        + part[22:]
        for number, part in reversed(list(enumerate(parts, 1)))
    )


def fat_card(sectors, look=0, choice=0, name=(10, "n"), cut=255, size=None):
    head = struct.pack("<IBBBBI", look, choice, name[0], ord(name[1]), cut, size or 100000)
    return head + b"".join(struct.pack("<I", number) + data.ljust(512, b"\0") for number, data in sectors.items())


def fat():
    root = fat_entry(b"A CARD     ", attributes=8)
    root += fat_long("ovms3.bin", b"OVMS3   BIN") + fat_entry(b"OVMS3   BIN", 3, 1200)
    root += fat_entry(b"SUB        ", 6, attributes=0x10)
    root += fat_long("Grüße 日本.txt", b"GRUESS~1TXT") + fat_entry(b"GRUESS~1TXT")
    root += fat_entry(b"SMALL   TXT", 8, 5, case=0x18)
    sub = fat_entry(b".          ", 6, attributes=0x10) + fat_entry(b"..         ", 0, attributes=0x10)
    sub += fat_entry(b"DEEP    BIN", 9, 512) + fat_entry(b"\xe5OLD    BIN", 9, 512)
    chain = {2: -1, 3: 4, 4: 7, 7: -1, 6: -1, 8: -1, 9: -1}

    def volume(bits, at=0, chain=chain, root=root, sub=sub):
        """An area of 40 sectors; FAT32 has its root in cluster 2."""
        layout = {12: (2000, 1, 2, 6, 32), 16: (20000, 1, 1, 80, 32), 32: (90000, 4, 2, 704, 0)}[bits]
        sectors, reserved, tables, table, root_entries = layout
        root_sector = reserved + tables * table
        data = root_sector + root_entries // 16 - 2
        return {
            at: fat_boot(bits, *layout),
            at + reserved: fat_table(bits, chain),
            at + (data + 2 if bits == 32 else root_sector): root,
            at + data + 6: sub,
            at + data + 3: b"\xe9" * 512,
        }

    for bits in (12, 16, 32):
        put("fuzz_fat", f"fat{bits}", fat_card(volume(bits)))
    put("fuzz_fat", "folder", fat_card(volume(16), look=4 | 0 << 3))
    put("fuzz_fat", "long-rename", fat_card(volume(12), choice=2, name=(255, "x")))
    put("fuzz_fat", "cut", fat_card(volume(12), choice=3, name=(40, "y"), cut=1))
    put("fuzz_fat", "loop", fat_card(volume(16, chain={**chain, 7: 4}), look=2))
    put("fuzz_fat", "leaves", fat_card(volume(16, chain={**chain, 4: 65000}), look=2))
    put("fuzz_fat", "folder-loop", fat_card(volume(16, sub=fat_entry(b"AGAIN      ", 6, attributes=0x10)), look=4))
    put("fuzz_fat", "root-loop", fat_card(volume(32, chain={**chain, 2: 2}, root=b"\xe5" * 512)))
    full = b"".join(fat_entry(b"F%-10d" % i) for i in range(16))
    put("fuzz_fat", "full", fat_card(volume(32, root=full)))
    put("fuzz_fat", "orphans", fat_card(volume(12, root=root[64:96] + root[32:64] + root[32:])))
    partition = struct.pack("<BBBBBBBBII", 0x80, 0, 0, 0, 6, 0, 0, 0, 63, 20000)
    mbr = {0: (b"\0" * 446 + partition).ljust(510, b"\0") + b"\x55\xaa"}
    put("fuzz_fat", "partition", fat_card({**mbr, **volume(16, at=63)}))
    put("fuzz_fat", "short", fat_card(volume(16), size=100))
    put("fuzz_fat", "noise", fat_card({0: hashlib.shake_256(b"fat").digest(510) + b"\x55\xaa"}))


def main():
    tables()
    headers()
    nvs()
    otadata()
    journal()
    stage()
    patches()
    console()
    resume()
    history()
    csv()
    images()
    versions()
    urls()
    http()
    depot()
    frames()
    fat()
    for folder in sorted(CORPUS.iterdir()):
        files = list(folder.iterdir())
        print(f"{folder.name}: {len(files)} inputs, {sum(file.stat().st_size for file in files)} bytes")


if __name__ == "__main__":
    main()
