"""The shapes a reply can take on a screen. They hold values, not text: drawing them is ``human``'s part."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

Row = tuple[object, ...]
_DIGITS = re.compile(rb"(^-\d+|\d+)")
NATURAL_UP_TO = 10_000
SORTED_UP_TO = 100_000  # members; more are shown as they came, for sorting them would be felt


@dataclass(frozen=True)
class Column:
    """A heading and what the cells under it are: key, value, number, index, id or time."""

    head: str
    role: str = "value"


@dataclass(frozen=True)
class Table:
    """Rows under headings. ``total`` counts the rows left out too; ``noun`` names one."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    total: int
    noun: str = "row"
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Columns:
    """Single values side by side, as ls prints them."""

    items: list[object]
    total: int
    noun: str = "element"
    note: str = ""


@dataclass(frozen=True)
class Board:
    """Members with scores. ``start`` is the first one's rank: 1 is the first of all, -1 the last, None unknown."""

    rows: list[tuple[object, object]]
    total: int
    start: int | None = 1
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Tree:
    """What redis-cli prints, with colour; ``note`` explains a single value."""

    reply: object
    note: str = ""


@dataclass(frozen=True)
class Empty:
    """A collection without elements, in redis-cli's words."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Lines:
    """Text that has a layout of its own."""

    text: bytes


@dataclass(frozen=True)
class Group:
    """Several shapes one below the other, each with a heading (may be empty)."""

    parts: list[tuple[str, Shape]]
    total: int
    noun: str = "reply"


Shape = Table | Columns | Board | Tree | Empty | Lines | Group


def first(items: Iterable[object], cap: int) -> list[object]:
    """Give the first ``cap`` items, all of them when cap is 0."""
    return list(islice(items, cap) if cap else items)


def table(columns: Sequence[Column], rows: Collection[object], cap: int, noun: str = "row", **words: str) -> Shape:
    """Make a table of at most ``cap`` rows; without any it is ``(empty array)``."""
    if not rows:
        return Empty("(empty array)", words.get("note", ""))
    shown: list[Row] = [tuple(row) for row in first(rows, cap)]  # type: ignore[arg-type]
    return Table(tuple(columns), shown, len(rows), noun, **words)


def fields(found: dict[object, object], cap: int, key: str = "field", value: str = "value", **words: str) -> Shape:
    """Make the two columns of a map."""
    noun = words.pop("noun", key)
    if not found:
        return Empty("(empty hash)", words.get("note", ""))
    role = "number" if all(type(item) is int for item in first(found.values(), cap)) else "value"
    return table((Column(key, "key"), Column(value, role)), found.items(), cap, noun, **words)


def asked(names: Sequence[bytes], reply: object, cap: int, key: str, value: str, role: str = "value") -> Shape:
    """Pair what was asked for with the answers (HMGET, MGET, SMISMEMBER, …)."""
    if not isinstance(reply, list) or len(reply) != len(names):
        return Tree(reply)
    rows = list(zip(first(names, cap), reply, strict=False))
    shape = table((Column(key, "key"), Column(value, role)), rows, 0, key)
    return Table(shape.columns, shape.rows, len(names), key) if isinstance(shape, Table) else shape


def columns(reply: object, cap: int, noun: str, note: str = "", ordered: bool = False) -> Shape:
    """Make columns of a flat reply. An unordered one is sorted, numbers by value."""
    if not isinstance(reply, (list, tuple, set, frozenset)):
        return Tree(reply)
    if not reply:
        return Empty("(empty set)" if noun == "member" else "(empty array)", note)
    items = list(reply) if ordered else arranged(reply)
    return Columns(first(items, cap), len(items), noun, note)


def arranged(items: Collection[object]) -> list[object]:
    """Sort strings, the digits in them by value (``k:2`` before ``k:10``); other things and very many stay."""
    found = list(items)
    if len(found) > SORTED_UP_TO or not all(isinstance(item, bytes) for item in found):
        return found
    if len(found) > NATURAL_UP_TO or any(len(item) > 500 for item in found):  # type: ignore[arg-type]
        return sorted(found)  # type: ignore[type-var]
    return sorted(found, key=_natural)


def _natural(item: object) -> list[object]:
    """Split a string into text and numbers in turn; a minus in front counts."""
    parts = _DIGITS.split(item)  # type: ignore[call-overload]
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def records(items: Sequence[object], cap: int, noun: str = "row") -> Shape:
    """Make a table of a list of maps, a column a field."""
    heads: dict[object, None] = {}
    shown = [item for item in first(items, cap) if isinstance(item, dict)]
    for item in shown:
        heads.update(dict.fromkeys(item))
    names = list(heads)
    numbers = {name for name in names if all(type(item.get(name, 0)) is int for item in shown)}
    made = tuple(Column(_name(name), "number" if name in numbers else "value") for name in names)
    rows: list[Row] = [tuple(item.get(name, "") for name in names) for item in shown]
    return Table(made, rows, len(items), noun) if names else Tree(list(items))


def _name(name: object) -> str:
    from redtool.render.cells import inline

    return inline(name)
