"""XREAD and XREADGROUP: what came after an id, for one reader or for the consumers of a group; both may wait."""

from __future__ import annotations

from redtool import errors
from redtool.commands.streams import id_text, listed, to_id
from redtool.commands.table import group
from redtool.commands.xgroups import claimed, consumer_of, moved_on, text_of
from redtool.engine.streams import FIRST, Stream, after, before
from redtool.numeric import INT64_MAX, to_int
from redtool.resp import Pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.streams import Group, Id
    from redtool.resp import Reply
    from redtool.session import Session

    Part = tuple[bytes, list[Reply]]  # a key, and the entries of its stream

command = group("stream")


class Reading:
    """The arguments of XREAD and XREADGROUP. ``starts`` are the texts of the ids, ``block`` how many ms to wait."""

    __slots__ = ("block", "consumer", "count", "group", "keys", "noack", "starts")

    def __init__(self, args: tuple[bytes, ...], grouped: bool) -> None:
        self.block: int | None = None
        self.count = 0
        self.group: bytes | None = None
        self.consumer = b""
        self.noack = False
        at = self._options(args, grouped)
        count = len(args) - at
        if count % 2:
            raise errors.UnbalancedStreams("xreadgroup" if grouped else "xread", ">" if grouped else "$")
        if grouped and self.group is None:
            raise errors.GroupMissing
        self.keys, self.starts = args[at : at + count // 2], args[at + count // 2 :]

    def _options(self, args: tuple[bytes, ...], grouped: bool) -> int:
        """Read up to STREAMS; give the place after it."""
        at = 0
        while at < len(args):
            word, more = args[at].upper(), len(args) - at - 1
            if word == b"STREAMS" and more:
                return at + 1
            if word == b"BLOCK" and more:
                self.block = to_ms(args[at + 1])
                at += 2
            elif word == b"COUNT" and more:
                self.count = max(0, to_int(args[at + 1]))
                at += 2
            elif word == b"GROUP" and more >= 2:
                if not grouped:
                    raise errors.OnlyXreadgroup("GROUP")
                self.group, self.consumer = args[at + 1 : at + 3]
                at += 3
            elif word == b"NOACK":
                if not grouped:
                    raise errors.OnlyXreadgroup("NOACK")
                self.noack = True
                at += 1
            else:
                break
        raise errors.SyntaxError_


def to_ms(text: bytes) -> int:
    """Parse how many ms to wait; 0 is for ever."""
    ms = to_int(text, errors.TimeoutNotInteger)
    if ms < 0:
        raise errors.TimeoutNegative
    if ms > INT64_MAX // 2:  # far enough for any clock to be added to it
        raise errors.TimeoutOutOfRange
    return ms


def reply(c: Session, parts: list[Part]) -> Reply:
    """A map from key to entries in RESP3, a list of pairs in RESP2."""
    if c.proto == 2:
        return [list(part) for part in parts]
    found = dict(parts)
    return found if len(found) == len(parts) else Pairs(list(part) for part in parts)


# -- XREAD


@command("XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]", "readonly blocking movablekeys",
         since="5.0.0", complexity="O(M) entries given", arity=-4)  # fmt: skip
def xread(c: Session, *args: bytes) -> Reply:
    """Give the entries after an id of one or more streams; can wait for some.

    > XADD orders 1-1 item book
    "1-1"
    > XREAD COUNT 10 STREAMS orders 0
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XREAD BLOCK 100 STREAMS orders $
    (nil)
    """
    want = Reading(args, False)
    starts = [start_of(c, key, text) for key, text in zip(want.keys, want.starts, strict=True)]
    parts: list[Part] = []
    for key, start in zip(want.keys, starts, strict=True):
        stream = c.readable(key, Stream)
        first = after(start)
        if stream is not None and first is not None and stream.entries and stream.top_id >= first:
            parts.append((key, listed(stream.range(first, count=want.count))))
    if parts:
        return reply(c, parts)
    if want.block is None:
        return c.no_array
    fixed = (b"XREAD", *args[: len(args) - len(starts)], *map(id_text, starts))
    return c.wait(want.keys, want.block / 1000, Stream, fixed)


def start_of(c: Session, key: bytes, text: bytes) -> Id:
    """The id to read on from: ``$`` is the stream's last, ``+`` the one before it."""
    stream = c.readable(key, Stream)
    if text == b"$":
        return FIRST if stream is None else stream.last_id
    if text == b"+":
        return FIRST if stream is None else before(stream.last_id) or FIRST
    if text == b">":
        raise errors.NewEntriesOnlyXreadgroup
    return to_id(text)


# -- XREADGROUP


@command("XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
         "write blocking movablekeys", since="5.0.0", complexity="O(M) entries given", arity=-7)  # fmt: skip
def xreadgroup(c: Session, *args: bytes) -> Reply:
    """Give a group's consumer new entries (id >), or those it has not acknowledged.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada COUNT 10 STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XREADGROUP GROUP packers ada STREAMS orders >
    (nil)
    """
    want = Reading(args, True)
    plan = [joined(c, want, key, text) for key, text in zip(want.keys, want.starts, strict=True)]
    c.journal()
    parts: list[Part] = []
    for key, (stream, found, start) in zip(want.keys, plan, strict=True):
        made = want.consumer not in found.consumers
        consumer_of(c, key, found, want.consumer)
        before_this = len(c.effects or ())
        if start is not None:
            c.unseen(key)
            parts.append((key, pending(c, want, key, stream, found, start)))
        elif stream.entries and stream.top_id > found.last_id:
            parts.append((key, deliver(c, want, key, stream, found)))
        if made and (want.noack or len(c.effects or ()) == before_this):
            c.journal(b"XGROUP", b"CREATECONSUMER", key, want.group or b"", want.consumer)
    if parts:
        return reply(c, parts)
    return c.no_array if want.block is None else c.wait(want.keys, want.block / 1000, Stream, gone=True)


def joined(c: Session, want: Reading, key: bytes, text: bytes) -> tuple[Stream, Group, Id | None]:
    """The stream, its group, and from where on to read the consumer's pending entries; None for new ones."""
    stream = c.readable(key, Stream)
    found = None if stream is None else stream.groups.get(want.group)
    if found is None:
        raise errors.NoGroupToRead(text_of(key), text_of(want.group or b""))
    if text in (b"$", b"+"):
        raise errors.IdMeaningless(text.decode())
    return stream, found, None if text == b">" else to_id(text)


def deliver(c: Session, want: Reading, key: bytes, stream: Stream, found: Group) -> list[Reply]:
    """Give entries that no consumer of the group has had; they are pending from now on unless NOACK."""
    first = after(found.last_id)
    entries = [] if first is None else stream.range(first, count=want.count)
    name, now = want.consumer, c.now
    for id, _ in entries:
        stream.advance(found, id)
        if not want.noack:
            found.deliver(id, name, now, 1)
            c.journal(*claimed(key, want.group or b"", found, id))
    if not want.noack:
        found.consumers[name].active_ms = now
    c.journal(*moved_on(key, want.group or b"", found))
    c.unseen(key)
    return listed(entries)


def pending(c: Session, want: Reading, key: bytes, stream: Stream, found: Group, start: Id) -> list[Reply]:
    """Give a consumer the entries it has not acknowledged, once more; without fields those deleted since.

    A server journals nothing here, so it forgets how often they were delivered; redtool does not.
    """
    first = after(start)
    out: list[Reply] = []
    for id in found.owned(want.consumer).between(first, count=want.count) if first else ():
        fields = stream.entries.get(id)
        if fields is not None:
            found.deliver(id, want.consumer, c.now, found.pending[id][2] + 1)
            c.journal(*claimed(key, want.group or b"", found, id))
        out.append([id_text(id), c.no_array if fields is None else list(fields)])
    return out
