"""Backends: where commands go. One interface over the embedded store, a dump, and servers."""

from __future__ import annotations

import os

from redtool.errors import ConnectError, ReplyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Protocol

    from redtool.backends.attached import Attached
    from redtool.backends.embedded import Embedded
    from redtool.backends.target import Target
    from redtool.commands.table import Command
    from redtool.options import Options
    from redtool.resp import Push, Reply

    class Backend(Protocol):
        """What faces see of a store or a server. Not safe for several threads unless a backend says so."""

        name: str  # short text for a prompt: "default", "./mystore", "127.0.0.1:6379"

        @property
        def remote(self) -> bool: ...

        @property
        def db(self) -> int:
            """The selected database, following SELECT."""

        @property
        def in_multi(self) -> bool:
            """Whether commands are being queued, between MULTI and EXEC."""

        def execute(self, *argv: bytes) -> Reply:
            """Run one command and wait for its reply, however long it blocks.

            Raises ReplyError for an error reply and ConnectError when the target is lost. KeyboardInterrupt ends
            the wait and leaves the backend usable.
            """

        def pipeline(self, batch: Sequence[Sequence[bytes]], stop: bool = False) -> list[Reply]:
            """Run commands in order; an error is a value in the list. ``stop`` ends it at the first error.

            At least one reply, but perhaps fewer than commands: call again with the rest.
            """

        def commands(self) -> Mapping[bytes, Command]:
            """The grammar of every command it knows, by upper-case name."""

        def messages(self) -> Iterator[Push]:
            """Pub/sub and MONITOR messages: waits for more while subscribed, else gives those that have come."""

        def close(self) -> None:
            """Let go of the connection or the files. Safe to call twice."""


# Options that say something of the target beyond the store's path (see backends/target.py)
ADDRESSING = frozenset({"url", "target", "host", "port", "socket", "cluster", "user", "password", "askpass",
                        "password_file", "password_command", "tls", "cacert", "cacertdir", "cert", "key", "sni",
                        "insecure", "mem", "db", "resp2", "resp3"})  # fmt: skip


def open_backend(source: Target | Options | str | None = None, share: bool = False) -> Backend:
    """Open what a Target, a command line's options or a text (URL, path, name) names. ConnectError when it cannot be.

    A server is connected to before this returns. ``share`` lets other processes use a store while it is open: for who
    has it open for longer than one command.
    """
    flags: Mapping[str, str] | None = {} if source is None else getattr(source, "flags", None)
    if flags is not None and ADDRESSING.isdisjoint(flags) and not os.environ.get("REDIS_URL"):
        return _open_store(flags.get("store"), flags, share)  # the usual case, without what reading a target costs
    from redtool.backends.target import Target, parse, resolve

    if isinstance(source, Target):
        target = source
    else:
        target = parse(source) if isinstance(source, str) else resolve(flags or {})
    if target.kind == "remote":
        return _open_server(target)
    path = ":memory:" if target.kind == "memory" else None if target.name == "default" else target.path
    credentials = target.credentials()
    store = _open_store(path, flags or {}, share)
    if credentials != (None, None):
        _log_in(store, *credentials)
    if target.db:
        store.execute(b"SELECT", b"%d" % target.db)
    if target.resp:
        store.speak(target.resp)
    return store


def _open_server(target: Target) -> Backend:
    """Connect to a server, or to what is behind a cluster's or a sentinel's addresses."""
    from redtool.backends.remote import Remote

    if target.via == "cluster":
        from redtool.backends.cluster import Cluster
        from redtool.backends.nodes import NoCluster

        cluster = Cluster(target, _warn)
        try:
            cluster.connect()
            return cluster
        except NoCluster:  # as with redis-cli -c, a server by itself will do
            target = target.alone()
    elif target.via == "sentinel":
        from redtool.backends.sentinel import Sentinel

        master = Sentinel(target, _warn)
        master.connect()
        return master
    server = Remote(target)
    server.connect()
    return server


def _open_store(path: str | None, flags: Mapping[str, str], share: bool) -> Embedded | Attached:
    from redtool.backends.embedded import open_store

    return open_store(path, wait=lock_wait(flags), warn=_warn, fork=True, share=share)


def lock_wait(flags: Mapping[str, str]) -> float:
    """Seconds to wait for another owner of a store."""
    from redtool.backends.embedded import LOCK_WAIT

    try:
        wait = float(flags.get("lock_wait", LOCK_WAIT))
    except ValueError:
        wait = -1.0
    if not wait >= 0:  # NaN too, which no clock ever reaches
        raise UsageError("--wait takes a number of seconds")
    return wait


def _log_in(store: Embedded | Attached, user: str | None, password: str | None) -> None:
    """Be the user that was named; a store asks nobody who he is, but does not let a wrong password pass either."""
    try:
        store.execute(*("AUTH", *((user,) if user else ()), password or ""))
    except ReplyError as error:
        store.close()
        raise ConnectError(f"{store.name}: {error.message}") from None


def _warn(text: str) -> None:
    os.write(2, f"redtool: {text}\n".encode("utf-8", "surrogateescape"))


def is_dump(path: str) -> bool:
    """Whether a path names an RDB file, and no store: any file, and what is not there but is called so."""
    return not os.path.isdir(path) if path.endswith(".rdb") else os.path.isfile(path)


def default_store(environ: Mapping[str, str] = os.environ) -> str:
    """The directory of the store used when none is named: $REDTOOL_STORE, else under $XDG_DATA_HOME."""
    if store := environ.get("REDTOOL_STORE"):
        return store
    base = environ.get("XDG_DATA_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".local/share")
    return os.path.join(base, "redtool", "default")


def to_bytes(word: object) -> bytes:
    """A command word as bytes: str is UTF-8, numbers as Redis prints them."""
    if isinstance(word, bytes):
        return bytes(word)  # a Status that was stored as it is would be no string
    if isinstance(word, str):
        return word.encode("utf-8", "surrogateescape")
    if isinstance(word, bool) or not isinstance(word, int | float | bytearray | memoryview):
        raise UsageError(f"a command word is bytes, str, int or float, not {type(word).__name__}")
    if isinstance(word, int):
        return b"%d" % word
    return repr(word).encode() if isinstance(word, float) else bytes(word)
