"""Keys of a backend with their values and deadlines, read a chunk at a time: SCAN, then DUMP of many in one round trip.

Where DUMP is not to be had, values are read with the commands of their type. Reading does not count as use: a server's
LRU and LFU clocks are left alone where it allows that (CLIENT NO-TOUCH, Redis 7.2).
"""

from __future__ import annotations

from redtool.errors import ReplyError
from redtool.persist.payload import unpack, version_of
from redtool.transfer.asking import ask, forbidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from redtool.backends import Backend

PAGE = 1000  # keys that SCAN is asked for, and that are read at a time at most
FIRST = 100  # keys in the first chunk, when nothing is known of their size
WEIGHT = 1 << 22  # bytes of values that a chunk should have
GONE = -2  # what PEXPIRETIME and PTTL say of a key that is not there


class Item:
    """A key and what is under it. ``deadline`` in unix ms or None; ``usage``: RESTORE's words for its last uses."""

    __slots__ = ("_kind", "_value", "deadline", "key", "payload", "usage")

    def __init__(self, key: bytes, payload: bytes, deadline: int | None, value: Any = None, kind: bytes = b"") -> None:
        """Of a payload or a value; with neither only the type is known."""
        self.key, self.payload, self.deadline = key, payload, deadline
        self.usage: tuple[bytes, ...] = ()
        self._value, self._kind = value, kind

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return bool(self.payload) or self._value is not None

    @property
    def value(self) -> Any:
        """The value as the engine has it. Raises BadFormat, BadPayload for what redtool cannot read."""
        if self._value is None:
            self._value = unpack(self.payload)
        return self._value

    @property
    def version(self) -> int:
        """The RDB version of the payload; 0 without one."""
        return version_of(self.payload)

    @property
    def kind(self) -> bytes:
        """The type, as TYPE says it; what redtool cannot read is a module's."""
        if self._kind:
            return self._kind
        try:
            value = self.value
        except ReplyError:
            return b"module"
        kind: bytes = getattr(value, "kind", b"string")
        return kind


class Reader:
    """Reads the keys of the database that is selected."""

    def __init__(self, backend: Backend, pattern: bytes = b"", kind: bytes = b"", usage: bool = False) -> None:
        self.backend, self.kind, self.usage = backend, kind, usage
        self.options = ((b"MATCH", pattern) if pattern else ()) + ((b"TYPE", kind) if kind else ())
        self.absolute = True  # it has PEXPIRETIME
        self.dumps = True  # it has DUMP
        self._size = WEIGHT // FIRST  # bytes of a value, as known so far
        if backend.remote or _counts_uses(backend):
            ask(backend, [(b"CLIENT", b"NO-TOUCH", b"ON")])  # an error where the server does not know it: no matter

    def pages(self) -> Iterator[list[bytes]]:
        """The keys, as SCAN gives them: a key may come twice when the database grows or shrinks meanwhile.

        Not those of a store: reading it brings its keys into memory, at the end of which SCAN begins anew.
        """
        cursor = b"0"
        seen: set[bytes] | None = None if self.backend.remote else set()
        while True:
            reply: Any = self.backend.execute(b"SCAN", cursor, *self.options, b"COUNT", b"%d" % PAGE)
            cursor, keys = reply
            if seen is not None:
                keys = [key for key in keys if key not in seen]
                seen.update(keys)
            if keys:
                yield keys
            if cursor == b"0":
                return

    def items(self) -> Iterator[list[Item]]:
        """The keys with their values, a chunk at a time; those that are gone meanwhile are left out."""
        for keys in self.pages():
            while keys:
                count = self.chunk
                yield [item for item in self.fetch(keys[:count]) if item is not None]
                keys = keys[count:]

    @property
    def chunk(self) -> int:
        """How many keys to read at a time, so that memory stays bounded."""
        return max(1, min(PAGE, WEIGHT // max(self._size, 1)))

    def fetch(self, keys: Sequence[bytes]) -> list[Item | None]:
        """These keys with their values, None for each that is not there. Raises ReplyError for what is refused."""
        if not self.dumps:
            return self._read(keys)
        usage = [(b"OBJECT", word, key) for key in keys for word in (b"IDLETIME", b"FREQ")] if self.usage else []
        replies = ask(self.backend, [*usage, *self._deadlines(keys), *[(b"DUMP", key) for key in keys]])
        refused = next((reply for reply in replies[-len(keys) :] if isinstance(reply, ReplyError)), None)
        if refused is not None:
            if not forbidden(refused, "dump"):
                raise refused
            self.dumps = False
            return self._read(keys)
        when = self._times(replies[len(usage) : -len(keys)])
        if when is None:
            return self.fetch(keys)
        found = [_item(*each) for each in zip(keys, replies[-len(keys) :], when, strict=True)]
        for at, item in enumerate(found if usage else ()):
            if item is not None:
                item.usage = _usage(*replies[2 * at : 2 * at + 2])
        self._weigh(found)
        return found

    def fetch_kinds(self, keys: Sequence[bytes]) -> list[Item | None]:
        """The same with types in place of values."""
        replies = ask(self.backend, [*self._deadlines(keys), *[(b"TYPE", key) for key in keys]])
        kinds = replies[-len(keys) :] if keys else []
        refused = next((reply for reply in kinds if isinstance(reply, ReplyError)), None)
        if refused is not None:
            raise refused
        when = self._times(replies[: -len(keys)] if keys else [])
        if when is None:
            return self.fetch_kinds(keys)
        return [None if kind == b"none" or ttl == GONE else Item(key, b"", ttl if ttl >= 0 else None, kind=bytes(kind))
                for key, kind, ttl in zip(keys, kinds, when, strict=True)]  # fmt: skip

    def _deadlines(self, keys: Sequence[bytes]) -> list[tuple[bytes, ...]]:
        if self.absolute:
            return [(b"PEXPIRETIME", key) for key in keys]
        return [(b"TIME",), *((b"PTTL", key) for key in keys)]

    def _times(self, replies: list[Any]) -> list[int] | None:
        """Unix ms, or -1 or GONE, of what was asked for; None where it must be asked in another way."""
        if self.absolute:
            if not any(isinstance(reply, ReplyError) for reply in replies):
                return replies
            self.absolute = False  # a server before Redis 7
            return None
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise reply
        (seconds, micros), *left = replies
        now = int(seconds) * 1000 + int(micros) // 1000
        return [now + ttl if ttl >= 0 else ttl for ttl in left]

    def _weigh(self, found: Sequence[Item | None]) -> None:
        """Note how large values are: the latest count for half."""
        sizes = [len(item.payload) for item in found if item is not None]
        if sizes:
            self._size = (self._size + sum(sizes) // len(sizes)) // 2

    def _read(self, keys: Sequence[bytes]) -> list[Item | None]:
        """The same without DUMP."""
        from redtool.transfer.queries import read_values

        when = self._times(ask(self.backend, self._deadlines(keys)))
        if when is None:
            return self._read(keys)
        values = read_values(self.backend, keys)
        return [None if value is None else Item(key, b"", ttl if ttl >= 0 else None, value)
                for key, value, ttl in zip(keys, values, when, strict=True)]  # fmt: skip


def _counts_uses(backend: Backend) -> bool:
    """Whether a store evicts by what is known of the keys' uses."""
    [reply] = ask(backend, [(b"CONFIG", b"GET", b"maxmemory-policy")])
    words = [*reply.values()] if isinstance(reply, dict) else reply if isinstance(reply, list) else []
    return any(word.endswith((b"lru", b"lfu")) for word in words)


def _item(key: bytes, payload: bytes | None, when: int) -> Item | None:
    if payload is None or when == GONE:
        return None
    return Item(key, payload, when if when >= 0 else None)


def _usage(idle: object, frequency: object) -> tuple[bytes, ...]:
    """What OBJECT says, of which one is an error by the server's policy."""
    if isinstance(frequency, int):
        return b"FREQ", b"%d" % frequency
    return (b"IDLETIME", b"%d" % idle) if isinstance(idle, int) else ()
