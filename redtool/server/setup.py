"""What a server is started with: a redis.conf or a store's own file, and the directives of the command line.

A file that is named means what it means to redis-server: what it does not say is as usual there. Without one it is a
store that is served, to this machine alone.
"""

from __future__ import annotations

import os

from redtool import errors
from redtool.conffile import Directive, Reader, Taken, read_lines
from redtool.config import Config
from redtool.persist.manifest import path_of
from redtool.persistence import CONFIG_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STDIN = "-"
AT_ONCE = 1.0  # seconds at most from the end of a journal to the snapshot that follows it: CONFIG SET appendonly no
# Where a server's usual value is another than a store's.
OF_SERVERS: dict[str, Any] = {"appendonly": False, "port": 6379, "save": ((3600, 1), (300, 100), (60, 10000))}
OF_STORES: dict[str, Any] = {"bind": "127.0.0.1 -::1", "port": 6379}


class Setup:
    """``file``: the redis.conf, "" for none, "-" for stdin. ``words``: the command line's directives, a line each.

    ``directory`` is the store's where neither says ``dir``, "" a store in memory; ``forced`` makes it so even if the
    file does.
    """

    def __init__(self, file: str, words: list[bytes], directory: str, *, forced: bool = False) -> None:
        self.file, self.words = file, words
        self.path = os.path.abspath(file) if file not in ("", STDIN) else None
        self.lines = _input() if file == STDIN else _lines(file) if file else []
        self.notes: list[str] = []  # what is worth saying of it
        self.idle: list[str] = []  # directives that mean nothing here
        self.in_file: set[str] = set()  # parameters that the file sets
        self.said = self._command_line()
        self.first = Config()  # before the store is open
        of_file = self._of_file(self.first)
        named = self.said.values.get("dir") or ("" if forced else of_file.values.get("dir", ""))
        if named and not os.path.isdir(named):
            raise errors.StoreError(f"dir {named}: there is no such directory")
        self.directory = os.path.abspath(named or directory) if named or directory else ""
        self.own_dir = "dir" not in self.said.values and not forced
        self.configure(self.first, self.directory)

    def _command_line(self) -> Taken:
        """Take the command line's directives, which are wrong as options are."""
        taken = Taken(strict=True)
        try:
            for found in Reader("").directives("", self.words):
                taken.take(found)
        except errors.StoreError as error:
            raise errors.UsageError(f"--{error}" if str(error)[:1].islower() else str(error)) from None
        return taken

    def _of_file(self, config: Config) -> Taken:
        """What the file says, with the directives of the command line after it, as to redis-server."""
        taken = Taken(strict=True)
        config.at_once = False
        if self.file:
            for found in Reader("").directives(self.file if self.path else "stdin", self.lines):
                taken.take(found)
            self.idle, self.in_file = taken.idle, set(taken.values)
        return taken

    def configure(self, config: Config, directory: str) -> str | None:
        """Fill a new configuration for the store in a directory; gives the path of its file, None without one."""
        return self._from_file(config, directory) if self.file else self._from_store(config, directory)

    def _from_store(self, config: Config, directory: str) -> str | None:
        """The store's own file, and above it the command line, which the file is not to keep."""
        config.update(OF_STORES)
        config.given.update(OF_STORES)
        path = os.path.join(directory, CONFIG_FILE) if directory else None
        config.at_once = True
        if path and os.path.exists(path):
            config.read(path)
        self.said.give(config)
        config.given.update(self.said.values)
        if directory and not config["appendonly"]:
            self._mind_journal(config, directory, True)
        return path

    def _from_file(self, config: Config, directory: str) -> str | None:
        """The file that was named, the command line's directives as its last lines."""
        config.usual = OF_SERVERS
        config.update(OF_SERVERS)
        taken = self._of_file(config)
        for found in Reader("").directives("", self.words):
            taken.take(found)
        taken.give(config)
        if self.own_dir:
            config.given["dir"] = directory
        if directory and not config["appendonly"]:
            self._mind_journal(config, directory, "appendonly" in taken.values)
        return self.path

    def _mind_journal(self, config: Config, directory: str, said: bool) -> None:
        """A store whose data are in a journal must not seem empty: go on with it, or refuse where it is not wanted."""
        folder = os.path.join(directory, config["appenddirname"])
        if not os.path.exists(path_of(folder, config["appendfilename"])):
            return
        if not said:
            config["appendonly"] = config.given["appendonly"] = True
            self.notes = [f"{directory} has a journal, so appendonly is yes, of which {self.file} says nothing"]
        elif newest(folder) > modified(os.path.join(directory, config["dbfilename"])) + AT_ONCE:
            raise errors.StoreError(
                f"the data of {directory} are in its journal, which is newer than {config['dbfilename']}, and "
                f"appendonly is no: --appendonly yes reads it; redtool CONFIG SET appendonly no saves it"
            )

    def place(self, name: str) -> str:
        """A path that the configuration names, relative to the store's directory as to a server; "" for none."""
        path = os.path.expanduser(self.first[name])
        return os.path.join(self.directory, path) if path else ""


def modified(path: str) -> float:
    """When a file was written last; 0.0 when there is none."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def newest(folder: str) -> float:
    """When a directory, or a file in it, was written last."""
    return max(modified(os.path.join(folder, name)) for name in ("", *os.listdir(folder)))


def _lines(path: str) -> list[bytes]:
    """The lines of a redis.conf."""
    if os.path.isdir(path):
        raise errors.UsageError(f"{path} is a directory; to serve a store: redtool serve --store {path}")
    lines = read_lines(path)
    if lines and lines[0].startswith((b"REDIS", b"VALKEY")):
        raise errors.UsageError(f"{path} is a dump, which is not served; redtool open {path} reads it")
    return lines


def _input() -> list[bytes]:
    """The lines of stdin."""
    data = b""
    while piece := os.read(0, 1 << 16):
        data += piece
    return data.splitlines(keepends=True)


def as_line(name: str, text: str) -> bytes:
    """A directive of the command line as a line of the file; ``text`` is written as there."""
    line = f"{name} {text}".encode("utf-8", "surrogateescape")
    Directive("", 1, line, True)  # quotes that are not closed are found here
    return line
