"""Shapes of what a server tells about itself: INFO, clients, slow commands, documentation, cluster, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from redtool.render import texts
from redtool.render.cells import date, duration, inline, show
from redtool.render.shape.kinds import Column, Empty, Group, Lines, Shape, Table, Tree, columns, fields, first, table

Argv = Sequence[bytes]
CLIENT_COLUMNS = ("id", "addr", "name", "age", "idle", "db", "cmd", "user")
DOC_FIELDS = (b"group", b"since", b"summary")


def info(argv: Argv, reply: object, cap: int) -> Shape:
    """INFO and CLUSTER INFO: a table a section."""
    if not isinstance(reply, bytes):
        return Tree(reply)
    heads = (Column("", "key"), Column(""))
    parts: list[tuple[str, Shape]] = []
    for title, rows in texts.sections(reply):
        cells = [(name.encode("utf-8", "surrogateescape"), _bytes(value)) for name, value in rows]
        parts.append((title, Table(heads, cells, len(cells), "") if cells else Empty("(empty)")))
    return Group(parts, len(parts), "section") if parts else Lines(reply)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def clients(argv: Argv, reply: object, cap: int) -> Shape:
    """CLIENT LIST: the columns a person looks for; --raw has them all."""
    if not isinstance(reply, bytes):
        return Tree(reply)
    found = texts.clients(reply)
    rows = []
    for client in first(found, cap):
        assert isinstance(client, dict)
        cells = [_bytes(client.get(name, "")) or "" for name in CLIENT_COLUMNS]
        cells[3:5] = [_seconds(client.get("age")), _seconds(client.get("idle"))]
        rows.append(tuple(cells))
    roles = {"id": "id", "addr": "key", "age": "time", "idle": "time", "db": "number"}
    heads = tuple(Column(name, roles.get(name, "value")) for name in CLIENT_COLUMNS)
    return Table(heads, rows, len(found), "client") if rows else Lines(reply)


def _seconds(text: str | None) -> str:
    return duration(int(text)) if text and text.isdigit() else text or ""


def client(argv: Argv, reply: object, cap: int) -> Shape:
    """CLIENT INFO: a line a field."""
    found = texts.clients(reply) if isinstance(reply, bytes) else []
    return fields({_bytes(name): _bytes(value) for name, value in found[0].items()}, 0) if found else Tree(reply)


def nodes(argv: Argv, reply: object, cap: int) -> Shape:
    """CLUSTER NODES: the id last, for it is wide."""
    found = texts.nodes(reply) if isinstance(reply, bytes) else []
    heads = (Column("address", "key"), Column("flags"), Column("link"), Column("slots"), Column("id", "id"))
    rows = [(n["address"], n["flags"], n["link"], " ".join(n["slots"]), n["id"]) for n in found]
    return table(heads, rows, cap, "node") if rows else Tree(reply)


def slow(argv: Argv, reply: object, cap: int) -> Shape:
    """SLOWLOG GET: when, how long, what, who."""
    found = _rows_of(reply, 4)
    if not found:
        return Tree(reply)
    heads = (Column("id", "id"), Column("when", "time"), Column("took", "number"), Column("command"), Column("client"))
    rows = []
    for number, when, took, words, *who in found[: cap or None]:
        line = " ".join(show(word)[0] if isinstance(word, bytes) else inline(word) for word in _list(words))
        by = " ".join(show(word)[0] for word in who if isinstance(word, bytes) and word)
        rows.append((number, _date(when), _micro(took), line, by))
    return Table(heads, rows, len(found), "command")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _rows_of(reply: object, width: int) -> list[list[object]]:
    """Give a reply that is a list of lists of at least ``width`` values; an empty list when it is not."""
    rows = reply if isinstance(reply, list) else []
    return rows if all(isinstance(row, list) and len(row) >= width for row in rows) else []


def _date(value: object) -> object:
    return date(value) or value if isinstance(value, int) else value


def _micro(value: object) -> object:
    return duration(value / 1e6) if isinstance(value, int) else value


def latency_latest(argv: Argv, reply: object, cap: int) -> Shape:
    found = _rows_of(reply, 4)
    if not found:
        return Tree(reply)
    heads = (Column("event", "key"), Column("when", "time"), Column("latest", "number"), Column("max", "number"))
    rows = [(row[0], _date(row[1]), _milli(row[2]), _milli(row[3])) for row in found]
    return table(heads, rows, cap, "event")


def latency_history(argv: Argv, reply: object, cap: int) -> Shape:
    found = _rows_of(reply, 2)
    if not found:
        return Tree(reply)
    rows = [(_date(row[0]), _milli(row[1])) for row in found]
    return table((Column("when", "time"), Column("latency", "number")), rows, cap, "event")


def _milli(value: object) -> object:
    return duration(value / 1000) if isinstance(value, int) else value


def users(argv: Argv, reply: object, cap: int) -> Shape:
    """ACL LIST: user and rules."""
    if not isinstance(reply, list) or not all(isinstance(rule, bytes) for rule in reply):
        return Tree(reply)
    rows = [rule.removeprefix(b"user ").partition(b" ")[::2] for rule in reply]
    return table((Column("user", "key"), Column("rules")), rows, cap, "user")


def docs(argv: Argv, reply: object, cap: int) -> Shape:
    """COMMAND DOCS: a line a command; for one command all its fields."""
    if not isinstance(reply, dict) or not all(isinstance(doc, dict) for doc in reply.values()):
        return Tree(reply)
    if len(reply) == 1:
        ((name, doc),) = reply.items()
        return Group([(show(name)[0] if isinstance(name, bytes) else str(name), fields(doc, cap))], 1)
    heads = (Column("command", "key"), Column("group"), Column("since"), Column("summary"))
    rows = [(name, *(doc.get(field, "") for field in DOC_FIELDS)) for name, doc in reply.items()]
    return table(heads, rows, cap, "command")


def command_info(argv: Argv, reply: object, cap: int) -> Shape:
    """COMMAND and COMMAND INFO: arity, flags, key positions (first, last, step), ACL categories."""
    if not isinstance(reply, list) or not reply or not all(item is None or _rows_of([item], 6) for item in reply):
        return Tree(reply)
    rows: list[tuple[object, ...]] = []
    names = argv[2:] if len(argv) - 2 == len(reply) else [b""] * len(reply)
    for name, item in zip(names, first(reply, cap), strict=False):
        if not isinstance(item, list):
            rows.append((name, None, "", "", ""))
            continue
        keys = ",".join(map(str, item[3:6])) if item[3] else ""
        groups = " ".join(_words(item[6])) if len(item) > 6 else ""
        rows.append((item[0], item[1], " ".join(_words(item[2])), keys, groups))
    heads = (Column("command", "key"), Column("arity", "number"), Column("flags"), Column("keys"), Column("categories"))
    return Table(heads, rows, len(reply), "command")


def _words(value: object) -> list[str]:
    found = sorted(value, key=str) if isinstance(value, (set, frozenset)) else _list(value)
    return [inline(word) for word in found]


def keys_and_flags(argv: Argv, reply: object, cap: int) -> Shape:
    found = _rows_of(reply, 2)
    if not found:
        return Tree(reply)
    rows = [(row[0], " ".join(_words(row[1]))) for row in found]
    return table((Column("key", "key"), Column("flags")), rows, cap, "key")


def memory_stats(argv: Argv, reply: object, cap: int) -> Shape:
    """MEMORY STATS: nested figures with dotted names."""
    if not isinstance(reply, dict):
        return Tree(reply)
    flat: dict[object, object] = {}
    for name, value in reply.items():
        if isinstance(value, dict) and isinstance(name, bytes):
            flat.update({name + b"." + inline(below).encode(): figure for below, figure in value.items()})
        else:
            flat[name] = value
    return fields(flat, 0, "name", noun="")


def slots(argv: Argv, reply: object, cap: int) -> Shape:
    """CLUSTER SLOTS: ranges, who serves them and who follows."""
    found = _rows_of(reply, 3)
    if not found:
        return Tree(reply)
    rows = []
    for begin, end, *hosts in found[: cap or None]:
        where = [":".join(_words(host[:2])) if isinstance(host, list) else inline(host) for host in hosts]
        rows.append((f"{begin}-{end}", where[0], " ".join(where[1:])))
    heads = (Column("slots", "key"), Column("primary"), Column("replicas"))
    return Table(heads, rows, len(found), "range")


def help_lines(reply: Sequence[object]) -> Shape:
    """The HELP of a container command: lines of text."""
    lines = [line if isinstance(line, bytes) else inline(line).encode() for line in reply]
    return Lines(b"\n".join(lines))


def message(reply: list[object]) -> Shape:
    """A pushed message (pub/sub, invalidation): its kind, then the rest as cells."""
    rows = [tuple(item if isinstance(item, (bytes, int)) else inline(item) for item in reply)]
    heads = [Column("", "time"), Column("", "key"), *(Column("") for _ in reply[2:])][: len(reply)]
    return Table(tuple(heads), rows, 1, "message") if reply else Tree(reply)


def text(argv: Argv, reply: object, cap: int) -> Shape:
    """What redis-cli prints as it is."""
    return Lines(reply) if isinstance(reply, bytes) else Tree(reply)


def listed(argv: Argv, reply: object, cap: int, noun: str) -> Shape:
    return columns(reply, cap, noun)


def subscribers(argv: Argv, reply: object, cap: int) -> Shape:
    return fields(reply, cap, "channel", "subscribers") if isinstance(reply, dict) else Tree(reply)


RULES: dict[bytes, Callable[[Argv, object, int], Shape]] = {
    b"INFO": info,
    b"CLUSTER INFO": info,
    b"CLUSTER NODES": nodes,
    b"CLUSTER SLOTS": slots,
    b"CLIENT LIST": clients,
    b"CLIENT INFO": client,
    b"SLOWLOG GET": slow,
    b"LATENCY LATEST": latency_latest,
    b"LATENCY HISTORY": latency_history,
    b"ACL LIST": users,
    b"ACL CAT": partial(listed, noun="name"),
    b"ACL USERS": partial(listed, noun="user"),
    b"COMMAND": command_info,
    b"COMMAND INFO": command_info,
    b"COMMAND DOCS": docs,
    b"COMMAND LIST": partial(listed, noun="command"),
    b"COMMAND GETKEYSANDFLAGS": keys_and_flags,
    b"MEMORY STATS": memory_stats,
    b"PUBSUB NUMSUB": subscribers,
    b"PUBSUB SHARDNUMSUB": subscribers,
    **dict.fromkeys(
        (b"LOLWUT", b"MEMORY DOCTOR", b"MEMORY MALLOC-STATS", b"LATENCY DOCTOR", b"LATENCY GRAPH", b"DEBUG HTSTATS"),
        text,
    ),
}
