"""Draw random valid command lines from a syntax tree, for tests that compare servers.

>>> draw(Syntax("LPUSH key element [element ...]"), random.Random(1), lambda word, kind: b"x")
[b'LPUSH', b'x', b'x', b'x']
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from redtool.grammar import Syntax
from redtool.notation import ARG, BAG, CHOICE, OPT, POOL, REP, TOKEN, Node
from redtool.placeholders import type_of

ValueFor = Callable[[str, str], bytes]
MOST = 3  # rounds of a repetition


class Draw:
    """One drawing. ``value_for(placeholder, type)`` gives the arguments; counts (numkeys) are filled in right."""

    def __init__(self, syntax: Syntax, rng: random.Random, value_for: ValueFor) -> None:
        self.rng, self.value_for = rng, value_for
        self.name = " ".join(syntax.name)
        self.counted = 1  # rounds of the last counted repetition, for weights

    def node(self, node: Node) -> list[bytes]:
        kind, rng = node.kind, self.rng
        if kind == TOKEN:
            return [node.text.encode() if rng.random() < 0.7 else node.text.lower().encode()]
        if kind == ARG:
            return [self.value_for(node.text, type_of(self.name, node.text))]
        if kind == CHOICE:
            return self.node(rng.choice(node.items))
        if kind == OPT:
            return self.node(node.items[0]) if rng.random() < 0.4 else []
        if kind == REP:
            rounds = self.counted if node.items[0].text == "weight" else rng.randint(node.low, MOST)
            return [word for _ in range(rounds) for word in self.node(node.items[0])]
        if kind == BAG:
            return self.parts(rng.sample(node.items, len(node.items)))
        if kind == POOL:
            rounds = rng.randint(1, MOST)
            return [word for item in node.items for _ in range(rounds) for word in self.node(item)]
        return self.parts(list(node.items))

    def parts(self, parts: list[Node]) -> list[bytes]:
        words: list[bytes] = []
        at = 0
        while at < len(parts):
            part = parts[at]
            at += 1
            following = parts[at] if at < len(parts) else None
            if following is not None and following.kind == OPT:
                following = following.items[0]
            if part.text.startswith("num") and following is not None and following.kind == REP:
                self.counted = self.rng.randint(following.low and parts[at].kind == REP, MOST)
                words.append(b"%d" % self.counted)
                words += [word for _ in range(self.counted) for word in self.node(following.items[0])]
                at += 1
            else:
                words += self.node(part)
        return words


def draw(syntax: Syntax, rng: random.Random, value_for: ValueFor) -> list[bytes]:
    """A random valid line: any options in any order, counts right, repetitions of up to MOST rounds."""
    return [*(word.encode() for word in syntax.name), *Draw(syntax, rng, value_for).node(syntax.tree)]


def plain_value(placeholder: str, kind: str) -> bytes:
    """An argument that fits the type, the same each time."""
    return {"integer": b"1", "double": b"1.5", "unix-time": b"9999999999", "cursor": b"0", "id": b"1-1",
            "pattern": b"*", "bound": b"1"}.get(kind, placeholder.encode())  # fmt: skip


class _Shortest(random.Random):
    """Takes no option, one round, the first alternative, tokens as written."""

    def random(self) -> float:
        return 0.5

    def randint(self, low: int, high: int) -> int:
        return int(low)

    def choice(self, items: tuple[Node, ...]) -> Node:  # type: ignore[override]
        return items[0]

    def sample(self, items: tuple[Node, ...], count: int) -> list[Node]:  # type: ignore[override]
        return list(items)


def shortest(syntax: Syntax, value_for: ValueFor = plain_value) -> list[bytes]:
    """The shortest valid line."""
    return draw(syntax, _Shortest(), value_for)


def each_option(syntax: Syntax, value_for: ValueFor = plain_value) -> Iterator[list[bytes]]:
    """The shortest line with each option alone, and with each alternative of a choice."""
    for tree in _variants(syntax.tree):
        drawing = Draw(syntax, _Shortest(), value_for)
        yield [*(word.encode() for word in syntax.name), *drawing.node(tree)]


def _variants(node: Node) -> Iterator[Node]:
    """The tree with one optional part made mandatory, or one choice made, at a time."""
    if node.kind == OPT:
        yield node.items[0]
        yield from _variants(node.items[0])
    elif node.kind == CHOICE:
        for item in node.items[1:]:
            yield item
            yield from _variants(item)
    else:
        for at, item in enumerate(node.items):
            for variant in _variants(item):
                items = (*node.items[:at], variant, *node.items[at + 1 :])
                yield Node(node.kind, node.text, items, node.low, node.high)
