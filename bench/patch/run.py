# SPDX-License-Identifier: MIT
"""Runs a program as a child and tells its processor seconds, its peak memory, or its instructions."""

import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass

TIMEOUT = 900


class Failure(Exception):
    """A program did not do what it was told; the text says why."""


@dataclass(frozen=True)
class Usage:
    seconds: float  # of processor time, user and system
    memory: int  # bytes resident at the peak


def execute(command, stdout=None):
    """Runs a command to its end. Failure with its last line, if it fails or takes too long."""
    with tempfile.TemporaryFile() as errors:
        output = open(stdout, "wb") if stdout else subprocess.DEVNULL
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                     start_new_session=True)
        except OSError as error:
            raise Failure(f"{command[0]}: {error.strerror}") from error
        finally:
            if stdout:
                output.close()
        try:
            status = child.wait(TIMEOUT)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failure(f"stopped after {TIMEOUT} s") from error
            raise
        if status != 0:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise Failure(f"status {status}: {lines[-1] if lines else 'without a word'}")


def measured(command, stdout=None):
    """Runs a command and returns its Usage.

    Linux hands the peak of the process that starts another on to it, so a child of this interpreter would never show
    less than the interpreter has. GNU time is small, and asks wait4 about its own child.
    """
    with tempfile.NamedTemporaryFile("r") as report:
        execute(["/usr/bin/time", "--quiet", "--format=%U %S %M", f"--output={report.name}", "--", *command], stdout)
        return usage_of(report.read())


def usage_of(report):
    user, system, kilobytes = report.strip().splitlines()[-1].split()
    return Usage(float(user) + float(system), int(kilobytes) * 1024)


def instructions(command, stdout=None):
    """How many instructions a command executes, the whole process, as callgrind counts them."""
    with tempfile.NamedTemporaryFile("r") as log:
        execute(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log.name}", *command],
                stdout)
        return instructions_of(log.read())


def instructions_of(log):
    found = re.search(r"Collected\s*:\s*(\d+)", log)
    if not found:
        raise Failure("callgrind did not tell a number of instructions")
    return int(found.group(1))
