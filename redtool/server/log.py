"""What a server says while it runs: lines with a time, to stderr or the file that ``logfile`` names."""

from __future__ import annotations

import os
from time import localtime, strftime, time

LEVELS = ("debug", "verbose", "notice", "warning")


class Log:
    """Writes lines of a level and above. ``path`` "": stderr. A file is opened for each line, so it may be rotated."""

    def __init__(self, level: str = "notice", path: str = "") -> None:
        self.level, self.path = level, path

    def write(self, level: str, text: str) -> None:
        """Write a line, if this level is wanted; nobody is told when that fails."""
        if LEVELS.index(level) < LEVELS.index(self.level):
            return
        now = time()
        stamp = strftime("%d %b %Y %H:%M:%S", localtime(now)) + f".{int(now * 1000) % 1000:03d}"
        line = f"{os.getpid()} {stamp} {'warning: ' if level == 'warning' else ''}{text}\n"
        data = line.encode("utf-8", "surrogateescape")
        try:
            if not self.path:
                os.write(2, data)
                return
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.write(file, data)
            finally:
                os.close(file)
        except OSError:
            return

    def verbose(self, text: str) -> None:
        self.write("verbose", text)

    def notice(self, text: str) -> None:
        self.write("notice", text)

    def warning(self, text: str) -> None:
        self.write("warning", text)
