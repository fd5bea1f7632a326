"""Reply bytes as trees that keep every distinction of the wire, and the few that a comparison must drop.

A tree is (mark, value): ``("+", b"OK")``, ``("$", b"x")``, ``(":", 1)``, ``("*", [trees])``, ``("%", [trees])`` with
keys and values in turn. Nulls are ``("_", b"$")``, ``("_", b"*")`` and, in RESP3, ``("_", b"")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Tree = tuple[str, Any]

NULL: Tree = ("_", b"$")
NULL_ARRAY: Tree = ("_", b"*")
NULL3: Tree = ("_", b"")
NULLS = (NULL, NULL_ARRAY, NULL3)
AGGREGATES = {"*": 1, "~": 1, ">": 1, "%": 2}


def parse(data: bytes) -> Tree:
    """Read one whole reply."""
    tree, end = _parse(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes behind the reply {data!r}")
    return tree


def _parse(data: bytes, at: int) -> tuple[Tree, int]:
    end = data.index(b"\r\n", at)
    mark, head = chr(data[at]), data[at + 1 : end]
    at = end + 2
    if mark in AGGREGATES:
        if head == b"-1":
            return NULL_ARRAY, at
        items = []
        for _ in range(int(head) * AGGREGATES[mark]):
            item, at = _parse(data, at)
            items.append(item)
        return (mark, items), at
    if mark in "$=!":
        if head == b"-1":
            return NULL, at
        end = at + int(head)
        return (mark, data[at:end]), end + 2
    if mark == "_":
        return NULL3, at
    return (mark, int(head) if mark == ":" else head), at


def is_error(tree: Tree) -> bool:
    return tree[0] == "-"


def items_of(tree: Tree) -> list[Tree]:
    """The elements of an aggregate; of anything else none."""
    return tree[1] if tree[0] in AGGREGATES else []


def unordered(tree: Tree, width: int = 1) -> Tree:
    """The same aggregate with its elements, or groups of ``width`` elements, in an order of their own."""
    if tree[0] not in AGGREGATES:
        return tree
    items = tree[1]
    width = 2 if tree[0] == "%" else width
    groups = sorted((items[i : i + width] for i in range(0, len(items), width)), key=repr)
    return (tree[0], [item for group in groups for item in group])


def shape(tree: Tree) -> Any:
    """What is left of a reply whose elements are random: its marks and lengths."""
    if tree[0] in AGGREGATES:
        return (tree[0], len(tree[1]), shape(tree[1][0]) if tree[1] else None)
    return tree if is_error(tree) else tree[0]


def without_negative_zero(tree: Tree) -> Tree:
    if tree[0] in AGGREGATES:
        return (tree[0], [without_negative_zero(item) for item in tree[1]])
    return (tree[0], b"0") if tree[1] == b"-0" and tree[0] in "$," else tree


def near(left: Tree, right: Tree, tolerance: int) -> bool:
    """Whether two integers differ by no more than ``tolerance``; negative ones must be equal."""
    if left[0] != ":" or right[0] != ":":
        return left == right
    return left == right or (min(left[1], right[1]) >= 0 and abs(left[1] - right[1]) <= tolerance)


def show(tree: Tree, limit: int = 300) -> str:
    """A reply as text for a person."""
    text = _text(tree)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)})"


def _text(tree: Tree) -> str:
    mark, value = tree
    if mark in AGGREGATES:
        return f"{mark}[{', '.join(map(_text, value))}]"
    if mark == "$":
        return repr(value)[1:]
    if mark == "_":
        return "nil array" if value == b"*" else "nil"
    return f"{mark}{value.decode('utf-8', 'replace') if isinstance(value, bytes) else value}"


def all_match(pairs: Iterable[tuple[Tree, Tree]], same: Callable[[Tree, Tree], bool]) -> bool:
    return all(same(left, right) for left, right in pairs)
