"""``redtool aof log``: the commands of a journal as lines, those to come too."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from time import sleep, time
from typing import Any

from redtool import errors, exits
from redtool.cli.output import columns, note, write_lines
from redtool.cli.place import AofFiles, aof_files, of_manifest
from redtool.commands.redact import redacted
from redtool.oneshot import complain
from redtool.options import Options
from redtool.persist.manifest import INCREMENT
from redtool.persist.tail import Command, Tail
from redtool.words import quote

PAUSE = 0.1  # seconds between looks at a file that is followed
LONGEST = 100  # characters of a word that people are shown
MARGIN = 30  # columns before a command and behind it
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
PLAIN = re.compile(rb"[!$-&(-\[\]-~][!#-&(-\[\]-~]*")  # a word that needs no quotes anywhere
SPECIAL = set(" \"'\\#")


class Wanted:
    """Which commands are shown, and how: ``format`` is human, raw, json, csv, or script."""

    def __init__(self, format: str, since: str = "", grep: str = "", db: int | None = None) -> None:
        self.format, self.db = format, db
        self.since = moment(since) if since else None
        try:
            self.pattern = re.compile(os.fsencode(grep), re.IGNORECASE) if grep else None
        except re.error as error:
            raise errors.UsageError(f"--grep takes a regular expression: {error}") from None
        self.timed = self.hidden = 0  # commands with a time; those that hold a password

    def accepts(self, command: Command) -> bool:
        """Whether a command is among those asked for."""
        self.timed += command.time is not None
        if self.db is not None and command.db != self.db:
            return False
        if self.since is not None and (command.time is None or command.time < self.since):
            return False
        if command.argv[0].upper() == b"SELECT":
            return False  # each line says its database
        return self.pattern is None or self.pattern.search(typed(redacted(command.argv))) is not None


def moment(text: str) -> float:
    """Unix seconds of what was typed: a date, with a time or without, unix seconds, or an age as 10m, 2h, 1d."""
    from datetime import datetime

    if re.fullmatch(r"\d+(\.\d+)?[smhdw]", text):
        return time() - float(text[:-1]) * UNITS[text[-1]]
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise errors.UsageError(f"--since takes a date, unix seconds, or an age: 2026-01-31, '2026-01-31 12:00', 10m, "
                                f"2h, 1d; not '{text}'") from None  # fmt: skip


def typed(argv: list[bytes]) -> bytes:
    """A command as it would be typed."""
    return b" ".join(word if PLAIN.fullmatch(word) else quote(word) for word in argv)


def readable(argv: list[bytes], room: int) -> bytes:
    """A command for people, on about one line: UTF-8 as text, long words cut, many words counted."""
    from redtool.render import cells

    words: list[str] = []
    for number, word in enumerate(argv):
        part, cut = cells.cut(word, LONGEST)
        text, escaped = cells.show(part)
        plain = text and not escaped and not cut and not set(text) & SPECIAL
        shown = (text if plain else cells.quote(part)[0]) + cut
        room -= len(shown) + 1
        if room < 0 and number > 2:
            words.append(f"… {cells.plural(len(argv) - number, 'more word')}")
            break
        words.append(shown)
    return " ".join(words).encode("utf-8", "surrogateescape")


class Log:
    """The journal as lines of the format that is wanted. ``damage`` is what ended it, if something did."""

    def __init__(self, files: AofFiles, wanted: Wanted) -> None:
        self.files, self.wanted = files, wanted
        self.tail: Tail | None = None
        self.damage: errors.CorruptFile | None = None
        self.done: set[str] = set()  # files read or being read
        self.shown = ""  # the file of the last line
        self.db = 0  # selected by what a script has printed
        self.stamp: int | None = None
        self.room = max(columns() - MARGIN, LONGEST // 2)

    def lines(self, last: int = 0) -> Iterator[bytes]:
        """What is there now, or the ``last`` of it. Called again, what has come meanwhile."""
        commands = self._commands()
        for path, command in deque(commands, last) if last else commands:
            yield from self._shown(path, command)

    def _commands(self) -> Iterator[tuple[str, Command]]:
        """The commands that are wanted, with their files."""
        try:
            if self.tail is not None:
                yield from self._of_file(self.tail)
            for part in self.files.parts:
                if part.name in self.done:
                    continue
                if self.tail is not None:
                    self.tail.close()
                self.done.add(part.name)
                tail = self.tail = Tail(self.files.path(part))
                if tail.keys and self.wanted.format == "human":
                    note(f"{tail.path} holds {tail.keys:,} keys from before; see redtool rdb keys")
                yield from self._of_file(tail)
        except errors.CorruptFile as error:
            self.damage = error

    def _of_file(self, tail: Tail) -> Iterator[tuple[str, Command]]:
        return ((tail.path, command) for command in tail.read() if self.wanted.accepts(command))

    def look_again(self) -> None:
        """Take note of files that a rewrite has added."""
        if self.files.manifest:
            fresh = of_manifest(self.files.manifest)
            increments = [part for part in fresh.parts if part.kind == INCREMENT]
            self.files = AofFiles(increments, fresh.folder, fresh.manifest)

    def _shown(self, path: str, command: Command) -> Iterator[bytes]:
        argv, form = redacted(command.argv), self.wanted.format
        if form == "script":
            yield from self._script(command, argv)
        elif form == "human":
            if path != self.shown:
                self.shown, self.stamp = path, None
                yield b"# %b\n" % os.fsencode(path)
            if command.time is not None and command.time != self.stamp:
                from redtool.render.cells import date

                self.stamp = command.time
                yield b"# %b\n" % date(command.time).encode()
            yield b"%9d  db%d  %b\n" % (command.offset, command.db, readable(argv, self.room))
        elif form == "raw":
            when = b"" if command.time is None else b"%d" % command.time
            place = os.fsencode(os.path.basename(path)), command.offset
            yield b"%b\t%d\t%b\t%d\t%b\n" % (*place, when, command.db, typed(argv))
        else:
            yield _formatted(form, os.path.basename(path), command, argv)

    def _script(self, command: Command, argv: list[bytes]) -> Iterator[bytes]:
        """A line that redtool run takes; a SELECT before it where it belongs to another database."""
        if argv != command.argv:
            self.wanted.hidden += 1
            return
        if command.db != self.db and argv[0].upper() != b"EXEC":
            self.db = command.db
            yield b"SELECT %d\n" % self.db
        yield typed(argv) + b"\n"


def _formatted(form: str, name: str, command: Command, argv: list[bytes]) -> bytes:
    from redtool.render import choose

    values: Any = {b"file": os.fsencode(name), b"offset": command.offset, b"time": command.time, b"db": command.db,
                   b"command": argv}  # fmt: skip
    return choose(form)((), values if form == "json" else [*list(values.values())[:-1], typed(argv)])


def run(word: str, wanted: Wanted, last: int, follow: bool, options: Options) -> int:
    """Print the journal; gives the exit code."""
    log = Log(aof_files(word, options), wanted)
    write_lines(log.lines(last))
    while follow and log.damage is None:
        sleep(PAUSE)
        log.look_again()
        write_lines(log.lines())
    rest = log.tail.rest if log.tail is not None else 0
    if log.damage is not None:
        complain(f"redtool: {log.damage}")
        return exits.ERROR_REPLY
    if rest and log.tail is not None:
        note(f"{log.tail.path}: {rest:,} bytes at the end are no whole command")
    if wanted.since is not None and not wanted.timed:
        note("The journal has no times, so nothing of it is known to be that young: a server notes them with "
             "aof-timestamp-enabled yes.")  # fmt: skip
    if wanted.hidden:
        note(f"{wanted.hidden} commands with passwords in them are left out")
    return exits.OK
