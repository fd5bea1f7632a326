"""Shapes of the replies of stream commands: entries under their ids, pending messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redtool.render.cells import duration, show
from redtool.render.lift import has_word
from redtool.render.shape.kinds import Column, Empty, Group, Shape, Table, Tree, columns, first, table

Argv = Sequence[bytes]
WIDE = 5  # fields that still make columns


def entries(argv: Argv, reply: object, cap: int, title: str = "") -> Shape:
    """XRANGE and its like. Entries with the same fields get a column a field, others a line a field."""
    if not isinstance(reply, list):
        return Tree(reply)
    if not reply:
        return Empty("(empty array)")
    shown = first(reply, cap)
    if not all(isinstance(entry, list) and len(entry) >= 2 for entry in shown):
        return Tree(reply)
    rows = [(entry[0], _fields(entry[1])) for entry in shown]  # type: ignore[index]
    names = [name for name, _ in rows[0][1]]
    alike = 0 < len(names) <= WIDE and all([name for name, _ in found] == names for _, found in rows)
    if alike:
        heads = [Column("id", "id"), *(Column(_text(name)) for name in names)]
        return Table(
            tuple(heads), [(entry, *(value for _, value in found)) for entry, found in rows], len(reply), "entry", title
        )
    heads = [Column("id", "id"), Column("field", "key"), Column("value")]
    lines: list[tuple[object, ...]] = []
    for entry, found in rows:
        for at, (name, value) in enumerate(found or [("", "(deleted)")]):
            lines.append(("" if at else entry, name, value))
    hidden = len(reply) - len(rows)
    return Table(tuple(heads), lines, len(lines) + hidden, "entry" if hidden else "", title)  # lines are no entries


def _fields(flat: object) -> list[tuple[object, object]]:
    """Give the fields of an entry; a deleted one (nil) has none."""
    if isinstance(flat, dict):
        return list(flat.items())
    if not isinstance(flat, list):
        return []
    return list(zip(flat[::2], flat[1::2], strict=False))


def _text(name: object) -> str:
    return show(name)[0] if isinstance(name, bytes) else str(name)


def read(argv: Argv, reply: object, cap: int) -> Shape:
    """XREAD and XREADGROUP: the entries of each stream."""
    if not isinstance(reply, dict) or not reply:
        return Tree(reply)
    found = [(stream, entries(argv, part, cap)) for stream, part in reply.items()]
    return Group([(_text(stream), shape) for stream, shape in found], len(found), "stream")


def claimed(argv: Argv, reply: object, cap: int) -> Shape:
    """XCLAIM: entries, or with JUSTID their ids."""
    if has_word(argv, b"JUSTID", 5):
        return columns(reply, cap, "id", ordered=True)
    return entries(argv, reply, cap)


def autoclaimed(argv: Argv, reply: object, cap: int) -> Shape:
    """XAUTOCLAIM: the id to go on from, the entries, the ids that no longer exist."""
    if not isinstance(reply, list) or len(reply) < 2:
        return Tree(reply)
    just_ids = has_word(argv, b"JUSTID", 6)
    shape = columns(reply[1], cap, "id", ordered=True) if just_ids else entries(argv, reply[1], cap)
    parts: list[tuple[str, Shape]] = [("", shape)]
    if len(reply) > 2 and reply[2]:
        parts.append(("deleted", columns(reply[2], cap, "id", ordered=True)))
    done = reply[0] == b"0-0"
    return Group([("scan complete" if done else f"next start {_text(reply[0])}", Group(parts, len(parts)))], 1)


def pending(argv: Argv, reply: object, cap: int) -> Shape:
    """XPENDING: a summary by consumer, or one line a message."""
    if not isinstance(reply, list) or not reply:
        return Empty("(empty array)") if reply == [] else Tree(reply)
    if all(isinstance(item, list) and len(item) == 4 for item in reply):
        heads = (Column("id", "id"), Column("consumer", "key"), Column("idle", "time"), Column("deliveries", "number"))
        messages = [(item[0], item[1], _milliseconds(item[2]), item[3]) for item in first(reply, cap)]  # type: ignore[index]
        return Table(heads, messages, len(reply), "message")
    if len(reply) == 4 and isinstance(reply[3], list):
        title = f"{reply[0]} pending, {_text(reply[1])} to {_text(reply[2])}"
        rows = [(item[0], item[1]) for item in reply[3] if isinstance(item, list) and len(item) == 2]
        return table((Column("consumer", "key"), Column("pending", "number")), rows, cap, "consumer", title=title)
    return Tree(reply)


def _milliseconds(value: object) -> object:
    return duration(value / 1000) if isinstance(value, int) else value


RULES: dict[bytes, Callable[[Argv, object, int], Shape]] = {
    b"XRANGE": entries,
    b"XREVRANGE": entries,
    b"XREAD": read,
    b"XREADGROUP": read,
    b"XCLAIM": claimed,
    b"XAUTOCLAIM": autoclaimed,
    b"XPENDING": pending,
}
