"""A terminal for tests: redtool in a pseudo-terminal, and what its screen shows.

The screen knows what prompt-toolkit and the renderers send: printing, cursor moves, erasing, colours. ``wait`` reads
until the screen is as a test wants it; nothing sleeps. Asked where the cursor is, it says: twelve lines from the
bottom.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect

COLUMNS, LINES = 100, 40
OURS = ("REDIS", "REDTOOL", "XDG", "NO_COLOR", "PYTHONDONTWRITEBYTECODE")
PATIENCE = 20  # seconds until a test gives up
SEQUENCE = re.compile(r"\x1b\[([?>]?)([0-9;]*)([A-Za-z])|\x1b[=>]|\x1b\][^\x07]*\x07")


class Screen:
    """Cells of (character, SGR codes); it grows downward instead of scrolling."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self.row = self.column = 0
        self.style = ""
        self.wraps = True
        self.held = ""
        self.asked = 0  # how often the program wanted to know where the cursor is

    def feed(self, text: str) -> None:
        text = self.held + text
        self.held = ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                if found is None:
                    if len(text) - at < 32:
                        self.held = text[at:]
                        return
                    at += 1
                    continue
                if found[1] == "?" and found[2] == "7":
                    self.wraps = found[3] == "h"
                elif found[3] and not found[1]:
                    self.control(found[3], [int(n) if n else 0 for n in found[2].split(";")], found[2])
                at = found.end()
            else:
                self.put(text[at])
                at += 1

    def put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row += 1
        elif char == "\b":
            self.column = max(min(self.column, COLUMNS - 1) - 1, 0)
        elif char >= " ":
            if self.column == COLUMNS:
                self.row, self.column = (self.row + 1, 0) if self.wraps else (self.row, COLUMNS - 1)
            self.cells[self.row, self.column] = (char, self.style)
            self.column += 1

    def control(self, kind: str, numbers: list[int], codes: str) -> None:
        n = max(numbers[0], 1)
        if kind == "A":
            self.row = max(self.row - n, 0)
        elif kind == "B":
            self.row += n
        elif kind == "C":
            self.column += n
        elif kind == "D":
            self.column = max(min(self.column, COLUMNS - 1) - n, 0)
        elif kind == "H":
            self.row, self.column = 0, 0
        elif kind in "KJ":
            after = (self.row, self.column)
            self.cells = {place: cell for place, cell in self.cells.items()
                          if numbers[0] == 0 and (place < after or (kind == "K" and place[0] != self.row))}  # fmt: skip
        elif kind == "n":
            self.asked += 1
        elif kind == "m":
            self.style = codes

    def line(self, row: int) -> str:
        return "".join(self.cells.get((row, column), (" ", ""))[0] for column in range(COLUMNS)).rstrip()

    @property
    def lines(self) -> list[str]:
        return [self.line(row) for row in range(max((row for row, _ in self.cells), default=0) + 1)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def current(self) -> str:
        """The line of the cursor."""
        return self.line(self.row)

    @property
    def toolbar(self) -> str:
        return next((line for line in reversed(self.lines) if line), "")

    def style_of(self, text: str) -> str:
        """The SGR codes of ``text`` in the line of the cursor."""
        column = self.current.rfind(text)
        assert column >= 0, f"{text!r} is not in {self.current!r}"
        return self.cells[self.row, column][1]


class Terminal:
    """redtool running in a pseudo-terminal with a home of its own."""

    def __init__(self, home: Path, *words: str, **environ: str) -> None:
        self.home = home
        env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        env |= {"HOME": str(home), "TERM": "xterm-256color", "PAGER": "cat",
                "PYTHONPATH": os.pathsep.join(sys.path), **environ}  # fmt: skip
        self.child = pexpect.spawn(sys.executable, ["-m", "redtool", *words], env=env, dimensions=(LINES, COLUMNS),
                                   encoding="utf-8", timeout=PATIENCE)  # fmt: skip
        self.child.delaybeforesend = None
        self.screen = Screen()

    def wait(self, wanted: str | Callable[[Screen], bool]) -> Screen:
        """Read until the screen holds a text, or is as wanted."""
        is_there = (lambda screen: wanted in screen.text) if isinstance(wanted, str) else wanted
        until = time.monotonic() + PATIENCE
        while not is_there(self.screen):
            try:
                self.screen.feed(self.child.read_nonblocking(65536, 0.1))
                self.child.send(f"\x1b[{LINES - 12};1R" * self.screen.asked)
                self.screen.asked = 0
            except pexpect.EOF:
                raise AssertionError(f"the program ended:\n{self.screen.text}") from None
            except pexpect.TIMEOUT:
                if time.monotonic() > until:
                    raise AssertionError(f"this did not come: {wanted!r}\n{self.screen.text}") from None
        return self.screen

    def prompt(self, text: str = "default> ", below: int = -1) -> Screen:
        """Wait for an empty prompt with its toolbar, below a row."""
        return self.wait(
            lambda screen: screen.row > below and screen.current == text.rstrip() and "HELP for help" in screen.toolbar
        )

    def interrupt(self) -> None:
        """Press Ctrl-C once the line editor has given the terminal back, so that it is a signal."""
        self.wait(lambda _: bool(termios.tcgetattr(self.child.child_fd)[3] & termios.ISIG))
        self.type("\x03")

    def type(self, text: str) -> None:
        self.child.send(text)

    def run(self, line: str, prompt: str = "default> ") -> Screen:
        """Type a line, press Enter, wait for the next prompt."""
        self.type(line)
        self.wait(lambda screen: line in screen.current)
        row = self.screen.row
        self.type("\r")
        return self.prompt(prompt, row)

    def end(self) -> int:
        """Wait for the end of the program and give its exit code."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus or 0)

    def close(self) -> None:
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        self.child.close()
