"""Shapes of the replies of key, string, hash, set and list commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from redtool.render.cells import date, inline
from redtool.render.lift import has_word
from redtool.render.notes import remaining
from redtool.render.shape.kinds import Column, Empty, Shape, Table, Tree, asked, columns, fields, first, table

Argv = Sequence[bytes]


def mapping(argv: Argv, reply: object, cap: int, key: str = "field", value: str = "value") -> Shape:
    return fields(reply, cap, key, value) if isinstance(reply, dict) else Tree(reply)


def members(argv: Argv, reply: object, cap: int) -> Shape:
    return columns(reply, cap, "member")


def listed(argv: Argv, reply: object, cap: int, noun: str, ordered: bool = True) -> Shape:
    return columns(reply, cap, noun, ordered=ordered)


def answered(argv: Argv, reply: object, cap: int, start: int, key: str, value: str, role: str = "value") -> Shape:
    """The words from ``start`` on, each with its answer."""
    return asked(argv[start:], reply, cap, key, value, role)


def after_fields(argv: Argv, reply: object, cap: int, value: str, role: str = "value") -> Shape:
    """HGETEX key … FIELDS n field …: each field with its answer."""
    names: Sequence[bytes] = ()
    for at in range(2, len(argv) - 1):
        if argv[at].upper() == b"FIELDS" and argv[at + 1].isdigit():
            names = argv[at + 2 : at + 2 + int(argv[at + 1])]
            break
    return asked(names, reply, cap, "field", value, role)


def field_ttl(argv: Argv, reply: object, cap: int) -> Shape:
    """HTTL and HPTTL: seconds or milliseconds a field, with what they mean."""
    shape = after_fields(argv, reply, cap, "ttl", "number")
    if not isinstance(shape, Table):
        return shape
    unit = 1000 if argv[0].upper().startswith(b"HP") else 1
    rows = [(*row, remaining(row[1], unit, "no such field") if isinstance(row[1], int) else "") for row in shape.rows]
    return Table((*shape.columns, Column("", "time")), rows, shape.total, shape.noun)


def random_fields(argv: Argv, reply: object, cap: int) -> Shape:
    if has_word(argv, b"WITHVALUES", 3) and isinstance(reply, list) and reply:
        return table((Column("field", "key"), Column("value")), reply, cap, "field")
    return columns(reply, cap, "field", ordered=True)


def list_range(argv: Argv, reply: object, cap: int) -> Shape:
    """LRANGE: elements under their own index."""
    if not isinstance(reply, list):
        return Tree(reply)
    if not reply:
        return Empty("(empty array)")
    begin = first_index(argv[2:4], len(reply))
    if begin is None:
        return columns(reply, cap, "element", ordered=True)
    rows = [(begin + at, item) for at, item in enumerate(first(reply, cap))]
    return Table((Column("#", "index"), Column("element")), rows, len(reply), "element")


def first_index(bounds: Argv, count: int) -> int | None:
    """Give the index of the first of ``count`` elements of a range; negative ones count from the end.

    From a start of 0 or more it is the start, and a range that ends at a negative stop ends exactly there. A range
    from a negative start to a positive stop has a known place only when it was not clipped.
    """
    try:
        start, stop = (int(bound) for bound in bounds)
    except ValueError:
        return None
    if start >= 0:
        return start
    if stop < 0:
        return stop - count + 1
    return start if count == -start else None


def scan(argv: Argv, reply: object, cap: int, noun: str) -> Shape:
    """A page of a SCAN: its elements, and how to go on."""
    if not isinstance(reply, list) or len(reply) != 2:
        return Tree(reply)
    note = next_page(reply[0])
    if isinstance(reply[1], dict):
        return fields(reply[1], cap, note=note)
    return columns(reply[1], cap, noun, note, ordered=noun == "field")


def next_page(cursor: object) -> str:
    """Say where a scan goes on."""
    text = inline(cursor)
    return "scan complete" if text == "0" else f"next cursor {text}"


def popped(argv: Argv, reply: object, cap: int) -> Shape:
    """BLPOP and its like: which key gave which element."""
    if not isinstance(reply, list) or len(reply) != 2:
        return Tree(reply)
    items = reply[1] if isinstance(reply[1], list) else [reply[1]]
    rows = [(reply[0], item) for item in items]
    return table((Column("key", "key"), Column("element")), rows, cap, "element")


def server_time(argv: Argv, reply: object, cap: int) -> Shape:
    """TIME: seconds and microseconds, with the local date."""
    if isinstance(reply, list) and reply and isinstance(reply[0], bytes) and reply[0].isdigit():
        return Tree(reply, date(int(reply[0])))
    return Tree(reply)


RULES: dict[bytes, Callable[[Argv, object, int], Shape]] = {
    b"HGETALL": mapping,
    b"CONFIG GET": partial(mapping, key="parameter"),
    b"HRANDFIELD": lambda argv, reply, cap: random_fields(argv, reply, cap) if len(argv) > 2 else Tree(reply),
    b"HMGET": partial(answered, start=2, key="field", value="value"),
    b"HGETEX": partial(after_fields, value="value"),
    b"HGETDEL": partial(after_fields, value="value"),
    b"HTTL": field_ttl,
    b"HPTTL": field_ttl,
    **{
        name: partial(after_fields, value="result", role="number")
        for name in (b"HEXPIRE", b"HPEXPIRE", b"HEXPIREAT", b"HPEXPIREAT", b"HPERSIST", b"HEXPIRETIME", b"HPEXPIRETIME")
    },
    b"MGET": partial(answered, start=1, key="key", value="value"),
    b"SMISMEMBER": partial(answered, start=2, key="member", value="found", role="number"),
    b"SCRIPT EXISTS": partial(answered, start=2, key="script", value="found", role="number"),
    b"HKEYS": partial(listed, noun="field"),
    b"HVALS": partial(listed, noun="value"),
    b"SMEMBERS": members,
    b"SINTER": members,
    b"SUNION": members,
    b"SDIFF": members,
    b"SRANDMEMBER": lambda argv, reply, cap: members(argv, reply, cap) if len(argv) > 2 else Tree(reply),
    b"SPOP": lambda argv, reply, cap: members(argv, reply, cap) if len(argv) > 2 else Tree(reply),
    b"KEYS": partial(listed, noun="key", ordered=False),
    b"CLUSTER GETKEYSINSLOT": partial(listed, noun="key", ordered=False),
    b"PUBSUB CHANNELS": partial(listed, noun="channel", ordered=False),
    b"PUBSUB SHARDCHANNELS": partial(listed, noun="channel", ordered=False),
    b"SCAN": partial(scan, noun="key"),
    b"SSCAN": partial(scan, noun="member"),
    b"HSCAN": partial(scan, noun="field"),
    b"LRANGE": list_range,
    **dict.fromkeys((b"BLPOP", b"BRPOP", b"LMPOP", b"BLMPOP"), popped),
    b"TIME": server_time,
}
