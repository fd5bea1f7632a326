"""Read an RDB file for a verb: filters, progress, and damage told on stderr while the rest is still shown."""

from __future__ import annotations

import os
from collections.abc import Iterator

from redtool import errors, exits
from redtool.cli.output import progress
from redtool.globs import matcher
from redtool.oneshot import complain
from redtool.persist.walk import WRONG, Entry, Walk, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.persist.walk import Wanted

TYPES = ("string", "list", "set", "zset", "hash", "stream", "vectorset", "module")
LONGEST = 60  # characters of a key that tables show


class Problem:
    """What is wrong at a place of the file."""

    def __init__(self, offset: int, text: str) -> None:
        self.offset, self.text = offset, text


class Reading:
    """One pass over a file, iterated for its keys. ``problems`` has what was found wrong; ``walk`` the facts."""

    def __init__(self, path: str, wanted: Wanted | None = None, shown: bool = False) -> None:
        """``shown``: keys are printed on the terminal as they come, so there must be no bar."""
        if os.path.isdir(path):
            raise errors.UsageError(f"{path} is a directory; name the RDB file in it")
        self.path, self.wanted, self.shown = path, wanted, shown
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.walk: Walk | None = None
        self.size = 0
        self.whole = False  # it could be read to its end

    def __iter__(self) -> Iterator[Entry]:
        with opened(self.path) as data:
            self.size = len(data)
            hundredth = max(self.size // 100, 1)
            name = os.path.basename(self.path)
            with progress(f"reading {name}", 100, not (self.shown and os.isatty(1))) as advance:
                try:
                    self.walk = Walk(data, self.path, self.wanted, self.warnings.append,
                                     lambda at: advance(at // hundredth))  # fmt: skip
                    for entry in self.walk:
                        if entry.problem:
                            key = _named(entry.key)
                            self._add(entry.offset, f"{entry.problem}, in the {entry.type} {key}")
                        yield entry
                    self.whole = True
                except errors.CorruptFile as error:
                    reading = self.walk.reading if self.walk else b""
                    where = f", at the key {_named(reading)}" if reading else ""
                    self._add(error.offset, f"{error.reason}{where}")
            if self.walk is not None and self.walk.checksum == WRONG:
                self._add(self.walk.pos - 8, "the checksum does not match")

    def _add(self, offset: int, text: str) -> None:
        self.problems.append(Problem(offset, text))

    def finish(self) -> int:
        """Tell on stderr what is wrong; gives the exit code."""
        for problem in self.problems:
            complain(f"redtool: {self.path}: {problem.text}, at byte {problem.offset}")
        if self.problems and not self.whole and self.walk is not None:
            complain("What follows that byte cannot be read.")
        return exits.ERROR_REPLY if self.problems else exits.OK


def chosen(db: int | None, pattern: str, kind: str) -> Wanted | None:
    """The filter that the options make; None when everything is wanted."""
    if kind and kind not in TYPES:
        raise errors.UsageError(f"there is no type '{kind}', only {', '.join(TYPES)}")
    if db is None and not pattern and not kind:
        return None
    match = matcher(os.fsencode(pattern)) if pattern else None
    modules = kind in ("vectorset", "module")  # told apart only when read

    def wanted(number: int, type: str, key: bytes) -> bool:
        if db is not None and number != db:
            return False
        if kind and type != kind and not (modules and type == "module"):
            return False
        return match is None or bool(match(key))

    return wanted


def of_type(entries: Iterator[Entry], kind: str) -> Iterator[Entry]:
    """The entries of a type, now that it is known what a module's value is."""
    return (entry for entry in entries if not kind or entry.type == kind)


def short(key: bytes) -> bytes:
    """A key for a table, where a long one would break the columns."""
    text = key.decode("utf-8", "surrogateescape")
    return key if len(text) <= LONGEST else text[:LONGEST].encode("utf-8", "surrogateescape") + "…".encode()


def _named(key: bytes) -> str:
    from redtool.words import quote

    return quote(key[:100]).decode() + ("…" if len(key) > 100 else "")
