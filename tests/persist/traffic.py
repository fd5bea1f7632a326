"""Use of a store that came from doubtful bytes: whatever it holds, every command answers, and saving it works.

``exercise`` runs commands that read everything of each key, then random ones, and at last compares the store with
what a snapshot of it gives. An error reply is an answer; any other exception passes through.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from redtool import errors, loading, resp
from redtool.commands.table import TABLE, Command
from redtool.config import Config
from redtool.engine.keyspace import kind_of
from redtool.engine.packed import Packed
from redtool.loading import Sink
from redtool.persist.rdb import load
from redtool.persist.save import save
from redtool.saving import contents
from redtool.session import Block, Session
from redtool.store import Store
from tests import embedded
from tests.program import DRAWN, EXCLUDED, PLACED, Program
from tests.samples import Samples

INT64 = 1 << 63
MOST_KEYS = 6  # keys of a store that are looked at
WORDS = ("field", "member", "id", "group", "consumer", "element", "start", "end", "value", "last-id")
SKIPPED = {"LCS", "FLUSHALL", "FLUSHDB", "SWAPDB", "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO",
           "FUNCTION LOAD", "FUNCTION DELETE", "FUNCTION FLUSH"}  # fmt: skip
EVERY = ("TYPE k", "DUMP k", "OBJECT ENCODING k", "MEMORY USAGE k SAMPLES 0", "DEBUG DIGEST-VALUE k", "PEXPIRETIME k",
         "COPY k copy-of-it REPLACE", "DEL copy-of-it", "SORT k ALPHA LIMIT 0 3", "DEBUG OBJECT k")  # fmt: skip
OWN = {
    b"string": ("GET k", "STRLEN k", "BITCOUNT k", "PFCOUNT k", "GETRANGE k 1 -2", "INCR k", "BITPOS k 1",
                "PFDEBUG GETREG k", "APPEND k x", "SETRANGE k 3 y", "PFADD k a"),
    b"list": ("LRANGE k 0 -1", "LPOS k a", "LINDEX k -1", "LLEN k", "LSET k 0 x", "RPUSH k y", "LPOP k"),
    b"hash": ("HGETALL k", "HLEN k", "HSCAN k 0 COUNT 1000", "HRANDFIELD k 3 WITHVALUES", "HPEXPIRETIME k FIELDS 1 f",
              "HINCRBY k n 1", "HPERSIST k FIELDS 1 f", "HDEL k f"),
    b"set": ("SMEMBERS k", "SSCAN k 0 COUNT 1000", "SRANDMEMBER k -3", "SINTER k k", "SADD k 5 x", "SPOP k"),
    b"zset": ("ZRANGE k 0 -1 WITHSCORES", "ZRANGEBYSCORE k -inf +inf", "ZRANGE k - + BYLEX", "ZCARD k", "ZRANK k a",
              "ZSCAN k 0 COUNT 1000", "GEOPOS k a b", "GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 9 km", "ZINCRBY k 1 a",
              "ZUNIONSTORE copy-of-it 2 k k", "DEL copy-of-it", "ZADD k 5 x", "ZPOPMIN k"),
    b"stream": ("XRANGE k - +", "XREVRANGE k + - COUNT 2", "XINFO STREAM k FULL COUNT 0", "XINFO STREAM k",
                "XINFO GROUPS k", "XINFO CONSUMERS k g1", "XPENDING k g1", "XPENDING k g1 - + 10", "XADD k * f v",
                "XREADGROUP GROUP g1 c9 COUNT 2 STREAMS k >", "XAUTOCLAIM k g1 c9 0 0 COUNT 3", "XTRIM k MAXLEN ~ 2",
                "XREAD COUNT 2 STREAMS k 0", "XGROUP CREATE k g9 0", "XGROUP DELCONSUMER k g1 c1"),
    b"vectorset": ("VCARD k", "VINFO k", "VDIM k", "VSIM k ELE e1 WITHSCORES", "VSIM k ELE e1 TRUTH", "VRANDMEMBER k 3",
                   "VEMB k e1", "VEMB k e1 RAW", "VLINKS k e1 WITHSCORES", "VGETATTR k e1", "VRANGE k - + 5",
                   "VADD k VALUES 3 1 2 3 new", "VREM k e2", "VSIM k VALUES 3 1 2 3", "VSETATTR k e3 {}"),
}  # fmt: skip


class Known(Samples):
    """Values for placeholders, mostly keys and words that the store holds."""

    def __init__(self, rng: Random) -> None:
        super().__init__(rng)
        self.held: list[bytes] = []
        self.words: list[bytes] = []

    def __call__(self, placeholder: str, kind: str = "") -> bytes:
        if self.words and placeholder in WORDS and self.rng.random() < 0.5:
            return self.rng.choice(self.words)
        return super().__call__(placeholder, kind)

    def keys(self) -> list[bytes]:
        return self.held if self.held and self.rng.random() < 0.9 else super().keys()


class _Lines(Program):
    def reset(self, rng: Random) -> None:
        self.rng, self.samples = rng, Known(rng)


def _commands() -> Iterator[Command]:
    embedded.import_all()
    for command in TABLE.values():
        for sub in (command,) if command.subs is None else command.subs.values():
            excluded = {command.name, sub.name} & EXCLUDED.keys() and sub.name not in DRAWN
            if not excluded and sub.name not in PLACED | SKIPPED and not sub.name.endswith(" HELP"):
                yield sub


def lines(rng: Random) -> Program:
    """What draws commands over a store's own keys, once ``samples`` knows them."""
    return _Lines(rng, list(_commands()))


class Traffic:
    """Draws and runs commands on one store after another."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.lines = lines(rng)
        self.last: tuple[bytes, ...] = ()  # the latest command, for who reports

    def exercise(self, store: Store, count: int = 12, same: bool = True) -> None:
        """Read everything, run ``count`` random commands, and save; what was saved must be the ``same``."""
        self.compare(store, same)
        session = Session(store)
        session.proto = self.rng.choice((2, 3))
        for db in store.databases:
            if len(db):
                session.db = db
                self._probe(session)
                self._random(session, count)
        self.last = (b"tick",)
        store.tick()
        before = [(db, len(db)) for db in store.databases]
        while store.thaw():
            continue
        assert all(len(db) <= size for db, size in before) or not same, "more keys than there were"
        self.compare(store, same)

    def ask(self, session: Session, argv: tuple[bytes, ...]) -> Any:
        """One command; its reply must fit the wire. An error is an answer, a wait is cut short."""
        self.last = argv
        try:
            reply = session.store.execute(session, argv)
        except errors.ReplyError as error:
            reply = error
        except Block:
            return None
        _fits(reply)
        resp.encode(reply, session.proto)
        return reply

    def _probe(self, session: Session) -> None:
        """What each key's type offers, in random order, after what every key answers."""
        keys = [key for key, _ in _entries(session)]
        for key in keys if len(keys) <= MOST_KEYS else self.rng.sample(keys, MOST_KEYS):
            kind = self.ask(session, (b"TYPE", key))
            own = list(OWN.get(kind, ()))
            for line in (*EVERY, *self.rng.sample(own, len(own))):
                self.ask(session, tuple(key if word == b"k" else word for word in line.encode().split()))

    def _random(self, session: Session, count: int) -> None:
        samples = self.lines.samples
        assert isinstance(samples, Known)
        samples.held, samples.words = [], []
        for key, value in _entries(session):
            samples.held.append(key)
            samples.words += _words(value)
        for _ in range(count):
            self.ask(session, tuple(self.lines.line(self.rng.choice(self.lines.commands))))

    def compare(self, store: Store, same: bool) -> None:
        """What is saved loads again, and is the same; a key that cannot be read is named instead."""
        self.last = (b"SAVE",)
        store.tick()  # what has expired goes
        pieces: list[bytes] = []
        for db in store.databases:
            db.field_cycle()
        try:
            save(pieces.append, contents(store), functions=store.functions)
        except errors.Unreadable:
            return
        other = Store(Config())
        loading.begin(other)
        load(b"".join(pieces), Sink(other))
        loading.end(other)
        digests = [self.ask(Session(one), (b"DEBUG", b"DIGEST")) for one in (store, other)]
        assert digests[0] == digests[1] or not same, "a snapshot gives another dataset"


def _entries(session: Session) -> list[tuple[bytes, Any]]:
    """Keys and values, those in memory when the others cannot be read."""
    try:
        return [(key, value) for key, value, _ in session.db.items()]
    except errors.Unreadable:
        return list(session.db.data.items())


def _words(value: Any) -> list[bytes]:
    """Some of what a value holds, as words for commands."""
    if isinstance(value, Packed):
        value = value.unpack()
    if kind_of(value) == b"stream":
        ids = [b"%d-%d" % id for id in list(value.entries)[:5]]
        return [*ids, *list(value.groups)[:3], *(name for one in value.groups.values() for name in one.consumers)]
    if kind_of(value) == b"zset":
        return list(value.scores)[:5]
    if kind_of(value) == b"vectorset":
        return list(value.nodes)[:5]
    if kind_of(value) == b"string":
        return [bytes(value)] if len(value) < 100 else []
    return list(value)[:5]


def _fits(reply: Any) -> None:
    """Numbers of a reply are those that a server can send."""
    if isinstance(reply, dict):
        for pair in reply.items():
            _fits(list(pair))
    elif isinstance(reply, list | tuple | set):
        for item in reply:
            _fits(item)
    elif type(reply) is int:
        assert -INT64 <= reply < INT64, f"{reply} does not fit 64 bits"
