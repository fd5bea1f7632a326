"""The graph of a vector set: each element linked to near ones, on levels that grow sparser upwards (HNSW).

A search starts at the top and goes towards what it looks for, level by level. Every link is held at both ends, which
servers check when they load one. Elements are put in when ``complete`` is called, not when they are added to the set:
what merely replays a journal never pays for it.
"""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from itertools import chain, product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.engine.vectors import Found, Node, VectorSet

EFFORT = 64  # candidates that are kept in sight while the links of a new element are chosen


class Graph:
    """The links of a set's elements; ``entry`` is where searches begin."""

    __slots__ = ("entry", "held", "owner")

    def __init__(self, owner: VectorSet) -> None:
        self.owner = owner
        self.entry: Node | None = None
        self.held = 0  # elements in the graph

    @property
    def missing(self) -> int:
        """How many elements of the set are not in the graph."""
        return len(self.owner.nodes) - self.held

    def complete(self) -> None:
        """Put every element in that is missing, and see that each can be reached from the entry."""
        if not self.missing:
            return
        for node in self.owner.nodes.values():
            if node.links is None:
                self._insert(node)
        self._connect()

    def adopt(self) -> None:
        """Take over the links that all elements already have, from a file."""
        self.held = len(self.owner.nodes)
        self.entry = max(self.owner.nodes.values(), key=lambda node: node.level, default=None)

    def most(self, level: int) -> int:
        """The most links of an element on a level."""
        return self.owner.m * 2 if level == 0 else self.owner.m

    def remove(self, node: Node) -> None:
        """Take an element out; those it leaves with few links are put in again later."""
        if node.links is None:
            return
        poor: list[Node] = []
        for level, links in enumerate(node.links):
            for other in links:
                assert other.links is not None
                other.links[level].remove(node)
                if level == 0 and len(other.links[0]) < self.owner.m // 2:
                    poor.append(other)
        node.links = None
        self.held -= 1
        for other in poor:
            self._detach(other)
        if self.entry is None or self.entry.links is None:
            linked = (each for each in self.owner.nodes.values() if each.links is not None and each is not node)
            self.entry = max(linked, key=lambda each: each.level, default=None)

    def _detach(self, node: Node) -> None:
        if node.links is None:
            return
        for level, links in enumerate(node.links):
            for other in links:
                assert other.links is not None
                other.links[level].remove(node)
        node.links = None
        self.held -= 1

    # -- search

    def search(self, query: Node, effort: int) -> list[Found]:
        """Up to ``effort`` of the nearest elements, nearest first, as (distance, element)."""
        if self.entry is None:
            return []
        start = self._descend(query, 0)
        return self._around(query, start, 0, effort)

    def _descend(self, query: Node, level: int) -> list[Found]:
        """Where to start on a level: the nearest found on those above."""
        assert self.entry is not None
        found = [(self.owner.near(query, self.entry), self.entry)]
        for above in range(self.entry.level, level, -1):
            found = self._around(query, found, above, 1)
        return found

    def _around(self, query: Node, start: list[Found], level: int, effort: int) -> list[Found]:
        """Walk a level from ``start`` towards the query, with the ``effort`` nearest in sight."""
        owner = self.owner
        near, a, reach, dim = owner.quant.near, query.data, query.reach, owner.dim
        seen = {node for _, node in start}
        todo = [(distance, -at, node) for at, (distance, node) in enumerate(start)]
        best = [(-distance, at, node) for at, (distance, node) in enumerate(start)]
        todo.sort(key=lambda item: item[0])
        best.sort(key=lambda item: item[0])
        turn = len(start)
        while todo:
            distance, _, node = heappop(todo)
            if distance > -best[0][0] and len(best) >= effort:
                break
            assert node.links is not None
            for other in node.links[level]:
                if other in seen:
                    continue
                seen.add(other)
                distance = near(a, reach, other.data, other.reach, dim)
                turn += 1
                if len(best) < effort:
                    heappush(best, (-distance, turn, other))
                elif distance < -best[0][0]:
                    heapreplace(best, (-distance, turn, other))
                else:
                    continue
                heappush(todo, (distance, -turn, other))
        best.sort(key=lambda item: -item[0])
        return [(-distance, node) for distance, _, node in best]

    # -- insert

    def _insert(self, node: Node) -> None:
        found: list[Found] = []
        entry = self.entry
        if entry is not None:
            found = self._descend(node, min(node.level, entry.level))
        node.links = [[] for _ in range(node.level + 1)]
        self.held += 1
        if entry is None:
            self.entry = node
            return
        for level in range(min(node.level, entry.level), -1, -1):
            found = self._around(node, found, level, EFFORT)
            for other in self._chosen(found):
                self._link(node, other, level)
            if not node.links[level]:
                self._force(node, found, level)
        if node.level > entry.level:
            self.entry = node

    def _chosen(self, found: list[Found]) -> list[Node]:
        """Neighbours for a new element: near ones, and rather in several directions than all in one."""
        chosen: list[Node] = []
        passed: list[Node] = []
        near, most = self.owner.near, self.owner.m
        for distance, node in found[: 2 * most]:
            if len(chosen) == most:
                break
            if all(distance < near(node, other) for other in chosen):
                chosen.append(node)
            else:
                passed.append(node)
        return chosen + passed[: most - len(chosen)]

    def _link(self, node: Node, other: Node, level: int) -> bool:
        """Link two elements; one that is full gives up its farthest neighbour for a nearer one, if that has others."""
        assert node.links is not None and other.links is not None
        mine, theirs = node.links[level], other.links[level]
        if other in mine or len(mine) >= self.most(level):
            return False
        if len(theirs) >= self.most(level):
            near = self.owner.near
            worst = max(theirs, key=lambda each: near(other, each))
            assert worst.links is not None
            if len(worst.links[level]) < 2 or near(other, worst) <= near(other, node):
                return False
            theirs.remove(worst)
            worst.links[level].remove(other)
        mine.append(other)
        theirs.append(node)
        return True

    def _force(self, node: Node, found: list[Found], level: int) -> None:
        """Give an element its one link to the nearest that has room, where all that are nearest are full."""
        for _, other in found:
            if self._room(node, other, level):
                return
        for other in self.owner.nodes.values():
            there = other.links is not None and other.level >= level and other is not node
            if there and self._room(node, other, level):
                return

    def _room(self, node: Node, other: Node, level: int) -> bool:
        assert node.links is not None and other.links is not None
        if max(len(other.links[level]), len(node.links[level])) >= self.most(level) or other in node.links[level]:
            return False
        other.links[level].append(node)
        node.links[level].append(other)
        return True

    def _connect(self) -> None:
        """Link what cannot be reached on the lowest level to what can."""
        assert self.entry is not None
        reached = self._reached(self.entry)
        for node in list(self.owner.nodes.values()):
            if node in reached:
                continue
            part = self._reached(node)
            near = self._around(node, self._descend(node, 0), 0, EFFORT)
            by_near = ((mine, other) for mine in (node, *part) for _, other in near)
            for mine, other in chain(by_near, product(part, reached)):
                if self._room(mine, other, 0):
                    break
            reached |= part

    def _reached(self, start: Node) -> set[Node]:
        seen, todo = {start}, [start]
        while todo:
            node = todo.pop()
            assert node.links is not None
            for other in node.links[0]:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen
