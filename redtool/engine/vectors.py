"""Vector sets: elements with a vector each, searched by the angle between vectors.

Vectors are held at length one (``quants``). Searching looks at every element; the graph of near neighbours
(``hnsw``), which servers search and keep in their files, is built when something asks for it: a snapshot, DUMP,
VLINKS. Where it is there and the set is large, searching goes through it.
"""

from __future__ import annotations

from itertools import count
from zlib import crc32

from redtool import errors
from redtool.engine.quants import BYTES, Projection, normalized
from redtool.engine.sampling import KeyArray, array_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from redtool.engine.hnsw import Graph
    from redtool.engine.quants import Floats, Quant

    Found = tuple[float, "Node"]
    Filter = Callable[[bytes], bool]

M = 16  # links of an element on each level but the lowest, which has twice as many
LEVELS = 16
LARGE = 20_000  # elements from which a search goes through the graph, if there is one
SPARE = 16  # more than asked for are measured exactly, since rounding may change their order
NUMBERS = count(1)


class Node:
    """An element: ``data`` and ``reach`` are its vector as the set holds it, ``length`` what the vector had.

    ``links`` are its neighbours in the graph by level, None while it is not in the graph. ``attribute`` is None
    for none; an empty one can be given to a new element.
    """

    __slots__ = ("attribute", "data", "length", "level", "links", "name", "number", "reach")

    def __init__(self, name: bytes, number: int, data: Any, reach: float, length: float, level: int) -> None:
        self.name, self.number, self.data, self.reach, self.length = name, number, data, reach, length
        self.level = level
        self.attribute: bytes | None = None
        self.links: list[list[Node]] | None = None


class VectorSet:
    """Elements in the order in which their vectors were given."""

    __slots__ = ("dim", "graph", "m", "nodes", "number", "projection", "quant", "sampler", "uid")
    kind = b"vectorset"

    def __init__(self, dim: int = 0, quant: Quant = BYTES, m: int = M, projection: Projection | None = None) -> None:
        self.dim, self.quant, self.m, self.projection = dim, quant, m, projection
        self.nodes: dict[bytes, Node] = {}
        self.number = 0  # of the latest element
        self.uid = next(NUMBERS)
        self.graph: Graph | None = None
        self.sampler: KeyArray | None = None

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.nodes)

    def __contains__(self, name: object) -> bool:
        return name in self.nodes

    # -- change

    def put(self, name: bytes, vector: Floats, attribute: bytes | None = None) -> bool:
        """Add an element or give it another vector; True when it is new. An empty attribute takes away an old one."""
        old = self.nodes.pop(name, None)
        unit, length = normalized(vector)
        data, reach = self.quant.pack(unit)
        self.number += 1
        node = Node(name, self.number, data, reach, length, level_of(name))
        if old is None:
            node.attribute = attribute
        else:
            if self.graph is not None:
                self.graph.remove(old)
            node.attribute = old.attribute if attribute is None else attribute or None
        self.nodes[name] = node
        if self.sampler is not None:
            self.sampler.add(name)
        return old is None

    def remove(self, name: bytes) -> bool:
        """Take an element out; tell whether it was there."""
        node = self.nodes.pop(name, None)
        if node is None:
            return False
        if self.graph is not None:
            self.graph.remove(node)
        if self.sampler is not None:
            self.sampler.discard(name)
        return True

    # -- look

    def vector(self, node: Node) -> Floats:
        """The vector that was given for an element, as near as it is held; a BIN one is of -1 and 1."""
        from array import array

        unit = self.quant.unpack(node.data, node.reach, self.dim)
        if self.quant.name == b"bin":
            return unit
        return array("f", [value * node.length for value in unit])

    def query(self, vector: Floats) -> Node:
        """An element to search from, outside the set, for any vector."""
        unit, length = normalized(vector)
        data, reach = self.quant.pack(unit)
        return Node(b"", 0, data, reach, length, 0)

    def query_of(self, node: Node) -> Node:
        """The same for an element of the set, rounded once more as in a server."""
        return self.query(self.vector(node))

    def distance(self, a: Node, b: Node) -> float:
        """0 for the same direction, 1 for a right angle, 2 for the opposite direction; as a server rounds it."""
        return self.quant.distance(a.data, a.reach, b.data, b.reach, self.dim)

    def similarity(self, a: Node, b: Node) -> float:
        """The same from 1 to 0, as it is shown."""
        return 1.0 - self.distance(a, b) / 2.0

    def near(self, a: Node, b: Node) -> float:
        """The distance without the care for its last digits."""
        return self.quant.near(a.data, a.reach, b.data, b.reach, self.dim)

    def search(self, query: Node, wanted: int, effort: int = 0, exact: bool = False,
               accept: Filter | None = None) -> list[Found]:  # fmt: skip
        """The nearest elements with their distances, nearest first: ``wanted`` of them, or all."""
        if effort and not exact and accept is None and len(self.nodes) > LARGE and self.linked:
            assert self.graph is not None
            pairs: Sequence[Found] = self.graph.search(query, max(effort, wanted))[: wanted + SPARE]
        else:
            pairs = self._nearest(query, wanted + SPARE, accept)
        measured = [(self.distance(query, node), node) for _, node in pairs]
        return sorted(measured, key=_by_distance)[:wanted]

    def _nearest(self, query: Node, wanted: int, accept: Filter | None) -> Sequence[Found]:
        near, a, reach, dim = self.quant.near, query.data, query.reach, self.dim
        pairs = [(near(a, reach, node.data, node.reach, dim), node) for node in self.nodes.values()]
        if accept is None and wanted < len(pairs):
            from heapq import nsmallest

            return nsmallest(wanted, pairs, key=_by_distance)
        pairs.sort(key=_by_distance)
        if accept is None:
            return pairs
        found: list[Found] = []
        for pair in pairs:
            attribute = pair[1].attribute
            if attribute is not None and accept(attribute):
                found.append(pair)
                if len(found) == wanted:
                    break
        return found

    # -- the graph

    @property
    def linked(self) -> bool:
        """Whether the graph is there and holds every element."""
        return self.graph is not None and not self.graph.missing

    def with_graph(self) -> Graph:
        """The graph with every element in it: built now, or brought up to date."""
        from redtool.engine.hnsw import Graph

        if self.graph is None:
            self.graph = Graph(self)
        self.graph.complete()
        return self.graph

    @property
    def max_level(self) -> int:
        return max((node.level for node in self.nodes.values()), default=0)

    # -- what every value answers

    def array(self) -> KeyArray:
        """The names as an array; kept from then on if the set is large."""
        return array_of(self)

    def packed(self, limits: Mapping[str, Any]) -> None:
        """Redis has no compact form of it."""

    def encoding(self, limits: Mapping[str, Any]) -> bytes:
        """What OBJECT ENCODING answers: a module's value has no other."""
        return b"raw"

    def nbytes(self, samples: int = 5) -> int:
        """Python bytes held, estimated from ``samples`` elements (0: all)."""
        from redtool.engine.memory import array, container

        size = container(self) + container(self.nodes) + array(self.sampler)
        if self.projection is not None:
            size += sum(map(container, self.projection.rows))
        total, wanted = len(self.nodes), min(samples or len(self.nodes), len(self.nodes))
        if wanted:
            some = zip(self.nodes.values(), range(wanted), strict=False)
            size += sum(_node_size(node) for node, _ in some) * total // wanted
        return size

    def twin(self) -> VectorSet:
        """One with elements of its own that are the same, for a snapshot; and with their links if all have some."""
        other = VectorSet(self.dim, self.quant, self.m, self.projection)
        other.number, nodes = self.number, other.nodes
        for name, node in self.nodes.items():
            nodes[name] = Node(name, node.number, node.data, node.reach, node.length, node.level)
            nodes[name].attribute = node.attribute
        if self.linked:
            from redtool.engine.hnsw import Graph

            for name, node in self.nodes.items():
                nodes[name].links = [[nodes[near.name] for near in level] for level in node.links or ()]
            other.graph = Graph(other)
            other.graph.adopt()
        return other

    def copy(self) -> VectorSet:
        """Servers cannot copy one, and would lose what comes after in a journal that says so."""
        raise errors.ReplyError("not supported for this module key")


def level_of(name: bytes) -> int:
    """The highest level of an element in the graph: three of four stay on the lowest, and so on.

    Servers draw it; by the name it is the same each time a journal is replayed.
    """
    level, bits = 0, crc32(name, len(name)) or 1 << 30
    while bits & 3 == 0 and level < LEVELS - 1:
        level += 1
        bits >>= 2
    return level


def _by_distance(found: Found) -> float:
    distance = found[0]
    return distance if distance == distance else 3.0  # what is no number comes last


def _node_size(node: Node) -> int:
    from redtool.engine.memory import NUMBER, SIZES, container

    size = container(node) + SIZES[len(node.name)] + container(node.data) + 3 * NUMBER
    if node.attribute is not None:
        size += SIZES[len(node.attribute)]
    if node.links is not None:
        size += container(node.links) + sum(map(container, node.links))
    return size
