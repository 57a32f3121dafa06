# SPDX-License-Identifier: MIT
"""A module on a pseudo-terminal, and what a person would see on it."""

import re
import signal
import termios

import pexpect
from virtual_module import ENVIRONMENT, RESET, TIMEOUT, Life, wait_until

PROMPT = "OVMS# "
LOCAL_MODES = 3  # index of that field in what tcgetattr returns
CONTROL = re.compile(r"\x1b\[(\d*)([A-Za-z@])")
ARROW_UP, ARROW_LEFT = "\x1b[A", "\x1b[D"
CTRL_C, CTRL_D, TAB, BACKSPACE, ENTER = "\x03", "\x04", "\t", "\x7f", "\r"


class Screen:
    """An endless sheet that does what an xterm does with the few controls that a line editor sends."""

    def __init__(self):
        self.rows = [""]
        self.column = 0
        self.rest = ""

    def put(self, character):
        row = self.rows[-1].ljust(self.column)
        self.rows[-1] = row[:self.column] + character + row[self.column + 1:]
        self.column += 1

    def control(self, number, letter):
        count, row = int(number or 1), self.rows[-1]
        if letter == "K" and not number:
            self.rows[-1] = row[:self.column]
        elif letter == "G":
            self.column = count - 1
        elif letter == "C":
            self.column += count
        elif letter == "D":
            self.column -= count
        elif letter == "P":
            self.rows[-1] = row[:self.column] + row[self.column + count:]
        elif letter == "@":
            self.rows[-1] = row[:self.column] + " " * count + row[self.column:]
        else:
            raise AssertionError(f"the tests' screen does not know ESC [ {number} {letter}")

    def feed(self, text):
        self.rest += text
        while self.rest:
            character = self.rest[0]
            if character == "\x1b":
                found = CONTROL.match(self.rest)
                if not found:
                    assert len(self.rest) < 8, f"the tests' screen does not know {self.rest[:8]!r}"
                    return  # the other half is still to come
                self.control(*found.groups())
                self.rest = self.rest[found.end():]
                continue
            self.rest = self.rest[1:]
            if character == "\r":
                self.column = 0
            elif character == "\n":
                self.rows.append("")
                self.column = 0
            elif character == "\b":
                self.column -= 1
            elif character not in "\0\a":
                self.put(character)


class Terminal(Life):
    """`with Terminal(module) as terminal:` is a session from the first prompt to Ctrl-D, which has to end it with 0."""

    def __init__(self, module, *options):
        super().__init__(module, options)
        self.screen = Screen()
        words = ["-c", 'exec "$@" 2>"$0"', str(self.log), *module.command(*options)]
        self.process = pexpect.spawn("/bin/sh", words, env={**ENVIRONMENT, "TERM": "xterm"}, timeout=TIMEOUT,
                                     dimensions=(50, 250), encoding="utf-8", preexec_fn=module.before_exec)
        self.process.delaybeforesend = None
        self.process.ptyproc.delayafterclose = 0
        self.wait_for_prompt(0)

    def is_alive(self):
        return self.process.isalive()

    @property
    def text(self):
        return "\n".join(self.rows)

    @property
    def rows(self):
        return [row.rstrip() for row in self.screen.rows]

    def read(self, condition, what):
        """Reads what the module writes until the condition holds."""
        while not condition():
            try:
                self.screen.feed(self.process.read_nonblocking(4096, timeout=TIMEOUT))
            except (pexpect.TIMEOUT, pexpect.EOF) as error:
                shown = "\n".join(self.rows[-20:])
                raise AssertionError(f"no {what}: {type(error).__name__}\n{shown}\n{self.boot_log}") from error

    def wait_for_prompt(self, row):
        """The last row is an empty prompt, and lies at `row` or below."""
        self.read(lambda: len(self.screen.rows) > row and self.screen.rows[-1] == PROMPT and
                  self.screen.column == len(PROMPT), "prompt")
        wait_until(self.is_editing, "editor")

    def is_editing(self):
        """libedit shows the prompt a moment before it takes the terminal over; keys are not for that moment."""
        return not termios.tcgetattr(self.process.child_fd)[LOCAL_MODES] & termios.ICANON or not self.is_alive()

    def wait_for(self, text, row=0):
        self.read(lambda: text in "\n".join(self.rows[row:]), repr(text))

    def keys(self, *keys, line=None):
        """Types; and waits until the last row is the prompt with `line`."""
        self.process.send("".join(keys))
        if line is not None:
            self.read(lambda: self.rows[-1] == (PROMPT + line).rstrip(), f"line {line!r}")

    def enter(self):
        """Ends the line that stands behind the prompt; returns the rows that its command prints."""
        row = len(self.screen.rows)
        self.process.send(ENTER)
        self.wait_for_prompt(row)
        return self.rows[row:-1]

    def command(self, line):
        """Types a line; returns the rows that it prints. They begin below the prompt with what was typed."""
        row = len(self.screen.rows)
        self.process.send(line + ENTER)
        self.wait_for_prompt(row)
        assert self.rows[row - 1] == (PROMPT + line).rstrip(), self.rows[-10:]
        if line == RESET:
            self.check_life()
        return self.rows[row:-1]

    def settle(self):
        """Waits until all that was typed has been read, and a remark after it, and an empty prompt is last."""
        self.process.send("# settled" + ENTER)
        self.read(lambda: self.rows[-2:] == [PROMPT + "# settled", PROMPT.rstrip()], "settled prompt")
        wait_until(self.is_editing, "editor")

    def end(self, code=0):
        """Waits for the end of the process and compares everything."""
        self.process.expect(pexpect.EOF)
        self.screen.feed(self.process.before)
        if self.process.isalive():
            self.process.wait()  # the end of its output is a moment before its own
        self.process.close()
        self.check_end()
        found = self.process.exitstatus, self.process.signalstatus
        assert found == (code, None), (found, self.rows[-20:], self.boot_log)

    def leave(self):
        self.process.send(CTRL_D)
        self.end()

    def terminate(self, code):
        self.process.kill(signal.SIGTERM)
        self.end(code)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None and not self.process.closed:
            self.leave()
        self.process.close(force=True)
