"""The grammar of every command as one small state machine, for shells to walk without starting Python.

A state says which words may come next and where they lead. It is made by taking derivatives of the syntax
tree (``matching.derive``), with the options of a run left in place (``loosened``): which of them were used is
kept by the shell, by group. States that lead to the same words are one (partition refinement), so 200
commands need a few hundred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from redtool.commands.table import Command
from redtool.matching import derive, firsts
from redtool.notation import BAG, CHOICE, OPT, POOL, REP, SEQ, TOKEN, Node, seq, tokens_first
from redtool.placeholders import type_of

# What a shell can offer for an argument, by its type or else by its name; the others are "x", any word.
KINDS = {"key": "k", "command": "c", "parameter": "p", "section": "s", "type": "t", "category": "a", "encoding": "x"}

MOST_STATES = 200  # of one command; the greatest has some twenty

Label = tuple[str, str]  # (token, group of options), or ("?", kinds) for any other word
Edges = dict[Label, int]


class Machine:
    """``states[n]`` are the edges of state n, ``starts`` the state after the name of each command."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.states: list[Edges] = []
        self.starts: dict[str, int] = {}
        for command in commands:
            self.starts[command.name] = self._add(command)
        self._minimise()

    def _add(self, command: Command) -> int:
        if command.subs is not None:
            here = len(self.states)
            self.states.append({})
            for name, sub in command.subs.items():
                self.states[here][name.decode(), ""] = self._add(sub)
            return here
        return _Determined(command, self.states).start

    def _minimise(self) -> None:
        """Merge states that cannot be told apart: split one class until no edge tells two of a class apart."""
        block = [0] * len(self.states)
        while True:
            seen: dict[object, int] = {}
            after = [
                seen.setdefault((block[at], tuple((label, block[to]) for label, to in edges.items())), len(seen))
                for at, edges in enumerate(self.states)
            ]
            if len(seen) == len(set(block)):
                break
            block = after
        merged: dict[int, Edges] = {}
        for at, edges in enumerate(self.states):
            merged.setdefault(block[at], {label: block[to] for label, to in edges.items()})
        self.states = [merged[at] for at in range(len(merged))]
        self.starts = {name: block[at] for name, at in self.starts.items()}


class _Determined:
    """The states of one command: a state is the set of trees that may remain."""

    def __init__(self, command: Command, states: list[Edges]) -> None:
        self.command, self.states = command, states
        self.groups = groups(command)
        self.numbers: dict[frozenset[Node], int] = {}
        self.todo: deque[frozenset[Node]] = deque()
        self.start = self._number([loosened(command.syntax.tree)])
        while self.todo:
            trees = self.todo.popleft()
            self.states[self.numbers[trees]] = self._edges(trees)

    def _number(self, trees: Iterable[Node]) -> int:
        key = frozenset(map(capped, trees))
        if key not in self.numbers:
            if len(self.numbers) > MOST_STATES:
                raise ValueError(f"the states of {self.command.name} do not come to an end")
            self.numbers[key] = len(self.states)
            self.states.append({})
            self.todo.append(key)
        return self.numbers[key]

    def _edges(self, trees: frozenset[Node]) -> Edges:
        leaves = {(leaf.kind, leaf.text): leaf for tree in sorted(trees, key=str) for leaf, _ in firsts(tree, False)}
        edges: Edges = {}
        kinds: set[str] = set()
        others: list[Node] = []
        for kind, text in leaves:
            if kind == TOKEN and text[:1].isalpha():
                rests = list(self._rests(trees, text.upper(), True))
                edges[text.upper(), self.groups.get(text.upper(), "")] = self._number(rests)
            else:
                kinds.add("x" if kind == TOKEN else self._kind(text))
                others += self._rests(trees, text, kind == TOKEN)
        if kinds:
            edges["?", "".join(sorted(kinds))] = self._number(others)
        return edges

    def _rests(self, trees: frozenset[Node], text: str, token: bool) -> Iterator[Node]:
        for tree in trees:
            for rest, leaf in derive(tree, text if token else "\0", b"\0", False):
                if (leaf.kind == TOKEN) == token and (token or leaf.text == text):
                    yield rest

    def _kind(self, text: str) -> str:
        return "n" if text == "numkeys" else KINDS.get(type_of(self.command.name, text), "x")


def groups(command: Command) -> dict[str, str]:
    """Option word -> the group of options of which a line may have one; what may come again has none."""
    found: dict[str, str] = {}
    for word, option in command.syntax.options.items():
        if not option.many:
            rivals = [other.decode() for other in sorted(option.excludes) if other.decode() in found]
            found[word.decode()] = found[rivals[0]] if rivals else str(len(set(found.values())) + 1)
    return found


def loosened(node: Node) -> Node:
    """A tree in which the options of a run may come again and again, which keeps the states few."""
    items = tuple(map(loosened, node.items))
    if node.kind == BAG:
        return Node(REP, items=(Node(CHOICE, items=tuple(map(once, items))),), low=0)
    if node.kind == SEQ:
        return seq(items)
    return Node(node.kind, node.text, items, node.low, node.high) if items else node


def once(node: Node) -> Node:
    """An option without the signs that it may be left out or come again, where the run around it says so."""
    while node.kind in (OPT, REP) and tokens_first(node):
        node = node.items[0]
    return node


def capped(node: Node) -> Node:
    """A tree that has no more of what may be left out than matters: the states must come to an end.

    A POOL counts its rounds no further than two, and an option that is left over from each round stands once.
    """
    if node.kind == POOL:
        return Node(POOL, items=node.items, low=min(node.low, 2))
    items: list[Node] = []
    for item in map(capped, node.items):
        if not (node.kind in (SEQ, BAG) and item.nullable and item in items):
            items.append(item)
    if tuple(items) == node.items:
        return node
    return seq(items) if node.kind == SEQ else Node(node.kind, node.text, tuple(items), node.low, node.high)
