# SPDX-License-Identifier: MIT
"""nginx, serving a depot's folder."""

import os
import shutil
import socket
import subprocess

from depot_server import PREFIX
from virtual_module import wait_until

CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  default_type application/octet-stream;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{ alias {depot}/; }}
  }}
}}
"""


class NginxServer:
    """`with NginxServer(work_folder, depot) as server:`; server.address is where it listens."""

    def __init__(self, folder, depot):
        folder.mkdir()
        with socket.socket() as probe:  # nginx cannot tell which port it got
            probe.bind(("127.0.0.1", 0))
            self.address = probe.getsockname()
        user = "user root;" if os.geteuid() == 0 else ""  # the folders of the test belong to whoever runs it
        (folder / "nginx.conf").write_text(
            CONFIGURATION.format(user=user, folder=folder, port=self.address[1], prefix=PREFIX, depot=depot))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.words = [program, "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]

    def answers(self):
        assert self.process.poll() is None, "nginx ended; its reason is above"
        try:
            socket.create_connection(self.address, timeout=5).close()
        except ConnectionRefusedError:
            return False
        return True

    def __enter__(self):
        self.process = subprocess.Popen(self.words)
        try:
            wait_until(self.answers, "answer from nginx", 20)
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
