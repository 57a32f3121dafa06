# SPDX-License-Identifier: MIT
"""An authority and the certificates that a server may show, made by openssl."""

import subprocess

NAME = "api.openvehicles.com"
CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = anything
copy_extensions = copy
unique_subject = no
[anything]
commonName = supplied
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """`folder` gets ca.pem and, for each issued certificate, NAME.pem and NAME.key."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.file = folder / "ca.pem"
        (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n")
        self.openssl("req", "-x509", *KEY, "-keyout", folder / "ca.key", "-out", self.file, "-subj",
                     f"/CN=authority {folder.name}", "-days", "2")

    def openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def issue(self, name, host=NAME, end=None):
        """A certificate for a host; `end` as YYYYMMDDHHMMSSZ. Returns its file and that of its key."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        self.openssl("req", "-new", *KEY, "-keyout", key, "-out", request, "-subj", f"/CN={host}", "-addext",
                     f"subjectAltName=DNS:{host}")
        dates = ("-startdate", "20200101000000Z", "-enddate", end) if end else ("-days", "1")
        self.openssl("ca", "-batch", "-notext", "-config", self.folder / "openssl.cnf", "-cert", self.file, "-keyfile",
                     self.folder / "ca.key", "-in", request, "-out", certificate, *dates)
        return certificate, key
