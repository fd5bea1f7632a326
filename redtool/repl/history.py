"""The lines typed before, in a file of plain lines that redis-cli can read too.

``$REDTOOL_HISTFILE``, else ``$REDISCLI_HISTFILE`` (``/dev/null``: nothing is kept), else
``$XDG_STATE_HOME/redtool/history``. Only its owner may read the file; lines with secrets and lines that begin with
a blank do not enter it. A text of several lines (an open quote) takes several.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from prompt_toolkit.history import History

from redtool.repl.secrets import is_secret
from redtool.repl.typed import encode, logical
from redtool.words import needs_more

KEPT = 2000  # texts that are loaded
TAIL = 1 << 20  # bytes of the file that are looked at
LARGE = 4 << 20  # a larger file is cut down to what is loaded
MOST_LINES = 200  # of one text: an odd quote in a foreign file must not swallow the rest


def history_path(environ: Mapping[str, str]) -> str:
    """The file, "" for none."""
    for name in ("REDTOOL_HISTFILE", "REDISCLI_HISTFILE"):
        if path := environ.get(name):
            return "" if path == os.devnull else os.path.expanduser(path)
    home = environ.get("HOME") or os.path.expanduser("~")
    base = environ.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state")
    return os.path.join(base, "redtool", "history")


class LineHistory(History):
    """History kept in a file; what the system refuses leaves it in memory."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def load_history_strings(self) -> Iterable[str]:
        """Give the texts of the file, the last one first."""
        data, size = self._tail() if self.path else (b"", 0)
        texts = joined(data.decode("utf-8", "surrogateescape").split("\n"))[-KEPT:]
        if size > LARGE:
            self._write("".join(text + "\n" for text in texts), os.O_TRUNC)
        return reversed(texts)

    def _tail(self) -> tuple[bytes, int]:
        """The end of the file, from the beginning of a line, and the size of it all."""
        try:
            with open(self.path, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - TAIL, 0))
                data = file.read(TAIL)
        except OSError:
            return b"", 0
        return (data if size <= TAIL else data.partition(b"\n")[2]), size

    def append_string(self, string: str) -> None:
        """Add what was typed, the lines of a pasted text one by one.

        Left out is what holds a secret, begins with a blank, is a comment, or is the same as the one before.
        """
        for _, line in logical(string):
            if line.strip() and line[0] not in " \t#" and not is_secret(line) and self.get_strings()[-1:] != [line]:
                super().append_string(line)

    def store_string(self, string: str) -> None:
        if self.path:
            self._write(string.rstrip("\n") + "\n", os.O_APPEND)

    def _write(self, text: str, how: int) -> None:
        try:
            os.makedirs(os.path.dirname(self.path) or ".", 0o700, exist_ok=True)
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o600)
            try:
                os.write(fd, encode(text))
            finally:
                os.close(fd)
        except OSError:
            self.path = ""


def joined(lines: list[str]) -> list[str]:
    """Put the lines of a file together as texts: a line that ends inside a quote goes on in the next."""
    texts: list[str] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < min(len(lines), at + MOST_LINES) and needs_more(encode("\n".join(lines[at:end]))):
            end += 1
        if end - at > 1 and needs_more(encode("\n".join(lines[at:end]))):
            end = at + 1
        if lines[at].strip():
            texts.append("\n".join(lines[at:end]))
        at = end
    return texts
