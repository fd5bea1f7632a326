"""Answer lookups for completion: keys, fields, members, parameters, from the store itself or by asking a server.

On an embedded store the values are read where they lie: no access time, statistic or expiry is touched. A server is
asked by SCAN over a connection of its own, from a thread that never holds the line up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Protocol

from redtool.engine.keyspace import kind_of
from redtool.repl.prefixes import NEWEST, SLICE, PrefixIndex, walk
from redtool.repl.suggest import Lookup

if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.backends.embedded import Embedded
    from redtool.commands.table import Command

    class Server(Backend, Protocol):
        """A backend that can be asked by another client of the same kind."""

        def sibling(self) -> Server: ...


Found = list[tuple[bytes, str]]  # a completion, and a word about it

MOST = 100  # completions of one lookup
SIFT = 0.004  # seconds spent on finding keys of the right type
SHOWN = 30  # characters of a value that are shown beside its field
SERVER_TIME = 0.2  # seconds a server may be asked for one lookup
SERVER_AGE = 5.0  # seconds for which its answer is used again


class Source(Protocol):
    """Who answers. ``slow`` answers must not be waited for on the main thread."""

    slow: bool

    def answer(self, lookup: Lookup, prefix: bytes) -> Found:
        """Give what begins with the prefix, at most MOST."""

    def step(self) -> bool:
        """Do a little work ahead while nobody types; True when there is more to do."""

    def close(self) -> None:
        """Let go of what was opened for answering."""


def preview(value: bytes) -> str:
    text = value[: 2 * SHOWN].decode("utf-8", "replace")
    text = "".join(char if char.isprintable() else "·" for char in text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def parameters(prefix: bytes) -> Found:
    """The configuration parameters that redtool knows."""
    from redtool.parameters import NAMES

    start = prefix.decode("utf-8", "replace").lower()
    return [(name.encode(), "") for name in sorted(NAMES) if name.startswith(start)]


def settings(parameter: bytes, prefix: bytes) -> Found:
    """The values that a parameter takes, where there are a few."""
    from redtool.parameters import ALIASES, PARAMETERS

    name = parameter.decode("utf-8", "replace")
    known = PARAMETERS.get(ALIASES.get(name, name))
    start = prefix.decode("utf-8", "replace").lower()
    return [(word.encode(), "") for word in (known.choices() if known else ()) if word.lower().startswith(start)]


class StoreSource:
    """Completion from a store that this process has open."""

    slow = False

    def __init__(self, backend: Embedded) -> None:
        self.backend = backend
        self._index: PrefixIndex | None = None

    def answer(self, lookup: Lookup, prefix: bytes) -> Found:
        with self.backend.store.lock:
            return self._answer(lookup, prefix)

    def _answer(self, lookup: Lookup, prefix: bytes) -> Found:
        if lookup.what == "key":
            return self._keys(prefix, lookup.kinds)
        if lookup.what == "parameter":
            return parameters(prefix)
        if lookup.what == "setting":
            return settings(lookup.of, prefix)
        if lookup.what == "user":
            acl = self.backend.store.acl
            return [(name, "") for name in sorted(acl.users if acl else [b"default"]) if name.startswith(prefix)]
        return self._elements(lookup, prefix)

    def step(self) -> bool:
        """Keep the index of a large database up to date; True too while its keys are still being read from a file."""
        with self.backend.store.lock:
            return self._step()

    def _step(self) -> bool:
        store, db = self.backend.store, self.backend.session.db
        data, cold, index = db.data, db.cold, self._index
        if cold is not None and not cold.fixed:
            self._index = None
            return True
        if len(db) <= SLICE and cold is None:
            self._index = None
            return False
        if index is None or (index.data is not data and cold is None) or store.changes - index.made_at > NEWEST:
            more = None if cold is None else (name for name, _ in cold.names())
            self._index = PrefixIndex(data, store.changes, more)
            return True
        if not index.ready:
            index.step()
        return not index.ready

    def close(self) -> None:
        self._index = None

    def _keys(self, prefix: bytes, kinds: tuple[bytes, ...]) -> Found:
        db = self.backend.session.db
        index = self._index
        sorted_ahead = index is not None and (index.data is db.data or db.cold is not None)
        names: Iterable[bytes] = index.find(prefix) if index and sorted_ahead else sorted(walk(db.data, prefix))
        found: Found = []
        until = 0.0
        for count, key in enumerate(names):
            until = until or perf_counter() + SIFT  # what it takes to the first is not counted
            kind = self._kind(key)
            if kind is not None and (not kinds or kind in kinds):
                found.append((key, kind.decode()))
            if len(found) == MOST or (not count % 64 and perf_counter() > until):
                break
        return found

    def _kind(self, key: bytes) -> bytes | None:
        """TYPE's answer; neither reads a value from a file nor removes a key whose deadline has passed."""
        db = self.backend.session.db
        value = db.data.get(key)
        if value is None:
            return None if db.cold is None else db.cold.kind(key, db.clock.ms)
        return None if db.is_stale(key) else kind_of(value)

    def _elements(self, lookup: Lookup, prefix: bytes) -> Found:
        from redtool.engine.hashes import Hash
        from redtool.engine.lists import List
        from redtool.engine.sets import Set
        from redtool.engine.zsets import ZSet
        from redtool.numeric import float_text

        db = self.backend.session.db
        if (db.cold is not None or db.packed) and self._kind(lookup.of) is not None:
            db.peek(lookup.of)  # comes in from the file
        value = None if db.is_stale(lookup.of) else db.data.get(lookup.of)
        if lookup.kinds and kind_of(value) not in lookup.kinds:
            return []
        if isinstance(value, Hash):
            return [(name, preview(value[name])) for name in _first(walk(value, prefix))]
        if isinstance(value, ZSet):
            scores = value.scores
            return [(name, float_text(scores[name]).decode()) for name in _first(walk(scores, prefix))]
        if isinstance(value, Set | List):
            return [(name, "") for name in _first(walk(value, prefix))]
        return []


def _first(names: list[bytes]) -> list[bytes]:
    return sorted(set(names))[:MOST]


# How a server is asked for the elements of a key: the words, and how far apart names stand in the reply.
SCANS = {b"hash": (b"HSCAN", 2), b"set": (b"SSCAN", 1), b"zset": (b"ZSCAN", 2)}


class ServerSource:
    """Completion from a server: SCAN and its like, for a bounded time, answers kept for a moment.

    ``answer`` is called from one thread at a time, never from the one that runs commands.
    """

    slow = True

    def __init__(self, backend: Server) -> None:
        self.backend = backend
        self._own: Server | None = None
        self._kept: dict[tuple[object, ...], tuple[float, bool, Found]] = {}
        self._parameters: Found | None = None

    def step(self) -> bool:
        return False

    def commands(self) -> Mapping[bytes, Command]:
        """The server's commands, redtool's own where it cannot be asked."""
        from redtool.commands.table import load_all
        from redtool.errors import RedtoolError

        try:
            return self._connection().commands()
        except RedtoolError:
            return load_all()

    def close(self) -> None:
        """Close the connection; the next question opens another, as the user that the backend is then."""
        self._kept.clear()
        self._parameters = None
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def size(self) -> int | None:
        """The number of keys of the selected database."""
        from redtool.errors import RedtoolError

        try:
            reply = self._connection().execute(b"DBSIZE")
        except RedtoolError:
            return None
        return reply if isinstance(reply, int) else None

    def answer(self, lookup: Lookup, prefix: bytes) -> Found:
        from redtool.errors import RedtoolError

        try:
            return self._answer(lookup, prefix)
        except RedtoolError:
            return []  # completion is no place for a complaint

    def _answer(self, lookup: Lookup, prefix: bytes) -> Found:
        if lookup.what == "setting":
            return settings(lookup.of, prefix)
        if lookup.what == "parameter":
            return self._all_parameters(prefix.lower())
        where = (self.backend.db, lookup.what, lookup.of, lookup.kinds)
        now = monotonic()
        for end in range(len(prefix), -1, -1):
            when, whole, found = self._kept.get((*where, prefix[:end]), (0.0, False, []))
            if now - when < SERVER_AGE and (whole or end == len(prefix)):
                return [pair for pair in found if pair[0].startswith(prefix)]
        found, whole = self._scan(lookup, prefix)
        if len(self._kept) > 200:
            self._kept.clear()
        self._kept[(*where, prefix)] = (now, whole, found)
        return found

    def _scan(self, lookup: Lookup, prefix: bytes) -> tuple[Found, bool]:
        """Iterate until there is enough, the time is over or the end is reached (then True)."""
        if lookup.what == "element":
            reply = self._connection().execute(b"LRANGE", lookup.of, b"0", b"1000")
            names = [item for item in reply if isinstance(item, bytes)] if isinstance(reply, list) else []
            return [(name, "") for name in _first([name for name in names if name.startswith(prefix)])], False
        if lookup.what == "user":
            reply = self._connection().execute(b"ACL", b"USERS")
            names = [item for item in reply if isinstance(item, bytes)] if isinstance(reply, list) else []
            return [(name, "") for name in _first([name for name in names if name.startswith(prefix)])], False
        words, width, note = _request(lookup)
        found: dict[bytes, str] = {}
        cursor, until = b"0", perf_counter() + SERVER_TIME
        while True:
            argv = [*words, cursor, b"MATCH", literal(prefix) + b"*", b"COUNT", b"1000"]
            if note and lookup.what == "key":
                argv += [b"TYPE", note.encode()]
            reply = self._connection().execute(*argv)
            cursor, items = _page(reply)
            for at in range(0, len(items), width):
                if isinstance(name := items[at], bytes):
                    found[name] = _beside(items, at, width) or note
            if cursor == b"0" or len(found) >= MOST or perf_counter() > until:
                return sorted(found.items())[:MOST], cursor == b"0" and len(found) <= MOST

    def _all_parameters(self, prefix: bytes) -> Found:
        if self._parameters is None:
            reply = self._connection().execute(b"CONFIG", b"GET", b"*")
            names = reply if isinstance(reply, dict) else reply[::2] if isinstance(reply, list) else []
            self._parameters = [(name, "") for name in sorted(name for name in names if isinstance(name, bytes))]
        return [pair for pair in self._parameters if pair[0].startswith(prefix)]

    def _connection(self) -> Server:
        """A connection of its own to the same database, as the same user."""
        if self._own is None:
            self._own = self.backend.sibling()
        if self._own.db != self.backend.db:
            self._own.execute(b"SELECT", b"%d" % self.backend.db)
        return self._own


def _request(lookup: Lookup) -> tuple[list[bytes], int, str]:
    """The scanning command, the distance of names in its pages, and the type to ask for."""
    kind = lookup.kinds[0] if len(lookup.kinds) == 1 else b""
    if lookup.what == "key":
        return [b"SCAN"], 1, kind.decode()
    command, width = SCANS.get(kind, SCANS[b"hash" if lookup.what == "field" else b"set"])
    return [command, lookup.of], width, ""


def _page(reply: object) -> tuple[bytes, list[object]]:
    if isinstance(reply, list) and len(reply) == 2 and isinstance(reply[0], bytes) and isinstance(reply[1], list):
        return reply[0], reply[1]
    return b"0", []


def _beside(items: list[object], at: int, width: int) -> str:
    value = items[at + 1] if width == 2 and at + 1 < len(items) else None
    return preview(value) if isinstance(value, bytes) else ""


def literal(prefix: bytes) -> bytes:
    """A prefix as a pattern that matches only itself."""
    bytes_of = (prefix[at : at + 1] for at in range(len(prefix)))
    return b"".join(b"\\" + byte if byte in b"*?[]\\" else byte for byte in bytes_of)


def steps(source: Source) -> Iterator[None]:
    """Run ``step`` to the end, a yield each; for tests and figures."""
    while source.step():
        yield
