"""What belongs to one client, and what a handler may do: the ``c`` of every handler."""

from __future__ import annotations

from collections import deque

from redtool import errors
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from redtool.acl import User
    from redtool.engine.keyspace import Keyspace
    from redtool.resp import Reply
    from redtool.store import Store

    Argv = Sequence[bytes]

INT32 = 2**31  # the number of a database is read as a C int


class Block(Exception):
    """Raised by a command that must wait.

    ``keys`` are what it waits for, of type ``kind``; ``deadline`` is unix ms, or None for ever. Whoever runs the
    session parks it and runs the command again when one of the keys gets data: ``again``, where that is not the
    command as it was sent (XREAD's ``$`` is an id by then). With ``gone`` it also runs again, to give the error, when
    a key is deleted or becomes another type. ``postponed`` is a command that CLIENT PAUSE puts off: it has not run
    yet, and does at the deadline.
    """

    def __init__(self, keys: Sequence[bytes], deadline: int | None, kind: type, again: Argv | None = None,
                 gone: bool = False, postponed: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.keys, self.deadline, self.kind = keys, deadline, kind
        self.again, self.gone, self.postponed = again, gone, postponed


class Ended(Exception):
    """Raised instead of running a command of a session that has ended: QUIT, CLIENT KILL."""


class Session:
    """One client of a store: selected database, MULTI state, watched keys, protocol version, user, subscriptions.

    ``guarded`` is True when a command needs more than the plain path: see ``review``.
    ``effects`` is None while the running command is journalled as it was sent.
    ``deliver`` takes what comes out of turn: a Push, or a Status line of MONITOR; by default it goes to ``inbox``.
    A session made for a ``caller`` is a script's: it has the caller's number and user, and is not in the register.
    """

    __slots__ = ("aborted", "authenticated", "buffers", "caller", "channels", "clock", "cramped", "db", "deliver",
                 "deny_block", "dirty", "effects", "ended", "guarded", "id", "inbox", "labels", "last", "muted", "name",
                 "no_array", "on_attach", "on_end", "on_switch", "patterns", "peer", "proto", "queue", "seen", "shards",
                 "since", "store", "stranger", "tracking", "user", "watching")  # fmt: skip

    def __init__(self, store: Store, caller: Session | None = None) -> None:
        self.store = store
        self.clock = store.clock
        self.db: Keyspace = store.databases[0]
        self.caller = caller
        if caller is None:
            self.id = store.next_session_id()
            store.sessions[self.id] = self
        else:
            self.id = caller.id
        self.since = self.seen = store.clock.ns  # when it began, and when its latest commands came
        self.last: Argv = ()  # the latest command
        self.peer: tuple[str, str, int] = ("embedded:0", "embedded:0", -1)  # address, own address, descriptor
        self.user: User | None = store.default_user if caller is None else caller.user  # None: nothing is restricted
        self.authenticated = True
        self.stranger = False  # has not logged in: ``authenticated`` only while the default user needs no password
        self.muted = ""  # CLIENT REPLY: "off", "skip" (this command), "skip next"
        self.tracking: Any = None if caller is None else caller.tracking  # what CLIENT TRACKING asked for
        self.inbox: deque[Reply] = deque()
        self.deliver: Callable[[Reply], object] = self.inbox.append
        self.ended = False  # no further command is run
        self.buffers: Callable[[], dict[str, int]] | None = None  # what is held of requests and replies: CLIENT LIST
        self.on_end: Callable[[], object] | None = None  # how whoever runs the session closes it: CLIENT KILL
        self.on_switch: Callable[[], object] | None = None  # told before the protocol changes
        self.on_attach: Callable[[], object] | None = None  # the client is a process that shares the store: CLIENT CAPA
        self.channels: dict[bytes, None] = {}  # subscriptions, in the order in which they were made
        self.patterns: dict[bytes, None] = {}
        self.shards: dict[bytes, None] = {}
        self.name = b""
        self.labels: dict[str, bytes] = {}  # what CLIENT SETINFO, NO-EVICT and NO-TOUCH said
        self.proto = 2
        self.no_array: Reply = None  # for want of an array; who writes replies to a wire sets it to resp.NULL_ARRAY
        self.queue: list[Argv] | None = None  # between MULTI and EXEC
        self.aborted = False  # a command failed to queue
        self.dirty = False  # a watched key changed
        self.watching: list[tuple[Keyspace, bytes]] = []
        self.deny_block = False  # inside EXEC: blocking commands do not wait
        self.cramped = False  # a script that began when memory was full and has written nothing yet
        self.guarded = (
            store.guarded or self.tracking is not None or (self.user is not None and not self.user.unlimited)
        )
        self.effects: list[Argv] | None = None

    def review(self) -> None:
        """Decide anew whether commands need more than the plain path: call it when one of these has changed."""
        self.guarded = bool(
            self.store.guarded
            or self.queue is not None
            or self.ended
            or (self.user is not None and not self.user.unlimited)
            or not self.authenticated
            or self.muted
            or self.tracking is not None
            or "no-touch" in self.labels
            or (self.proto == 2 and self.listens)
        )

    @property
    def listens(self) -> bool:
        """Whether the client is subscribed to anything."""
        return bool(self.channels or self.patterns or self.shards)

    def switch(self, proto: int) -> None:
        """Speak another version of the protocol from the next reply on."""
        if proto != self.proto:
            if self.on_switch is not None:
                self.on_switch()
            self.proto = proto
            self.review()

    def end(self) -> None:
        """Run no further command; whoever runs the session closes it."""
        self.ended = True
        self.store.silence(self)
        self.review()
        if self.on_end is not None:
            self.on_end()

    def heard(self, reply: Reply) -> Reply:
        """The reply, or none to a client that wants none (CLIENT REPLY)."""
        if not self.muted or self.caller is not None or self.deny_block:
            return reply
        if self.muted != "off":
            self.muted = "skip" if self.muted == "skip next" else ""
            self.review()
        from redtool.resp import NO_REPLY, Replies

        return reply if isinstance(reply, Replies) else NO_REPLY  # confirmations of a subscription are messages

    def close(self) -> None:
        """Leave the store: nothing watches, listens or waits for this client any more."""
        self.unwatch()
        self.store.forget(self)

    @property
    def now(self) -> int:
        """Unix time in ms, fixed for the running command."""
        return self.clock.ns // 1_000_000

    def passed(self, when: int) -> bool:
        """Tell whether a deadline has passed, so that setting it deletes the key.

        Not while a journal is replayed: a key that ends today may have been given a later end, or none, afterwards.
        """
        return when <= self.now and self.db.lazy

    @property
    def config(self) -> Any:
        return self.store.config

    def database(self, number: bytes) -> Keyspace:
        """The database with this number."""
        index = to_int(number)
        if not -INT32 <= index < INT32:
            raise errors.NotInt32
        if not 0 <= index < len(self.store.databases):
            raise errors.DbOutOfRange
        return self.store.databases[index]

    def readable(self, key: bytes, kind: type) -> Any:
        """The value under ``key`` if it is of this kind, None when missing; counts a hit or a miss."""
        db = self.db
        value = db.get(key) if db.expires or db.careful else db.data.get(key)
        if value is None:
            self.missed(key)
            return None
        self.store.hits += 1
        found = type(value)
        if found is kind or (found is bytearray and kind is bytes):
            return value
        return self._unpacked(key, value, kind)

    def missed(self, key: bytes) -> None:
        """Count a look at a key that is not there, and tell it to those who listen."""
        self.store.misses += 1
        if self.store.events:
            from redtool.commands.notify import publish

            publish(self.store, self.db, key, b"keymiss")

    def writable(self, key: bytes, kind: type, create: bool = False) -> Any:
        """The same for a command that writes: no statistics; ``create`` makes an empty one."""
        db = self.db
        value = db.get(key) if db.expires or db.careful else db.data.get(key)
        if value is None:
            if create:
                value = kind()
                db.put(key, value)
            return value
        found = type(value)
        if found is kind or (found is bytearray and kind is bytes):
            return value
        return self._unpacked(key, value, kind)

    def _unpacked(self, key: bytes, value: Any, kind: type) -> Any:
        """A value that nobody has touched yet, as one of this kind; WrongType for one that is none."""
        if getattr(value, "unpack", None) is not None:
            value = self.db.unpack(key, value)
            if type(value) is kind:
                return value
        raise errors.WrongType

    def put(self, key: bytes, value: Any, keep_ttl: bool = False) -> None:
        """Store a whole value. Reports nothing: call ``changed``."""
        self.db.put(key, value, keep_ttl)

    def put_unseen(self, keys: Sequence[bytes], values: Sequence[Any]) -> bool:
        """Store whole values, counted as changes. False, and nothing is done, if somebody must be told of each."""
        db, store = self.db, self.store
        if db.careful or db.expires or db.noting or db.watched or db.blocked or store.observed:
            return False
        db.data.update(zip(keys, values, strict=True))
        store.changes += len(keys)
        return True

    def remove(self, key: bytes) -> bool:
        """Delete a key. Reports nothing: call ``changed``."""
        return self.db.remove(key)

    def delete(self, key: bytes) -> bool:
        """Delete a key as the whole effect of a command: journalled as DEL and reported. True when it was there."""
        there = self.db.remove(key)
        if there:
            self.journal(b"DEL", key)
            self.changed(key, b"del")
        return there

    def expire(self, key: bytes, when: int) -> None:
        """Give an existing key a deadline (unix ms) as a command's whole effect; one that has passed deletes it."""
        if self.passed(when):
            self.delete(key)
        else:
            self.db.expire_at(key, when)
            self.journal(b"PEXPIREAT", key, b"%d" % when)
            self.changed(key, b"expire")

    def changed(self, key: bytes, event: bytes, n: int = 1) -> None:
        """Report ``n`` changes to ``key``: change count, WATCH, keyspace event, waiting clients."""
        if n:
            store = self.store
            store.changes += n
            db = self.db
            if db.watched or db.blocked:
                store.touch(db, key)
            if store.observed:
                store.observe(self, db, key, event)

    def unseen(self, key: bytes, n: int = 1) -> None:
        """Count ``n`` changes to ``key`` that are told to nobody: what consumers of a stream have read."""
        if n:
            self.store.changes += n
            if self.store.metered:
                self.store.touched.append((self.db, key))

    def event(self, key: bytes, event: bytes) -> None:
        """Publish a keyspace event that is no further change (the ``expire`` of a SET EX)."""
        if self.store.observed:
            self.store.observe(self, self.db, key, event)

    def drop_if_empty(self, key: bytes, value: Any) -> bool:
        """Remove a collection that lost its last element, and report it. True when it went."""
        if value:
            return False
        self.db.remove(key)
        self.changed(key, b"del")
        return True

    def journal(self, *argv: bytes) -> None:
        """Journal this instead of the command as it was sent; without words, nothing."""
        if self.effects is None:
            self.effects = []
        if argv:
            self.effects.append(argv)

    def wait(self, keys: Sequence[bytes], timeout: float, kind: type, again: Argv | None = None,
             gone: bool = False) -> Reply:  # fmt: skip
        """Wait ``timeout`` seconds (0: for ever) for one of ``keys`` to be of this kind; nil where nobody waits.

        ``again`` and ``gone`` are Block's.
        """
        if self.deny_block:
            return self.no_array
        raise Block(keys, self.now + round(timeout * 1000) if timeout else None, kind, again, gone)

    def unwatch(self) -> None:
        """Forget the watched keys."""
        for db, key in self.watching:
            watchers = db.watched.get(key)
            if watchers is not None:
                watchers.discard(self)
                if not watchers:
                    del db.watched[key]
        self.watching.clear()
        self.dirty = False
