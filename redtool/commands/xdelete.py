"""XDELEX and XACKDEL: delete entries of a stream with regard to the groups that still have to do with them."""

from __future__ import annotations

from redtool import errors
from redtool.commands.streams import STRATEGIES, acknowledged, id_text, to_ids
from redtool.commands.table import group
from redtool.engine.streams import Stream
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.streams import Id
    from redtool.resp import Reply
    from redtool.session import Session

command = group("stream")

MISSING, DONE, KEPT = -1, 1, 2  # what becomes of an entry; KEPT while a group has not acknowledged it


def read(args: tuple[bytes, ...]) -> tuple[bytes, tuple[bytes, ...]]:
    """Read ``[KEEPREF | DELREF | ACKED] IDS numids id …`` in any order; of several lists the last counts."""
    strategy, at = b"", 0
    texts: tuple[bytes, ...] = ()
    while at < len(args):
        word, more = args[at].upper(), len(args) - at - 1
        if word in STRATEGIES and not strategy:
            strategy = word
            at += 1
        elif word == b"IDS" and more:
            count = to_int(args[at + 1], errors.IdCount)
            if count <= 0:
                raise errors.IdCount
            if count >= more:
                raise errors.IdCountDiffers
            texts = args[at + 2 : at + 2 + count]
            at += 2 + count
        else:
            raise errors.SyntaxError_
    if not texts:
        raise errors.SyntaxError_
    return strategy or b"KEEPREF", texts


def delete(c: Session, key: bytes, stream: Stream, ids: list[Id], strategy: bytes) -> list[int]:
    """Delete entries as far as the strategy lets; gives what became of each. Journalled as XDEL and XACK."""
    out: list[int] = []
    gone: list[Id] = []
    released: dict[bytes, list[Id]] = {}
    for id in ids:
        if strategy == b"ACKED" and stream.referenced(id):
            out.append(KEPT)
            continue
        if strategy == b"DELREF":
            stream.release(id, released)
        there = stream.discard(id)
        out.append(DONE if there else MISSING)
        if there:
            gone.append(id)
    if gone:
        c.journal(b"XDEL", key, *map(id_text, gone))
        c.changed(key, b"xdel", len(gone))
    acknowledged(c, key, released)
    return out


@command("XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", "write fast", since="8.2.0",
         complexity="O(log N) an entry", arity=-5)  # fmt: skip
def xdelex(c: Session, key: bytes, *args: bytes) -> Reply:
    """Delete entries by id, also from what groups have pending, or only those done.

    KEEPREF leaves the ids pending, DELREF acknowledges them in every group, ACKED deletes only what every group has
    read and acknowledged. Gives for each id 1 when it was deleted, -1 when it was not there, 2 when a group needs it.

    > XADD orders 1-1 item book
    "1-1"
    > XGROUP CREATE orders shop 0
    OK
    > XDELEX orders ACKED IDS 2 1-1 9-9
    1) (integer) 2
    2) (integer) 2
    > XDELEX orders IDS 2 1-1 9-9
    1) (integer) 1
    2) (integer) -1
    """
    stream = c.writable(key, Stream)
    strategy, texts = read(args)
    if stream is None:
        return [MISSING] * len(texts)
    return delete(c, key, stream, to_ids(texts), strategy)


@command("XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]", "write fast", since="8.2.0",
         complexity="O(log N) an entry", arity=-6)  # fmt: skip
def xackdel(c: Session, key: bytes, name: bytes, *args: bytes) -> Reply:
    """Acknowledge entries for a group and delete them.

    The words are XDELEX's. Gives for each id 1 when it was deleted, -1 when it was not pending for the group, 2 when
    it was only acknowledged, since another group needs it.

    > XADD orders 1-1 item book
    "1-1"
    > XGROUP CREATE orders shop 0
    OK
    > XREADGROUP GROUP shop clerk COUNT 1 STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XACKDEL orders shop IDS 2 1-1 9-9
    1) (integer) 1
    2) (integer) -1
    """
    stream = c.writable(key, Stream)
    found = None if stream is None else stream.groups.get(name)
    strategy, texts = read(args)
    if stream is None or found is None:
        return [MISSING] * len(texts)
    ids = to_ids(texts)
    mine = [id for id in dict.fromkeys(ids) if found.release(id)]
    acknowledged(c, key, {name: mine} if mine else {})
    fates = dict(zip(mine, delete(c, key, stream, mine, strategy), strict=True))
    # What was pending but had been deleted before counts as deleted; an id named again is no longer pending.
    return [(KEPT if fates.pop(id) == KEPT else DONE) if id in fates else MISSING for id in ids]
