"""Shapes of the replies of sorted set and geo commands: boards with true ranks, places."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redtool.render.lift import GEO_SEARCHES, has_word
from redtool.render.shape.data import first_index, next_page
from redtool.render.shape.kinds import Board, Column, Empty, Shape, Table, Tree, asked, columns, first, table

Argv = Sequence[bytes]


def board(reply: object, cap: int, start: int | None = 1, title: str = "", note: str = "") -> Shape:
    """Make a board of pairs of member and score."""
    if not isinstance(reply, list):
        return Tree(reply)
    if not reply:
        return Empty("(empty array)", note)
    rows = [(pair[0], pair[1]) for pair in first(reply, cap) if isinstance(pair, list) and len(pair) == 2]
    if len(rows) < min(len(reply), cap or len(reply)) or not all(isinstance(score, (int, float)) for _, score in rows):
        return Tree(reply)
    return Board(rows, len(reply), start, title, note)


def ranked(reply: object, cap: int, start: int | None) -> Shape:
    """Make a table of members in order, without scores."""
    if not isinstance(reply, list):
        return Tree(reply)
    if start is None:
        return columns(reply, cap, "member", ordered=True)
    rows = [(start + at, member) for at, member in enumerate(first(reply, cap))]
    return Table((Column("rank", "index"), Column("member", "key")), rows, len(reply), "member")


def zrange(argv: Argv, reply: object, cap: int) -> Shape:
    """ZRANGE and its older forms. By index the rank follows the start, by score or name from LIMIT's offset."""
    if not isinstance(reply, list):
        return Tree(reply)
    if not reply:
        return Empty("(empty array)")
    name, options = argv[0].upper(), [word.upper() for word in argv[4:]]
    if name in (b"ZRANGE", b"ZREVRANGE") and b"BYSCORE" not in options and b"BYLEX" not in options:
        start = first_index(argv[2:4], len(reply))
        rank = start + 1 if start is not None and start >= 0 else start
    else:
        rank = _offset(options) + 1
    return board(reply, cap, rank) if b"WITHSCORES" in options else ranked(reply, cap, rank)


def _offset(options: list[bytes]) -> int:
    """Give LIMIT's offset."""
    if b"LIMIT" in options:
        at = options.index(b"LIMIT") + 1
        if at < len(options) and options[at].isdigit():
            return int(options[at])
    return 0


def combined(argv: Argv, reply: object, cap: int) -> Shape:
    """ZUNION, ZINTER, ZDIFF: in order of score, from the first."""
    if not isinstance(reply, list) or not reply:
        return Empty("(empty array)") if reply == [] else Tree(reply)
    scored = isinstance(reply[0], list)
    return board(reply, cap) if scored else ranked(reply, cap, 1)


def popped(argv: Argv, reply: object, cap: int) -> Shape:
    return board(reply, cap)


def popped_of(argv: Argv, reply: object, cap: int) -> Shape:
    """ZMPOP and BZMPOP: the key that had something, then its members."""
    if not isinstance(reply, list) or len(reply) != 2 or not isinstance(reply[0], bytes):
        return Tree(reply)
    from redtool.render.cells import show

    return board(reply[1], cap, title=show(reply[0])[0])


def popped_one(argv: Argv, reply: object, cap: int) -> Shape:
    if not isinstance(reply, list) or len(reply) != 3:
        return Tree(reply)
    heads = (Column("key", "key"), Column("member", "key"), Column("score", "number"))
    return table(heads, [reply], cap)


def random_members(argv: Argv, reply: object, cap: int) -> Shape:
    if len(argv) < 3:
        return Tree(reply)
    if has_word(argv, b"WITHSCORES", 3):
        return board(reply, cap, None)
    return columns(reply, cap, "member", ordered=True)


def zscan(argv: Argv, reply: object, cap: int) -> Shape:
    """A page of a sorted set, in no order: scores, but no ranks."""
    if not isinstance(reply, list) or len(reply) != 2:
        return Tree(reply)
    if has_word(argv, b"NOSCORES", 3):
        return columns(reply[1], cap, "member", next_page(reply[0]))
    return board(reply[1], cap, None, note=next_page(reply[0]))


def rank_of(argv: Argv, reply: object, cap: int) -> Shape:
    """ZRANK WITHSCORE: the rank counted from 0, as without it, and the score."""
    if not isinstance(reply, list) or len(reply) != 2:
        return Tree(reply)
    return table((Column("index", "number"), Column("score", "number")), [reply], cap)


def positions(argv: Argv, reply: object, cap: int) -> Shape:
    """GEOPOS: each member with its longitude and latitude."""
    names = argv[2:]
    if not isinstance(reply, list) or not reply or len(reply) != len(names):
        return Tree(reply)
    rows = []
    for name, place in zip(first(names, cap), reply, strict=False):
        known = isinstance(place, list) and len(place) == 2
        rows.append((name, *(place if known else (None, None))))
    heads = (Column("member", "key"), Column("longitude", "number"), Column("latitude", "number"))
    return Table(heads, rows, len(reply), "member")


def places(argv: Argv, reply: object, cap: int) -> Shape:
    """GEOSEARCH and GEORADIUS: members with what WITHDIST, WITHHASH and WITHCOORD ask for."""
    if not isinstance(reply, list) or not reply:
        return Empty("(empty array)") if reply == [] else Tree(reply)
    if not all(isinstance(item, list) for item in reply):
        return columns(reply, cap, "member", ordered=True)
    options = {word.upper() for word in argv[2:]}
    heads = [Column("member", "key")]
    if b"WITHDIST" in options:
        heads.append(Column("distance", "number"))
    if b"WITHHASH" in options:
        heads.append(Column("hash", "number"))
    if b"WITHCOORD" in options:
        heads += [Column("longitude", "number"), Column("latitude", "number")]
    rows = [tuple(_flat(item)) for item in first(reply, cap)]
    if any(len(row) != len(heads) for row in rows):
        return Tree(reply)
    return Table(tuple(heads), rows, len(reply), "member")


def _flat(item: object) -> list[object]:
    found: list[object] = []
    for part in item if isinstance(item, list) else [item]:
        found += part if isinstance(part, list) else [part]
    return found


def scores(argv: Argv, reply: object, cap: int) -> Shape:
    return asked(argv[2:], reply, cap, "member", "score", "number")


def hashes(argv: Argv, reply: object, cap: int) -> Shape:
    return asked(argv[2:], reply, cap, "member", "geohash")


def similar(argv: Argv, reply: object, cap: int) -> Shape:
    """VSIM: elements from the nearest, with their scores and attributes where these are asked for."""
    if not isinstance(reply, dict):
        return ranked(reply, cap, 1)
    scored, described = has_word(argv, b"WITHSCORES", 4), has_word(argv, b"WITHATTRIBS", 4)
    heads = [Column("element", "key")]
    heads += [Column("score", "number")] * scored + [Column("attributes")] * described
    rows = [(name, *(found if isinstance(found, list) else [found])) for name, found in reply.items()]
    return table(heads, rows, cap, "element") if all(len(row) == len(heads) for row in rows) else Tree(reply)


RULES: dict[bytes, Callable[[Argv, object, int], Shape]] = {
    **dict.fromkeys(
        (b"ZRANGE", b"ZREVRANGE", b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE", b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"), zrange
    ),
    **dict.fromkeys((b"ZUNION", b"ZINTER", b"ZDIFF"), combined),
    **dict.fromkeys((b"ZPOPMIN", b"ZPOPMAX"), popped),
    **dict.fromkeys((b"ZMPOP", b"BZMPOP"), popped_of),
    **dict.fromkeys((b"BZPOPMIN", b"BZPOPMAX"), popped_one),
    **dict.fromkeys((b"ZRANK", b"ZREVRANK"), rank_of),
    b"ZRANDMEMBER": random_members,
    b"ZSCAN": zscan,
    b"VSIM": similar,
    b"ZMSCORE": scores,
    b"GEOPOS": positions,
    b"GEOHASH": hashes,
    **dict.fromkeys(GEO_SEARCHES, places),
}
