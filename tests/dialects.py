"""What real servers lack, or word otherwise than redtool, each with its reason.

Option words and commands that a server does not have come from its own COMMAND DOCS and COMMAND INFO.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from redtool.commands.table import Command
from redtool.engine import geo
from redtool.errors import ReplyError
from redtool.notation import TOKEN, Node
from tests import servers, wire
from tests.wire import Tree

Argv = tuple[bytes, ...]

# Words that servers know although their COMMAND DOCS do not have them.
UNWRITTEN = {b"", b"#", b"=", b"~", b"*", b"+", b"-", b"$", b">", b"M", b"KM", b"FT", b"MI"}
UNWRITTEN_OF = {"BITOP": {b"AND", b"OR", b"XOR", b"NOT"}}

INTEGER = re.compile(rb"0|-?[1-9]\d{0,17}")
FAR = b"-9223372036854775808"
NUMBER = re.compile(rb"-?\d[\d.]*(e[+-]?\d+)?")


@dataclass
class Dialect:
    """One server's ways. ``texts``: what it writes in errors -> what redtool writes. ``labels``: of maps, not there.

    ``quiet`` are keyspace events that it does not send at all times. ``refuses`` says which lines are too new for it
    although each word is known.
    """

    texts: Sequence[tuple[str, str, str]] = ()  # pattern, ours, reason
    labels: frozenset[bytes] = frozenset()
    notify: str = "EAmn"  # which keyspace events are compared
    digits: bool = False  # doubles in %.17g
    quiet: frozenset[str] = frozenset()
    refuses: dict[str, Callable[[Argv], bool]] = field(default_factory=dict)
    refuses_in_scripts: dict[str, Callable[[Argv], bool]] = field(default_factory=dict)
    tolerates: dict[str, str] = field(default_factory=dict)  # command -> an error that one side may give alone
    encodings: Sequence[set[bytes]] = ()  # one is as good as the other
    unwatched: frozenset[str] = frozenset()  # commands that spoil a transaction only sometimes
    introduced: frozenset[str] = frozenset()  # commands whose consumer must be there
    skipped: dict[str, str] = field(default_factory=dict)  # command -> reason

    def plain(self, tree: Tree, scores: bool = False) -> Tree:
        """A reply of either side with what is worded differently made the same; there may be ``scores`` in it."""
        mark, value = tree
        if mark in wire.AGGREGATES:
            return (mark, list(self._without_labels([self.plain(item, scores) for item in value])))
        if mark == "-":
            for pattern, ours, _ in self.texts:
                value = re.sub(pattern.encode(), ours.encode(), value, flags=re.DOTALL)
            return (mark, value)
        if scores and self.digits and mark in "$," and len(value) > 3 and NUMBER.fullmatch(value):
            return (mark, b"%r" % float(value))
        return tree

    def _without_labels(self, items: list[Tree]) -> Iterator[Tree]:
        skip = False
        for item in items:
            if skip:
                skip = False
            elif item[0] in "$+" and item[1] in self.labels:
                skip = True
            else:
                yield item

    def heard(self, event: str) -> bool:
        return not any(f" {name} " in event for name in self.quiet)


def words(argv: Argv) -> set[bytes]:
    return {word.upper() for word in argv}


def past(argv: Argv) -> bool:
    """Whether a line gives an absolute time that has passed."""
    return any(
        word.upper() in (b"EXAT", b"PXAT") and when.lstrip(b"-").isdigit() and len(when) < 10
        for word, when in pairwise(argv)
    )


def whole(argv: Argv) -> bool:
    """Whether all are numbers, units apart."""
    return all(word.upper() in (b"BIT", b"BYTE") or INTEGER.fullmatch(word) for word in argv)


def too_wide(argv: Argv) -> bool:
    """Whether a polygon goes around a pole or half the globe: where its center is then no server promises."""
    at = next((i for i, word in enumerate(argv) if word.upper() == b"BYPOLYGON"), len(argv))
    try:
        numbers = [float(word) for word in argv[at + 2 : at + 2 + 2 * int(argv[at + 1])]]
        polygon = geo.Polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
        return not geo.is_place(*polygon.center) or max(numbers[::2]) - min(numbers[::2]) > 180
    except (ValueError, IndexError, ZeroDivisionError):
        return False


OF_VALKEY = (
    ("NOSCRIPT No matching script\\.$", "NOSCRIPT No matching script. Please use EVAL.", "shortened in Valkey 8"),
    ("This Valkey command", "This Redis command", "its name"),
    ("number of args calling command from", "number of args calling Redis command from", "its name left out"),
    ("Lua redis lib command arguments must", "Command arguments must", "reworded in Valkey 9"),
    ("script: [0-9a-z_]+, on ", "script: on ", "Valkey 9 does not name the script"),
    ("^ERR unknown subcommand .*", "ERR Unknown Redis command called from script", "Valkey 9 says more in scripts"),
)
OF_REDIS_7_0 = (
    ("could not decode requested zset member", "member does not exist", "Redis 7.2 reworded it"),
    ("member .* does not exist", "member does not exist", "names the member since 7.2"),
    ("timeout is (negative|out of range)", "timeout is negative", "7.0 says so of a great one too"),
    ("Unbalanced .* list of streams: .*", "Unbalanced list of streams", "names the command as sent since 7.2"),
)

DIALECTS: dict[str, Dialect] = {
    "valkey": Dialect(
        OF_VALKEY,
        notify="EAn",  # it reads the options of GETEX and HTTL before it looks for the key, so misses differ
        # Of a list the history decides which one; Valkey has no packed hash with deadlines, does not always look for an
        # integer in a word that comes from a script, and unpacks a sorted set for a long member that ZADD XX refuses.
        encodings=(
            {b"listpack", b"quicklist"},
            {b"listpackex", b"hashtable"},
            {b"int", b"embstr"},
            {b"listpack", b"skiplist"},
        ),
        refuses={
            "SORT": lambda argv: b"STORE" in words(argv) and b"ALPHA" not in words(argv),  # see tolerates
            **dict.fromkeys(("GEOSEARCH", "GEOSEARCHSTORE"), too_wide),
            "MSETEX": past,  # the key goes with an event that comes when a cycle finds it
        },
        unwatched=frozenset(("LTRIM",)),  # that cuts nothing: it spoils one in Redis
        tolerates={
            "SORT": "can't be converted into double",  # an empty element is no number in Valkey 9, in Redis it is 0
            "SORT_RO": "can't be converted into double",
            "GETEX": "",  # Valkey reads the expiry before it looks for the key
        },
    ),
    "redis7": Dialect(
        OF_REDIS_7_0,
        labels=frozenset((b"active-time", b"inactive")),  # of XINFO, since 7.2
        digits=True,  # since 7.2 a double has no more digits than it needs
        quiet=frozenset(("xgroup-createconsumer",)),  # XAUTOCLAIM and XCLAIM tell of it since 7.2
        introduced=frozenset(("XAUTOCLAIM", "XCLAIM")),  # since 7.2 they make the consumer even if it gets nothing
        refuses={
            # A start without an end: since Valkey 8. Wrong numbers: 7.0 looks for the key first, and tells of the miss.
            "BITCOUNT": lambda argv: len(argv) == 3 or not whole(argv[2:]),
            "BITPOS": lambda argv: not whole(argv[2:]),
            **dict.fromkeys(("HSCAN", "SSCAN", "ZSCAN"), lambda argv: not whole(argv[2:3])),  # an empty cursor is 0
            "SCAN": lambda argv: not whole(argv[1:2]),
            "LPOS": lambda argv: FAR in argv,  # no rank since 7.2
            "XREAD": lambda argv: b"+" in argv,  # the last entry: since 7.4
            "XREADGROUP": lambda argv: b"+" in argv,
            "CLIENT SETNAME": lambda argv: b"\0" in b"".join(argv),  # looks no further since 7.2
            "SET": past,  # does not store the key since 7.2
            "COMMAND GETKEYS": lambda argv: len(argv) < 4,  # a command alone: since 7.2
        },
        refuses_in_scripts={
            "XREAD": lambda argv: b"BLOCK" in words(argv),  # BLOCK is allowed there, and does not wait, since 7.2
            "XREADGROUP": lambda argv: b"BLOCK" in words(argv),
        },
        # 7.0 packs no list and no set, and looks for an integer in what INCRBYFLOAT leaves only later.
        encodings=({b"listpack", b"quicklist"}, {b"listpack", b"hashtable"}, {b"int", b"embstr"}),
        skipped={
            "COMMAND GETKEYSANDFLAGS": "the flags of some keys were corrected in 7.2",
            "XSETID": "takes an id below the greatest deleted one, which 7.2 refuses",
        },
        tolerates={
            "SCAN": "unknown type",  # finds none
        },
    ),
}


def dialect_of(server: servers.RealServer) -> Dialect:
    return DIALECTS.get(server.name) or Dialect()


def tokens(node: Node) -> Iterator[bytes]:
    """The option words of a syntax tree."""
    if node.kind == TOKEN:
        yield node.text.encode()
    for item in node.items:
        yield from tokens(item)


def documented(docs: Any) -> Iterator[bytes]:
    """The tokens in a reply of COMMAND DOCS."""
    if isinstance(docs, list):
        for label, item in pairwise(docs):
            if label == b"token":
                yield item
        for item in docs:
            yield from documented(item)


def lacking(server: servers.RealServer, command: Command) -> set[bytes]:
    """The option words of a command that this server does not know, as its documentation says."""
    name = command.name.replace(" ", "|")
    known = {word for text in documented(server.call("COMMAND", "DOCS", name)) for word in text.upper().split(b" ")}
    return set(tokens(command.syntax.tree)) - known - UNWRITTEN - UNWRITTEN_OF.get(command.name, set())


def has(server: servers.RealServer, name: str) -> bool:
    return bool(server.call("COMMAND", "INFO", name.replace(" ", "|")) != [None])


def flags(server: servers.RealServer, name: str) -> set[bytes]:
    found = server.call("COMMAND", "INFO", name.replace(" ", "|"))
    return set() if isinstance(found, ReplyError) or found == [None] else {bytes(flag) for flag in found[0][2]}
