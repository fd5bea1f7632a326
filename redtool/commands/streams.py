"""Stream commands on entries: add, look, delete, trim. Reading on is in xread, groups are in xgroups and xinfo."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.engine.streams import FIRST, LAST, Stream, after, before
from redtool.numeric import to_cursor, to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.engine.streams import Entry, Id
    from redtool.resp import Reply
    from redtool.session import Session

command = group("stream")

LONGEST_ID = 127  # bytes of an id's text that a server reads
STRATEGIES = (b"KEEPREF", b"DELREF", b"ACKED")  # what deleting has to do with the groups
NODE = 100  # entries of a node where the configuration sets no limit


# -- ids


def id_text(id: Id) -> bytes:
    return b"%d-%d" % id


def to_id(text: bytes, missing: int = 0) -> Id:
    """Parse an id; ``missing`` is the sequence of one that is only a time."""
    ms, dash, seq = text.partition(b"\0")[0].partition(b"-")
    if len(text) > LONGEST_ID:
        raise errors.InvalidStreamId
    try:
        return to_cursor(ms), to_cursor(seq) if dash else missing
    except errors.InvalidCursor:
        raise errors.InvalidStreamId from None


def to_ids(texts: Iterable[bytes]) -> list[Id]:
    return [to_id(text) for text in texts]


def to_start(text: bytes) -> Id:
    """Parse the first id of a range, ``(`` leaving that one out."""
    if text[:1] == b"(" and len(text) > 1:
        found = after(to_id(text[1:]))
        if found is None:
            raise errors.InvalidStartId
        return found
    return to_edge(text, 0)


def to_end(text: bytes) -> Id:
    """Parse the last id of a range, ``(`` leaving that one out."""
    if text[:1] == b"(" and len(text) > 1:
        found = before(to_id(text[1:], LAST[1]))
        if found is None:
            raise errors.InvalidEndId
        return found
    return to_edge(text, LAST[1])


def to_edge(text: bytes, missing: int) -> Id:
    return FIRST if text == b"-" else LAST if text == b"+" else to_id(text, missing)


def listed(entries: Iterable[Entry]) -> list[Reply]:
    """Entries as a reply: [id, [field, value, …]] each, in either protocol."""
    return [[b"%d-%d" % id, list(fields)] for id, fields in entries]


def noted(c: Session, key: bytes, event: bytes) -> None:
    """Report a change that WATCH does not see, nor who waits for data."""
    c.store.changes += 1
    c.event(key, event)


# -- trimming


class Trim:
    """What the options of XADD and XTRIM ask for: a greatest length, or a least id. ``end`` is where they end.

    ``gone`` and ``released`` are what ``apply`` took away with a strategy: entries, and what groups had pending.
    """

    __slots__ = ("approximate", "end", "gone", "limit", "minimum", "most", "must_exist", "released", "strategy")

    def __init__(self) -> None:
        self.most: int | None = None
        self.minimum: Id | None = None
        self.approximate = self.must_exist = False
        self.limit: int | None = None
        self.end = 0
        self.strategy = b""
        self.gone: list[Id] = []
        self.released: dict[bytes, list[Id]] = {}

    @property
    def wanted(self) -> bool:
        return self.most is not None or self.minimum is not None

    def read(self, args: tuple[bytes, ...], adding: bool) -> None:
        """Read options: of XADD up to the id, of XTRIM to the end."""
        at = 0
        while at < len(args):
            word, more = args[at].upper(), len(args) - at - 1
            if word == b"LIMIT" and more:
                self.limit = natural(args[at + 1], "LIMIT")
                at += 2
            elif word in (b"MAXLEN", b"MINID") and more:
                at = self._threshold(args, at, word)
            elif word in STRATEGIES and not self.strategy:
                self.strategy = word
                at += 1
            elif adding and word == b"NOMKSTREAM":
                self.must_exist = True
                at += 1
            elif adding:
                break
            else:
                raise errors.SyntaxError_
        self.end = at

    def _threshold(self, args: tuple[bytes, ...], at: int, word: bytes) -> int:
        if self.wanted:
            raise errors.MaxlenAndMinid
        mark = args[at + 1] in (b"~", b"=") and at + 2 < len(args)
        self.approximate = mark and args[at + 1] == b"~"
        text = args[at + 1 + mark]
        if word == b"MAXLEN":
            self.most = natural(text, "MAXLEN")
        else:
            self.minimum = to_id(text)
        return at + 2 + mark

    def check(self, adding: bool) -> None:
        """Refuse what does not go together; a server does so after it has read everything."""
        if self.limit and not self.wanted:
            raise errors.LimitWithoutTrim
        if not adding and not self.wanted:
            raise errors.TrimMissing
        if self.limit is not None and not self.approximate:
            raise errors.LimitWithoutTilde

    def apply(self, c: Session, stream: Stream) -> int:
        """Remove the oldest entries as asked; gives how many went."""
        if self.strategy in (b"DELREF", b"ACKED"):
            return self._apply_with_groups(stream)
        if self.most is not None:
            excess = max(0, len(stream) - self.most)
        elif self.minimum is not None:
            excess = stream.order.count_below(self.minimum)
        else:
            return 0
        if self.approximate and excess:
            size = c.config["stream-node-max-entries"] or NODE
            limit = min(100 * size, 1_000_000) if self.limit is None else self.limit
            excess = stream.whole_nodes(excess, size, limit)
        return stream.drop_first(excess)

    def _apply_with_groups(self, stream: Stream) -> int:
        """The same with ACKED, which skips what a group needs, or DELREF. Redis 8.2 does nothing of it with ``~``."""
        if self.approximate or not self.wanted:
            return 0
        ids = stream.order.between(FIRST)
        excess = len(ids) - self.most if self.most is not None else stream.order.count_below(self.minimum or FIRST)
        if self.strategy == b"DELREF":
            self.gone = ids[: max(0, excess)]
            for id in self.gone:
                stream.release(id, self.released)
        else:
            for id in ids if self.most is not None else ids[:excess]:
                if len(self.gone) >= excess:
                    break
                if not stream.referenced(id):
                    self.gone.append(id)
        stream.cut(self.gone)
        return len(self.gone)

    def journal(self, c: Session, key: bytes, stream: Stream) -> None:
        """Journal what a trim with a strategy did; unlike XDEL, it leaves the greatest id deleted as it was."""
        if self.gone and stream.entries and stream.first_id < self.gone[-1]:
            c.journal(b"XDEL", key, *map(id_text, self.gone))
            if stream.max_deleted_id != FIRST:
                last, deleted = id_text(stream.last_id), id_text(stream.max_deleted_id)
                c.journal(b"XSETID", key, last, b"MAXDELETEDID", deleted)
        elif self.gone or self.strategy == b"KEEPREF":
            c.journal(b"XTRIM", key, *self.done(stream))
        acknowledged(c, key, self.released)

    def done(self, stream: Stream) -> tuple[bytes, ...]:
        """The options of an exact trim that leaves what this approximate one has left."""
        if self.most is not None or not stream.entries:
            return b"MAXLEN", b"=", b"%d" % len(stream)
        return b"MINID", b"=", id_text(stream.first_id)


def acknowledged(c: Session, key: bytes, released: dict[bytes, list[Id]]) -> None:
    """Report and journal that entries are no longer pending, by group; WATCH does not see it."""
    for name, ids in released.items():
        c.journal(b"XACK", key, name, *map(id_text, ids))
        c.unseen(key, len(ids))


def natural(text: bytes, option: str) -> int:
    value = to_int(text)
    if value < 0:
        raise errors.TrimNotNatural(option)
    return value


# -- add and remove


@command("XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] "
         "<* | id> field value [field value ...]", "write denyoom fast", since="5.0.0",
         complexity="O(1), and O(N) entries trimmed away")  # fmt: skip
def xadd(c: Session, key: bytes, *args: bytes) -> Reply:
    """Add an entry to a stream, and trim it if asked; gives the entry's id.

    > XADD orders * item book price 12
    "…-0"
    > XADD orders MAXLEN 1 * item pen
    "…"
    > XLEN orders
    (integer) 1
    """
    if args[0] == b"*" and len(args) % 2:  # the usual form
        stream = c.writable(key, Stream, create=True)
        id = new_id(c, stream, None, True)
        stream.append(id, args[1:])
        c.changed(key, b"xadd")
        c.journal(b"XADD", key, id_text(id), *args[1:])
        return id_text(id)
    trim = Trim()
    trim.read(args, True)
    text = args[trim.end] if trim.end < len(args) else b"*"
    asked, any_sequence = asked_id(text)
    trim.check(True)
    fields = args[trim.end + 1 :]
    if not fields or len(fields) % 2:
        raise errors.WrongArity("xadd")
    if asked == FIRST and not any_sequence:
        raise errors.IdZero
    stream = c.writable(key, Stream)
    if stream is None:
        if trim.must_exist:
            return None
        stream = Stream()
        c.put(key, stream)
    id = new_id(c, stream, asked, any_sequence)
    stream.append(id, fields)
    c.changed(key, b"xadd")
    if trim.apply(c, stream):
        c.event(key, b"xtrim")
    if trim.strategy:  # no word for Redis 7
        c.journal(b"XADD", key, id_text(id), *fields)
        if trim.wanted:
            trim.journal(c, key, stream)
    elif trim.approximate:
        first = (b"NOMKSTREAM",) if trim.must_exist else ()
        c.journal(b"XADD", key, *first, *trim.done(stream), id_text(id), *fields)
    elif any_sequence:
        c.journal(b"XADD", key, *args[: trim.end], id_text(id), *fields)
    return id_text(id)


def asked_id(text: bytes) -> tuple[Id | None, bool]:
    """The id that an entry shall have, and whether its sequence is open: ``5-*``, or ``*`` for any at all."""
    if text == b"*":
        return None, True
    ms, _, seq = text.partition(b"-")
    return to_id(ms if seq == b"*" else text), seq == b"*"


def new_id(c: Session, stream: Stream, asked: Id | None, any_sequence: bool) -> Id:
    """The id that a new entry gets: the one asked for, or the next."""
    last = stream.last_id
    if last == LAST:
        raise errors.IdsExhausted
    if asked is None:
        found = stream.next_id(c.now)
    elif any_sequence and asked[0] == last[0]:
        found = (last[0], last[1] + 1) if last[1] < LAST[1] else None
    else:
        found = asked
    if found is None or found <= last:
        raise errors.IdNotGreater
    return found


@command("XDEL key id [id ...]", "write fast", since="5.0.0", complexity="O(log N) an entry")
def xdel(c: Session, key: bytes, *ids: bytes) -> Reply:
    """Delete entries by id; gives how many there were. An emptied stream stays.

    > XADD orders 1-1 item book
    "1-1"
    > XDEL orders 1-1 9-9
    (integer) 1
    > XLEN orders
    (integer) 0
    """
    stream = c.writable(key, Stream)
    if stream is None:
        return 0
    gone = sum(map(stream.discard, to_ids(ids)))
    c.changed(key, b"xdel", gone)
    return gone


@command("XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]", "write",
         since="5.0.0", complexity="O(N) entries removed", arity=-4)  # fmt: skip
def xtrim(c: Session, key: bytes, *args: bytes) -> Reply:
    """Remove the oldest entries, down to a length or an id; gives how many went.

    > XADD orders 1-1 item book
    "1-1"
    > XADD orders 2-1 item pen
    "2-1"
    > XTRIM orders MAXLEN 1
    (integer) 1
    > XRANGE orders - +
    1) 1) "2-1"
       2) 1) "item"
          2) "pen"
    """
    trim = Trim()
    trim.read(args, False)
    trim.check(False)
    stream = c.writable(key, Stream)
    if stream is None:
        return 0
    gone = trim.apply(c, stream)
    c.changed(key, b"xtrim", gone)
    if gone and trim.strategy:
        trim.journal(c, key, stream)
    elif gone and trim.approximate:
        c.journal(b"XTRIM", key, *trim.done(stream))
    return gone


@command("XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]", "write denyoom fast",
         since="5.0.0", arity=-3)  # fmt: skip
def xsetid(c: Session, key: bytes, text: bytes, *args: bytes) -> Reply:
    """Set the last id of a stream, and its counters.

    > XADD orders 1-1 item book
    "1-1"
    > XSETID orders 5-0
    OK
    > XADD orders 5-* item pen
    "5-1"
    """
    id = to_id(text)
    added, deleted = history(id, args)
    stream = c.writable(key, Stream)
    if stream is None:
        raise errors.NoSuchKey
    if id < stream.max_deleted_id:
        raise errors.SetIdTooSmall("current max_deleted_entry_id")
    if stream.entries:
        if id < stream.top_id:
            raise errors.SetIdTooSmall("the target stream top item")
        if added is not None and added < len(stream):
            raise errors.EntriesAddedTooSmall
    stream.last_id = id
    if added is not None:
        stream.set_added(added)
    if deleted != FIRST:
        stream.max_deleted_id = deleted
    noted(c, key, b"xsetid")
    return OK


def history(id: Id, args: tuple[bytes, ...]) -> tuple[int | None, Id]:
    """Read XSETID's options: entries ever added, greatest id deleted."""
    added, deleted = None, FIRST
    for word, value in zip(args[::2], args[1::2], strict=False):
        if word.upper() == b"ENTRIESADDED":
            added = to_int(value)
            if added < 0:
                raise errors.EntriesAddedNegative
        elif word.upper() == b"MAXDELETEDID":
            deleted = to_id(value)
            if id < deleted:
                raise errors.SetIdTooSmall("the provided max_deleted_entry_id")
        else:
            raise errors.SyntaxError_
    if len(args) % 2:  # the word without a value is met last
        raise errors.SyntaxError_
    return added, deleted


# -- look


@command("XLEN key", "readonly fast", since="5.0.0")
def xlen(c: Session, key: bytes) -> Reply:
    """Give the number of entries, 0 when missing.

    > XADD orders 1-1 item book
    "1-1"
    > XADD orders 2-1 item pen
    "2-1"
    > XLEN orders
    (integer) 2
    """
    stream = c.readable(key, Stream)
    return 0 if stream is None else len(stream)


@command("XRANGE key start end [COUNT count]", "readonly", since="5.0.0",
         complexity="O(log N) + O(M) entries given")  # fmt: skip
def xrange(c: Session, key: bytes, start: bytes, end: bytes, *args: bytes) -> Reply:
    """Give the entries from one id to another, the oldest first.

    > XADD orders 1-1 item book
    "1-1"
    > XADD orders 2-1 item pen
    "2-1"
    > XRANGE orders - +
    1) 1) "1-1"
       2) 1) "item"
          2) "book"
    2) 1) "2-1"
       2) 1) "item"
          2) "pen"
    > XRANGE orders (1-1 + COUNT 10
    1) 1) "2-1"
       2) 1) "item"
          2) "pen"
    """
    return between(c, key, to_start(start), to_end(end), args, False)


@command("XREVRANGE key end start [COUNT count]", "readonly", since="5.0.0",
         complexity="O(log N) + O(M) entries given")  # fmt: skip
def xrevrange(c: Session, key: bytes, end: bytes, start: bytes, *args: bytes) -> Reply:
    """Give the entries from one id back to another, the newest first.

    > XADD orders 1-1 item book
    "1-1"
    > XADD orders 2-1 item pen
    "2-1"
    > XREVRANGE orders + - COUNT 1
    1) 1) "2-1"
       2) 1) "item"
          2) "pen"
    """
    return between(c, key, to_start(start), to_end(end), args, True)


def between(c: Session, key: bytes, first: Id, last: Id, args: tuple[bytes, ...], reverse: bool) -> Reply:
    """XRANGE and XREVRANGE. COUNT 0, or less, gives nil."""
    count = to_int(xrange.trailing(args)[b"COUNT"]) if args else None  # of several, the last
    stream = c.readable(key, Stream)
    if stream is None:
        return []
    if count is not None and count <= 0:
        return c.no_array
    return listed(stream.range(first, last, count or 0, reverse))
