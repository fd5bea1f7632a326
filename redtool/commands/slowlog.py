"""SLOWLOG and COMMANDLOG: commands that took long, and those whose request or reply was large, newest first.

Requests and replies have a size only where there is a socket, so an embedded store logs slow commands alone.
"""

from __future__ import annotations

from collections import deque

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.numeric import to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store

command = group("server")

ADMIN = "admin loading stale"
MOST_WORDS, MOST_BYTES = 32, 128  # of a command line that are kept
# kind of log -> (threshold, most entries)
LIMITS = {
    b"slow": ("slowlog-log-slower-than", "slowlog-max-len"),
    b"large-request": ("commandlog-request-larger-than", "commandlog-large-request-max-len"),
    b"large-reply": ("commandlog-reply-larger-than", "commandlog-large-reply-max-len"),
}


class Log:
    """The entries of one kind, newest first, and the number of the next."""

    __slots__ = ("entries", "next")

    def __init__(self) -> None:
        self.entries: deque[list[Reply]] = deque()
        self.next = 0

    def add(self, c: Session, argv: Argv, figure: int, most: int) -> None:
        client = c.caller or c
        entry: list[Reply] = [self.next, c.clock.ns // 1_000_000_000, figure, shortened(argv)]
        self.entries.appendleft([*entry, client.peer[0].encode("utf-8", "surrogateescape"), client.name])
        self.next += 1
        while len(self.entries) > most:
            self.entries.pop()


def log_of(store: Store, kind: bytes) -> Log:
    """The log of one kind, made when it is first needed."""
    return store.logs.setdefault(kind, Log())


def note(c: Session, command: Command, argv: Argv, took: int) -> None:
    """Note a command that took ``took`` ns: in the slow log, and as a latency event."""
    threshold = c.config["slowlog-log-slower-than"]
    if 0 <= threshold <= took // 1000 and "skip_slowlog" not in command.flags:
        log_of(c.store, b"slow").add(c, argv, took // 1000, c.config["slowlog-max-len"])
    from redtool.commands.latency import add

    add(c.store, b"fast-command" if "fast" in command.flags else b"command", took // 1_000_000)


def note_size(c: Session, kind: bytes, argv: Argv, size: int) -> None:
    """Note a command whose request or reply has ``size`` bytes, if that is more than the configuration says."""
    threshold, most = LIMITS[kind]
    if 0 <= c.config[threshold] < size:
        log_of(c.store, kind).add(c, argv, size, c.config[most])


def shortened(argv: Argv) -> list[Reply]:
    """A command line without passwords, and with marks for the words and bytes that are left out."""
    from redtool.commands.redact import redacted

    words: list[Reply] = [
        word if len(word) <= MOST_BYTES else b"%b... (%d more bytes)" % (word[:MOST_BYTES], len(word) - MOST_BYTES)
        for word in redacted(argv)[:MOST_WORDS]
    ]
    if len(argv) > MOST_WORDS:
        words[-1] = b"... (%d more arguments)" % (len(argv) - MOST_WORDS + 1)
    return words


def newest(store: Store, kind: bytes, count: bytes) -> Reply:
    """So many entries; -1 for all."""
    number = to_int(count, errors.LogCount)
    if number < -1:
        raise errors.LogCount
    entries = log_of(store, kind).entries
    return [*entries][: None if number == -1 else number]


@command("SLOWLOG GET [count]", ADMIN, since="2.2.12", complexity="O(N) entries given")
def slowlog_get(c: Session, count: bytes = b"10") -> Reply:
    """Give the latest slow commands: number, time, microseconds, words, client.

    > CONFIG SET slowlog-log-slower-than 0
    OK
    > SET greeting hello
    OK
    > SLOWLOG GET 1
    1) 1) (integer) …
       2) (integer) 1…
       3) (integer) …
       4) 1) "SET"
          2) "greeting"
          3) "hello"
       5) "…"
       6) ""
    """
    return newest(c.store, b"slow", count)


@command("SLOWLOG LEN", ADMIN, since="2.2.12")
def slowlog_len(c: Session) -> Reply:
    """Count the entries of the slow log.

    > SLOWLOG LEN
    (integer) 0
    """
    return len(log_of(c.store, b"slow").entries)


@command("SLOWLOG RESET", ADMIN, since="2.2.12", complexity="O(N) entries")
def slowlog_reset(c: Session) -> Reply:
    """Empty the slow log.

    > SLOWLOG RESET
    OK
    """
    log_of(c.store, b"slow").entries.clear()
    return OK


declare_help(command, "SLOWLOG", since="6.2.0")


def kind_of(word: bytes) -> bytes:
    kind = word.lower()
    if kind not in LIMITS:
        raise errors.LogKind
    return kind


@command("COMMANDLOG GET count <SLOW | LARGE-REQUEST | LARGE-REPLY>", ADMIN, since="8.1.0",
         complexity="O(N) entries given")  # fmt: skip
def commandlog_get(c: Session, count: bytes, kind: bytes) -> Reply:
    """Give the latest commands that were slow, or long, or had a long reply.

    > COMMANDLOG GET 3 SLOW
    (empty array)
    """
    return newest(c.store, kind_of(kind), count)


@command("COMMANDLOG LEN <SLOW | LARGE-REQUEST | LARGE-REPLY>", ADMIN, since="8.1.0")
def commandlog_len(c: Session, kind: bytes) -> Reply:
    """Count the entries of a log of commands.

    > COMMANDLOG LEN LARGE-REPLY
    (integer) 0
    """
    return len(log_of(c.store, kind_of(kind)).entries)


@command("COMMANDLOG RESET <SLOW | LARGE-REQUEST | LARGE-REPLY>", ADMIN, since="8.1.0", complexity="O(N) entries")
def commandlog_reset(c: Session, kind: bytes) -> Reply:
    """Empty a log of commands.

    > COMMANDLOG RESET SLOW
    OK
    """
    log_of(c.store, kind_of(kind)).entries.clear()
    return OK


declare_help(command, "COMMANDLOG", since="8.1.0")
