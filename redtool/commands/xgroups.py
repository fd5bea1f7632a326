"""Consumer groups: make and remove them, acknowledge, look at and take over what is pending.

What is journalled names the outcome: an entry that changes hands is an XCLAIM with the time and count it has then.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.streams import id_text, listed, noted, to_edge, to_end, to_id, to_ids, to_start
from redtool.commands.table import declare_help, group
from redtool.engine.streams import FIRST, LAST, UNKNOWN_READ, Consumer, Group, Stream
from redtool.numeric import INT64_MAX, to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.streams import Id
    from redtool.resp import Reply
    from redtool.session import Argv, Session

command = group("stream")

TRIES = 10  # pending entries that XAUTOCLAIM looks at for each it may give


def text_of(word: bytes) -> str:
    """A key or name in an error text; a server's ends at a NUL."""
    return word.partition(b"\0")[0].decode("utf-8", "surrogateescape")


# -- what the journal gets


def claimed(key: bytes, name: bytes, found: Group, id: Id) -> Argv:
    """The command that makes an entry pending as it is now."""
    owner, when, count = found.pending[id]
    return (b"XCLAIM", key, name, owner, b"0", id_text(id), b"TIME", b"%d" % when, b"RETRYCOUNT", b"%d" % count,
            b"FORCE", b"JUSTID", b"LASTID", id_text(found.last_id))  # fmt: skip


def moved_on(key: bytes, name: bytes, found: Group) -> Argv:
    """The command that sets how far a group has come."""
    return (b"XGROUP", b"SETID", key, name, id_text(found.last_id), b"ENTRIESREAD", b"%d" % found.entries_read)


def consumer_of(c: Session, key: bytes, found: Group, name: bytes) -> Consumer:
    """The group's consumer of this name, made if need be; notes that it was seen."""
    consumer = found.consumers.get(name)
    if consumer is None:
        consumer = found.consumers[name] = Consumer(c.now)
        noted(c, key, b"xgroup-createconsumer")
    consumer.seen_ms = c.now
    return consumer


# -- XGROUP


def existing(c: Session, key: bytes) -> Stream:
    stream = c.writable(key, Stream)
    if stream is None:
        raise errors.GroupNeedsKey
    assert isinstance(stream, Stream)
    return stream


def group_of(c: Session, key: bytes, name: bytes) -> Group:
    found = existing(c, key).groups.get(name)
    if found is None:
        raise errors.NoGroup(text_of(name), text_of(key))
    return found


def group_options(args: tuple[bytes, ...], word: str) -> tuple[bool, int]:
    """Read ``[MKSTREAM] [ENTRIESREAD n]``: of CREATE both, of SETID the latter."""
    make, read, at = False, UNKNOWN_READ, 0
    while at < len(args):
        option = args[at].upper()
        if option == b"MKSTREAM" and word.upper() == "CREATE":
            make = True
            at += 1
        elif option == b"ENTRIESREAD" and at + 1 < len(args):
            read = to_int(args[at + 1])
            if read < UNKNOWN_READ:
                raise errors.EntriesReadNegative
            at += 2
        else:
            raise errors.SubcommandSyntax(word, "XGROUP")
    return make, read


@command("XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]", "write denyoom", since="5.0.0",
         arity=-5)  # fmt: skip
def xgroup_create(c: Session, key: bytes, name: bytes, text: bytes, *args: bytes) -> Reply:
    """Make a consumer group that reads on after an id; $ is the stream's last.

    > XADD orders 1-1 item book
    "1-1"
    > XGROUP CREATE orders packers 0
    OK
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    """
    make, read = group_options(args, "CREATE")
    stream = c.writable(key, Stream) if make else existing(c, key)
    if len(args) > 3:
        raise errors.SubcommandSyntax("CREATE", "XGROUP")
    id = (FIRST if stream is None else stream.last_id) if text == b"$" else to_id(text)
    if stream is None:
        stream = c.writable(key, Stream, create=True)
        c.changed(key, b"xgroup-create")
    elif name in stream.groups:
        raise errors.BusyGroup
    else:
        noted(c, key, b"xgroup-create")
    stream.groups[name] = Group(id, read)
    return OK


@command("XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]", "write", since="5.0.0", arity=-5)
def xgroup_setid(c: Session, key: bytes, name: bytes, text: bytes, *args: bytes) -> Reply:
    """Set how far a group has come: the id after which it reads on.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XGROUP SETID orders packers $
    OK
    > XREADGROUP GROUP packers ada STREAMS orders >
    (nil)
    """
    read = group_options(args, "SETID")[1]
    found = group_of(c, key, name)
    if len(args) > 2:
        raise errors.SubcommandSyntax("SETID", "XGROUP")
    found.last_id = existing(c, key).last_id if text == b"$" else to_edge(text, 0)
    found.entries_read = read
    noted(c, key, b"xgroup-setid")
    return OK


@command("XGROUP DESTROY key group", "write", since="5.0.0", complexity="O(N) entries pending")
def xgroup_destroy(c: Session, key: bytes, name: bytes) -> Reply:
    """Remove a group with its consumers and what is pending; 0 when missing.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XGROUP DESTROY orders packers
    (integer) 1
    > XGROUP DESTROY orders packers
    (integer) 0
    """
    if existing(c, key).groups.pop(name, None) is None:
        return 0
    noted(c, key, b"xgroup-destroy")
    if key in c.db.blocked:  # its consumers that wait get the error
        c.store.ready.append((c.db, key))
    return 1


@command("XGROUP CREATECONSUMER key group consumer", "write denyoom", since="6.2.0")
def xgroup_createconsumer(c: Session, key: bytes, name: bytes, consumer: bytes) -> Reply:
    """Add a consumer to a group; 0 when it is there.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XGROUP CREATECONSUMER orders packers ada
    (integer) 1
    > XGROUP CREATECONSUMER orders packers ada
    (integer) 0
    """
    found = group_of(c, key, name)
    if consumer in found.consumers:
        return 0
    consumer_of(c, key, found, consumer)
    return 1


@command("XGROUP DELCONSUMER key group consumer", "write", since="5.0.0", complexity="O(N) entries pending for it")
def xgroup_delconsumer(c: Session, key: bytes, name: bytes, consumer: bytes) -> Reply:
    """Remove a consumer and what is pending for it; gives how many entries that were.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XGROUP DELCONSUMER orders packers ada
    (integer) 1
    """
    found = group_of(c, key, name)
    if consumer not in found.consumers:
        return 0
    gone = found.remove_consumer(consumer)
    noted(c, key, b"xgroup-delconsumer")
    return gone


declare_help(command, "XGROUP", since="5.0.0")


# -- pending entries


@command("XACK key group id [id ...]", "write fast", since="5.0.0", complexity="O(log N) an entry")
def xack(c: Session, key: bytes, name: bytes, *texts: bytes) -> Reply:
    """Acknowledge entries, so that they are no longer pending; gives how many were.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XACK orders packers 1-1 9-9
    (integer) 1
    """
    stream = c.readable(key, Stream)
    found = None if stream is None else stream.groups.get(name)
    if found is None:
        return 0
    gone = sum(map(found.release, to_ids(texts)))
    c.unseen(key, gone)
    return gone


def pending_in(c: Session, key: bytes, name: bytes) -> tuple[Stream, Group]:
    stream = c.readable(key, Stream)
    found = None if stream is None else stream.groups.get(name)
    if found is None:
        raise errors.NoGroupOrKey(text_of(key), text_of(name))
    return stream, found


@command("XPENDING key group [[IDLE min-idle-time] start end count [consumer]]", "readonly", since="5.0.0",
         complexity="O(N) entries looked at", arity=-3)  # fmt: skip
def xpending(c: Session, key: bytes, name: bytes, *args: bytes) -> Reply:
    """Give a summary of what is pending in a group, or the entries in a range.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XPENDING orders packers
    1) (integer) 1
    2) "1-1"
    3) "1-1"
    4) 1) 1) "ada"
          2) "1"
    """
    if not args:
        return summary(c, pending_in(c, key, name)[1])
    least = 0
    if not 3 <= len(args) <= 6:
        raise errors.SyntaxError_
    if args[0].upper() == b"IDLE":
        least = to_int(args[1])
        if len(args) < 5:
            raise errors.SyntaxError_
        args = args[2:]
    count = to_int(args[2])
    first, last = to_start(args[0]), to_end(args[1])
    found = pending_in(c, key, name)[1]
    order = found.owned(args[3]) if len(args) > 3 else found.order
    out: list[Reply] = []
    for id in order.between(first, last, 0 if least > 0 else max(count, 0)) if count > 0 else ():
        owner, when, times = found.pending[id]
        idle = max(0, c.now - when)
        if idle >= least:
            out.append([id_text(id), owner, idle, times])
            if len(out) == count:
                break
    return out


def summary(c: Session, found: Group) -> Reply:
    """How many are pending, the least and the greatest id, and how many for each consumer."""
    if not found.pending:
        return [0, None, None, c.no_array]
    order = found.order
    owners = [(name, len(found.owned(name))) for name in sorted(found.consumers)]
    shares: list[Reply] = [[name, b"%d" % count] for name, count in owners if count]
    return [len(order), id_text(order.first()), id_text(order.ids[-1]), shares]


# -- taking over


class Claim:
    """The options of XCLAIM. ``count`` is None where each delivery counts one more."""

    __slots__ = ("count", "force", "just_id", "last_id", "when")

    def __init__(self, args: tuple[bytes, ...], now: int) -> None:
        self.count: int | None = None
        self.force = self.just_id = False
        self.last_id = FIRST
        self.when, at = now, 0
        while at < len(args):
            at += self._option(args, at, now)

    def _option(self, args: tuple[bytes, ...], at: int, now: int) -> int:
        """Read one option; give how many words it had."""
        word = args[at].upper()
        if word in (b"FORCE", b"JUSTID"):
            self.force |= word == b"FORCE"
            self.just_id |= word == b"JUSTID"
            return 1
        if word not in (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID") or at + 1 == len(args):
            raise errors.ClaimOption(text_of(args[at]))
        if word == b"LASTID":
            self.last_id = to_id(args[at + 1])
            return 2
        value = to_claim(args[at + 1], f"{word.decode()} option", "XCLAIM")
        if word == b"RETRYCOUNT":
            self.count = value if value >= 0 else None
        else:
            when = now - value if word == b"IDLE" else value
            self.when = when if 0 <= when <= now else now
        return 2


def leading_ids(args: tuple[bytes, ...]) -> list[Id]:
    """Read ids up to the first word that is none: options from there on."""
    ids: list[Id] = []
    for text in args:
        try:
            ids.append(to_id(text))
        except errors.InvalidStreamId:
            break
    return ids


def to_claim(text: bytes, what: str, name: str) -> int:
    try:
        return to_int(text)
    except errors.NotInteger:
        raise errors.ClaimArgument(what, name) from None


@command("XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] "
         "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]", "write fast", since="5.0.0",
         complexity="O(log N) an entry", arity=-6)  # fmt: skip
def xclaim(c: Session, key: bytes, name: bytes, consumer: bytes, idle: bytes, *args: bytes) -> Reply:
    """Make pending entries this consumer's own; gives them.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XCLAIM orders packers grace 0 1-1
    1) 1) "1-1"
       2) 1) "item"
          2) "book"
    """
    stream, found = pending_in(c, key, name)
    least = to_claim(idle, "min-idle-time", "XCLAIM")
    ids = leading_ids(args)
    want = Claim(args[len(ids) :], c.now)
    taking = Taking(c, key, name, stream, found, consumer)
    moved = want.last_id > found.last_id
    if moved:
        found.last_id = want.last_id
    for id in ids:
        if taking.lost(id):
            moved = False  # the journalled XCLAIM says how far the group has come
        elif id in stream.entries and (id in found.pending or want.force) and taking.idle(id) >= least:
            taking.take(id, want.when, want.count, want.just_id)
            moved = False
    if moved:
        c.journal(*moved_on(key, name, found))
        c.unseen(key)
    taking.finish()
    return taking.reply(want.just_id)


@command("XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]", "write fast", since="6.2.0",
         complexity="O(N) entries looked at, 10 for each that COUNT allows", arity=-6)  # fmt: skip
def xautoclaim(c: Session, key: bytes, name: bytes, consumer: bytes, idle: bytes, start: bytes,
               *args: bytes) -> Reply:  # fmt: skip
    """Make entries pending for long this consumer's own; gives a cursor and them.

    > XGROUP CREATE orders packers $ MKSTREAM
    OK
    > XADD orders 1-1 item book
    "1-1"
    > XREADGROUP GROUP packers ada STREAMS orders >
    1) 1) "orders"
       2) 1) 1) "1-1"
             2) 1) "item"
                2) "book"
    > XAUTOCLAIM orders packers grace 0 0-0
    1) "0-0"
    2) 1) 1) "1-1"
          2) 1) "item"
             2) "book"
    3) (empty array)
    """
    try:
        least = max(0, to_claim(idle, "min-idle-time", "XAUTOCLAIM"))
        first = to_start(start)
        count, just_id = auto_options(args)
    except errors.ReplyError:
        if c.db.get(key) is None:  # a server looks for the key first
            c.missed(key)
        raise
    stream, found = pending_in(c, key, name)
    taking = Taking(c, key, name, stream, found, consumer)
    gone: list[Reply] = []
    cursor = b"0-0"
    tries, left = count * TRIES, count
    for id in found.order.between(first, LAST, tries + 1):
        if not tries or not left:
            cursor = id_text(id)
            break
        tries -= 1
        if taking.lost(id):
            gone.append(id_text(id))
            left -= 1
        elif taking.idle(id) >= least:
            taking.take(id, c.now, None, just_id)
            left -= 1
    taking.finish()
    return [cursor, taking.reply(just_id), gone]


def auto_options(args: tuple[bytes, ...]) -> tuple[int, bool]:
    """Read ``[COUNT count] [JUSTID]``."""
    count, just_id, at = 100, False, 0
    while at < len(args):
        word = args[at].upper()
        if word == b"JUSTID":
            just_id = True
            at += 1
        elif word == b"COUNT" and at + 1 < len(args):
            count = to_int(args[at + 1], errors.CountTooSmall)
            if not 1 <= count <= INT64_MAX // 16:  # a server allocates an id for each
                raise errors.CountTooSmall
            at += 2
        else:
            raise errors.SyntaxError_
    return count, just_id


class Taking:
    """Entries of a group on their way to one consumer, with what the journal gets of it."""

    __slots__ = ("c", "consumer", "found", "key", "made", "name", "owner", "stream", "taken")

    def __init__(self, c: Session, key: bytes, name: bytes, stream: Stream, found: Group, consumer: bytes) -> None:
        self.c, self.key, self.name, self.stream, self.found = c, key, name, stream, found
        self.consumer = consumer
        self.made = consumer not in found.consumers
        self.owner = consumer_of(c, key, found, consumer)
        self.taken: list[Id] = []
        c.journal()

    def lost(self, id: Id) -> bool:
        """Tell whether a pending entry was deleted from the stream; then it is pending no more."""
        if id in self.stream.entries or id not in self.found.pending:
            return False
        self.c.journal(*claimed(self.key, self.name, self.found, id))
        self.c.unseen(self.key)
        self.found.release(id)
        return True

    def idle(self, id: Id) -> int:
        """For how many ms the entry has been pending; for ever when it is not."""
        delivery = self.found.pending.get(id)
        return INT64_MAX if delivery is None else self.c.now - int(delivery[1])

    def take(self, id: Id, when: int, count: int | None, just_id: bool) -> None:
        if count is None:
            delivery = self.found.pending.get(id)
            count = (1 if delivery is None else int(delivery[2])) + (not just_id)
        self.found.deliver(id, self.consumer, when, count)
        self.owner.active_ms = self.c.now
        self.c.journal(*claimed(self.key, self.name, self.found, id))
        self.c.unseen(self.key)
        self.taken.append(id)

    def finish(self) -> None:
        """Journal a consumer that got nothing; one that got an entry comes with it."""
        if self.made and not self.taken:
            self.c.journal(b"XGROUP", b"CREATECONSUMER", self.key, self.name, self.consumer)

    def reply(self, just_id: bool) -> list[Reply]:
        if just_id:
            return [id_text(id) for id in self.taken]
        return listed((id, self.stream.entries[id]) for id in self.taken)
