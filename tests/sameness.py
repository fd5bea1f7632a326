"""When replies, keyspace events and datasets of two servers are as good as equal, though not the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import hiredis

from redtool import words
from redtool.grammar import CONTAINERS
from tests import embedded, servers, wire
from tests.dialects import Dialect
from tests.program import SCRIPTS, Argv
from tests.samples import STRAY
from tests.wire import Tree

# Where ours are Redis's texts and Valkey has others of its own.
REWORDED = {"HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME",
            "HPERSIST", "HGETEX", "HSETEX", "HGETDEL"}  # fmt: skip
TTL_TOLERANCE = 5000  # ms between two clocks read one after the other


def shown(word: bytes) -> str:
    text = words.quote(word).decode()
    return text[1:-1] if word and text[1:-1] == word.decode("latin-1") and b" " not in word else text


def name_of(argv: Argv) -> str:
    """The name of a command, or of the one within a script."""
    return bare(argv)[0].decode("latin-1").upper()


def bare(argv: Argv) -> Argv:
    """A command, out of the script that it is within."""
    return argv[3:] if argv[0] == b"EVAL" and len(argv) > 3 and argv[1] in SCRIPTS else argv


def rule_of(argv: Argv) -> str:
    """What RULES calls a command: subcommands by two words."""
    name, *rest = (word.decode("latin-1").upper() for word in bare(argv)[:2])
    return f"{name} {rest[0]}" if rest and name in CONTAINERS else name


def reply_of(name: str, data: bytes) -> Tree:
    """A reply; a score of -0 is 0, for which of them a server keeps depends on the encoding of the sorted set."""
    tree = wire.parse(data)
    return wire.without_negative_zero(tree) if "Z" in name or name == "EXEC" else tree


def has_scores(name: str) -> bool:
    """Whether scores may be in a command's reply."""
    return "Z" in name or name.startswith("GEO") or name in ("EXEC", "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO")


def tolerated(name: str, argv: Argv, ours: Tree, theirs: Tree, dialect: Dialect) -> bool:
    """Whether an error that the other side does not give, or words differently, is one of those known."""
    known = dialect.tolerates.get(name)
    if known is not None and any(wire.is_error(tree) and re.search(known.encode(), tree[1]) for tree in (ours, theirs)):
        return True
    return wire.is_error(ours) and wire.is_error(theirs) and (argv[-1] == STRAY or name in REWORDED)


def ordered(tree: Tree) -> Tree:
    return wire.unordered(tree)


def leaves(tree: Tree) -> set[Tree]:
    """The strings and numbers in a reply."""
    if tree[0] in wire.AGGREGATES:
        return {leaf for item in tree[1] for leaf in leaves(item)}
    return set() if tree in wire.NULLS else {tree}


def same_unordered(ours: Tree, theirs: Tree) -> bool:
    return wire.unordered(ours) == wire.unordered(theirs)


def same_at_any_depth(ours: Tree, theirs: Tree) -> bool:
    return settled(ours) == settled(theirs)


def same_texts(ours: Tree, theirs: Tree) -> bool:
    """The same at any depth, simple strings or not."""
    return settled(simple(ours)) == settled(simple(theirs))


def simple(tree: Tree) -> Tree:
    if tree[0] in wire.AGGREGATES:
        return (tree[0], [simple(item) for item in tree[1]])
    return ("+", tree[1]) if tree[0] == "$" else tree


def settled(tree: Tree) -> Tree:
    """A reply with all its aggregates in an order of their own."""
    return wire.unordered((tree[0], [settled(item) for item in tree[1]])) if tree[0] in wire.AGGREGATES else tree


def same_pairs(ours: Tree, theirs: Tree) -> bool:
    return wire.unordered(ours, 2) == wire.unordered(theirs, 2)


def same_mark(ours: Tree, theirs: Tree) -> bool:
    """Both a number, whichever, or both nil."""
    return ours[0] == theirs[0] == ":"


def same_seconds(ours: Tree, theirs: Tree) -> bool:
    return wire.near(ours, theirs, 2)


def same_milliseconds(ours: Tree, theirs: Tree) -> bool:
    return wire.near(ours, theirs, TTL_TOLERANCE)


def all_near(same: Callable[[Tree, Tree], bool]) -> Callable[[Tree, Tree], bool]:
    """The rule for a list of what ``same`` compares; for anything else, be equal."""

    def near(ours: Tree, theirs: Tree) -> bool:
        left, right = wire.items_of(ours), wire.items_of(theirs)
        return ours == theirs or (len(left) == len(right) > 0 and wire.all_match(zip(left, right, strict=True), same))

    return near


# In XINFO's replies, labels of a time, and of what depends on how a stream came to be.
LABELS = (b"idle", b"inactive", b"seen-time", b"active-time", b"radix-tree-keys", b"radix-tree-nodes")


def same_but_for_times(ours: Tree, theirs: Tree) -> bool:
    """Replies of XPENDING and XINFO: times may differ a little, behind their label or in a list of pending entries."""
    left, right = wire.items_of(ours), wire.items_of(theirs)
    if ours[0] == theirs[0] == ":":
        return ours == theirs or (min(ours[1], theirs[1]) > 10**12 and same_milliseconds(ours, theirs))
    if not left or ours[0] != theirs[0] or len(left) != len(right):
        return ours == theirs
    pending = len(left) == 4 and left[0][0] == left[1][0] == "$" and left[2][0] == left[3][0] == ":"
    for at, (mine, other) in enumerate(zip(left, right, strict=True)):
        timed = (pending and at == 2) or (at and left[at - 1] in [("$", label) for label in LABELS])
        if mine != other and not (timed and same_milliseconds(mine, other)) and not same_but_for_times(mine, other):
            return False
    return True


RULES: dict[str, Callable[[Tree, Tree], bool]] = {
    **dict.fromkeys(("SMEMBERS", "SINTER", "SUNION", "SDIFF", "KEYS", "HKEYS", "HVALS"), same_unordered),
    "HGETALL": same_pairs,
    **dict.fromkeys(("TTL", "EXPIRETIME"), same_seconds),
    **dict.fromkeys(("PTTL", "PEXPIRETIME"), same_milliseconds),
    **dict.fromkeys(("HTTL", "HEXPIRETIME"), all_near(same_seconds)),
    **dict.fromkeys(("HPTTL", "HPEXPIRETIME"), all_near(same_milliseconds)),
    **dict.fromkeys(("XPENDING", "XINFO STREAM", "XINFO CONSUMERS", "XINFO GROUPS"), same_but_for_times),
    **dict.fromkeys(("PUBSUB CHANNELS", "ACL CAT"), same_unordered),
    "FUNCTION LIST": same_texts,  # flags are simple strings in Redis
    "COMMAND GETKEYSANDFLAGS": same_at_any_depth,  # the flags of a key
    "OBJECT IDLETIME": same_mark,  # of a shared number it is anything
    "OBJECT REFCOUNT": same_mark,  # small numbers are shared in Redis 7
    "CONFIG GET": same_pairs,
    "MEMORY USAGE": same_mark,
}

READERS: dict[bytes, tuple[tuple[bytes, ...], Callable[[Tree], Tree]]] = {
    b"string": ((b"GET",), lambda tree: tree),
    b"list": ((b"LRANGE", b"0", b"-1"), lambda tree: tree),
    b"hash": ((b"HGETALL",), lambda tree: wire.unordered(tree, 2)),
    b"set": ((b"SMEMBERS",), wire.unordered),
    b"zset": ((b"ZRANGE", b"0", b"-1", b"WITHSCORES"), lambda tree: tree),
    b"stream": ((b"XRANGE", b"-", b"+"), lambda tree: tree),
}

Entry = tuple[bytes, Tree, Tree, Tree]  # type, value, deadline, deadlines of fields in their order


def dataset(client: Any) -> dict[tuple[int, bytes], Entry]:
    """Every key of the databases in use."""
    out: dict[tuple[int, bytes], Entry] = {}
    for index in range(3):
        client.call("SELECT", index)
        for key in client.call("KEYS", "*"):
            kind = client.call("TYPE", key)
            (command, *rest), normal = READERS[kind]
            value = normal(reply_of(command.decode(), client.wire(command, key, *rest)))
            when = wire.parse(client.wire("PEXPIRETIME", key))
            out[index, key] = (kind, value, when, field_deadlines(client, key, kind))
    return out


def field_deadlines(client: Any, key: bytes, kind: bytes) -> Tree:
    """The deadlines of a hash's fields; nil for other types, and where the server has no such thing."""
    if kind != b"hash":
        return wire.NULL
    fields = sorted(client.call("HKEYS", key))
    found = wire.parse(client.wire("HPEXPIRETIME", key, "FIELDS", len(fields), *fields))
    return wire.NULL if wire.is_error(found) else found


def same_entry(left: Entry, right: Entry, dialect: Dialect) -> bool:
    timed = wire.NULL in (left[3], right[3]) or all_near(same_milliseconds)(left[3], right[3])
    scored = left[0] == b"zset"
    same = left[1] == right[1] or dialect.plain(left[1], scored) == dialect.plain(right[1], scored)
    return same and left[0] == right[0] and same_milliseconds(left[2], right[2]) and timed


def entry_text(entry: Entry | None) -> str:
    if entry is None:
        return "missing"
    return f"{entry[0].decode()} {wire.show(entry[1])} until {wire.show(entry[2])}, fields {wire.show(entry[3])}"


class Events:
    """What an engine and a server tell of their keys: the messages of every ``__keyevent@`` channel."""

    def __init__(self, store: Any, server: servers.RealServer, dialect: Dialect) -> None:
        self.dialect = dialect
        self.vague = False  # which keys were missed is up to the order of a set
        self.ours = embedded.Client(store)
        self.server, self.theirs = server, server.client()
        for client in (self.ours, self.theirs):
            client.call("CONFIG", "SET", "notify-keyspace-events", dialect.notify)
            client.call("PSUBSCRIBE", "__keyevent@*")
            client.call("SUBSCRIBE", "so far")
        self.reader = hiredis.Reader()

    def take(self) -> tuple[list[str], list[str]]:
        """The events since the last time, each as ``database event key``."""
        inbox = self.ours.session.inbox
        ours = [event_text(message) for message in inbox]
        inbox.clear()
        self.server.call("PUBLISH", "so far", "")
        theirs: list[str] = []
        while True:
            message = self.reader.gets()
            if message is False:
                self.reader.feed(self.theirs.receive_wire())
            elif message[0] == b"message":
                told = self.told(ours), self.told(theirs)
                self.vague = False
                return told
            else:
                theirs.append(event_text(message))

    def told(self, events: list[str]) -> list[str]:
        """What is compared: misses apart, for SORT looks at the keys of a set's members in any order."""
        missed = sorted(event for event in events if " keymiss " in event and not self.vague)
        others = without_expired([event for event in events if " keymiss " not in event])
        return [event for event in others if self.dialect.heard(event)] + missed

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


def without_expired(events: list[str]) -> list[str]:
    """Tell as Redis of keys and fields given a time that has passed: ``del`` and ``hdel`` where Valkey has ``expired``
    and ``hexpire, hexpired``."""
    out: list[str] = []
    for event in events:
        event = event.replace(" hexpired ", " hdel ").replace(" expired ", " del ")
        if " hdel " in event and out and out[-1] == event.replace(" hdel ", " hexpire "):
            out.pop()
        out.append(event)
    return out


def event_text(message: Any) -> str:
    database, event = message[2].removeprefix(b"__keyevent@").split(b"__:")
    return f"{database.decode()} {event.decode()} {shown(message[3])};"
