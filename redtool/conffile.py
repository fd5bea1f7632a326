"""The configuration file in redis.conf syntax: what it says, those that it includes in their place.

A line is a directive and its words, quoted as on redis-cli's command line; ``#`` starts a comment line. A store's own
redtool.conf may hold directives that are not known (a newer server's); a file that a server is started on may not.
"""

from __future__ import annotations

import os

from redtool import errors, words
from redtool.parameters import ALIASES, PARAMETERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.config import Config

    Lines = list[bytes]

PLACE = ("dir", "unixsocket", "pidfile")  # where a store is, said by whoever opens it, not by its own file
DEPTH = 16  # files that include one another
# Directives of some server that are no parameter here, and mean nothing to a store
ELSEWHERE = frozenset({
    "cluster-compatibility-sample-ratio", "gopher-enabled", "hash-max-zipmap-entries", "hash-max-zipmap-value",
    "key-load-delay", "list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands",
    "rdb-key-save-delay", "replica-full-sync-buffer-limit", "use-exit-on-panic", "vset-force-single-threaded-execution",
    "watchdog-period",
})  # fmt: skip
# Directives that are more than a value: how many words they take at least, and at most
SPECIAL = {"include": (1, 1), "loadmodule": (1, 1 << 16), "rename-command": (2, 2), "user": (0, 1 << 16)}
# What redtool cannot do: the values that do not ask for it, and what it is
CANNOT = {"cluster-enabled": ((False,), "be a node of a cluster"),
          "replicaof": (("", "no one"), "follow another server")}  # fmt: skip


class Directive:
    """One line that says something: its words decoded, where it stands, and ``line`` as it is written.

    ``number`` counts from 1. ``top``: it stands in the file itself, not in one that it includes.
    """

    __slots__ = ("arguments", "line", "name", "number", "path", "top")

    def __init__(self, path: str, number: int, line: bytes, top: bool) -> None:
        self.path, self.number, self.line, self.top = path, number, line, top
        try:
            name, *self.arguments = [word.decode("utf-8", "surrogateescape") for word in words.split(line)]
        except errors.QuotingError as error:
            raise self.wrong(error) from None
        name = name.lower()
        self.name = ALIASES.get(name, name)

    def wrong(self, reason: object) -> errors.StoreError:
        """The error that says where this stands."""
        return errors.StoreError(f"{self.path}:{self.number}: {reason}" if self.path else f"{reason}")


class Reader:
    """Goes through the directives of a file.

    ``base`` is what names of included files are relative to. ``lenient`` passes over what cannot be read, as when the
    file is to be written anew.
    """

    def __init__(self, base: str, lenient: bool = False) -> None:
        self.base, self.lenient = base, lenient

    def directives(self, path: str, lines: Lines, above: tuple[str, ...] = ()) -> Iterator[Directive]:
        """Every directive, those of included files where they are included."""
        above = (*above, os.path.realpath(path))
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text[:1] in (b"#", b""):
                continue
            try:
                found = Directive(path, number, text, len(above) == 1)
                if found.name != "include":
                    yield found
                    continue
                for each in self._included(found, above):
                    yield from self.directives(each, read_lines(each, found), above)
            except errors.StoreError:
                if not self.lenient:
                    raise

    def _included(self, found: Directive, above: tuple[str, ...]) -> list[str]:
        """The files that an ``include`` names: none is right for a pattern alone."""
        if len(found.arguments) != 1:
            raise found.wrong("include takes the name of one file")
        path = os.path.join(self.base, os.path.expanduser(found.arguments[0]))
        if any(c in path for c in "*?["):
            from glob import glob

            paths = sorted(glob(path))
        else:
            paths = [path]
        for path in paths:
            if os.path.realpath(path) in above:
                raise found.wrong(f"{path} includes itself")
        if len(above) > DEPTH:
            raise found.wrong("too many files that include one another")
        return paths


def read_lines(path: str, found: Directive | None = None) -> Lines:
    """The lines of a file, which ``found`` asks for."""
    try:
        with open(path, "rb") as file:
            return file.read().splitlines(keepends=True)
    except OSError as error:
        reason = f"cannot read {path}: {(error.strerror or '').lower()}"
        raise found.wrong(reason) if found is not None else errors.StoreError(reason) from None


def read(config: Config, path: str) -> None:
    """Take over what a store's own file says."""
    taken = Taken(strict=False)
    for found in Reader(os.path.dirname(path)).directives(path, read_lines(path)):
        taken.take(found)
    for name in PLACE:
        taken.values.pop(name, None)
    taken.give(config)


class Taken:
    """What directives say, one after the other. ``strict`` refuses what no server takes, and what redtool cannot do.

    ``idle`` are directives without meaning here, of other servers.
    """

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.values: dict[str, Any] = {}
        self.users: list[bytes] = []
        self.renames: dict[str, str] = {}
        self.idle: list[str] = []

    def take(self, found: Directive) -> None:
        """Heed one directive. Raises StoreError."""
        name = found.name
        if name in PARAMETERS:
            try:
                self.values[name] = parse(name, found.arguments, self.values.get(name))
            except ValueError as error:
                raise found.wrong(f"{name}: {error}") from None
            if self.strict and name in CANNOT and self.values[name] not in CANNOT[name][0]:
                raise found.wrong(f"{name}: redtool cannot {CANNOT[name][1]}")
        elif name in SPECIAL:
            low, high = SPECIAL[name]
            if not low <= len(found.arguments) <= high:
                raise found.wrong(f"{name}: wrong number of arguments")
            self._special(found)
        elif self.strict and name in ELSEWHERE:
            self.idle.append(name)
        elif self.strict:
            raise found.wrong(unknown(name))

    def _special(self, found: Directive) -> None:
        if found.name == "user":
            self.users.append(found.line)
        elif found.name == "rename-command":
            self._rename(found, *(word.upper() for word in found.arguments))
        elif self.strict:
            raise found.wrong(f"redtool loads no modules: leave out {found.name}")

    def _rename(self, found: Directive, old: str, new: str) -> None:
        """Give a command another name, or none."""
        from redtool.commands.table import find

        if find(old.encode("utf-8", "surrogateescape")) is None or old in self.renames:
            raise found.wrong(f"rename-command: there is no command {old}")
        taken = find(new.encode("utf-8", "surrogateescape")) is not None and self.renames.get(new) is None
        if new and (taken or new in self.renames.values()):
            raise found.wrong(f"rename-command: there is a command {new} already")
        self.renames[old] = new

    def give(self, config: Config) -> None:
        """Put all of it into a configuration."""
        config.update(self.values)
        config.users += self.users
        config.renames.update(self.renames)


def unknown(name: str) -> str:
    """Say that there is no such directive, and what may be meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, [*PARAMETERS, *ALIASES, *SPECIAL], 1)
    return f"there is no directive {name}" + (f"; did you mean {near[0]}?" if near else "")


def is_user(line: bytes) -> bool:
    """Whether a line defines a user."""
    return line.lower().split(None, 1)[:1] == [b"user"]


def parse(name: str, arguments: list[str], before: Any) -> Any:
    """The typed value of a directive; ``before`` is what earlier lines of the file said, or None."""
    parameter = PARAMETERS[name]
    if (not arguments and name != "bind") or (len(arguments) > 1 and not parameter.words):
        raise ValueError("wrong number of arguments")
    value = parameter.parse(" ".join(arguments), parameter.default if before is None else before)
    if name == "save" and value and before:
        return before + value
    return value
