"""Vector sets in RDB files: data of the module type "vectorset" (value type 7).

The head is dimension, number of elements, quantisation and links (M << 8), flags, and the projection where there is
one. Then each element, the latest first: name, attributes (if any element has some), vector, and numbers: its own,
its level, for each level its links by their numbers and which is the farthest, at last length and reach. A server
checks that each link is there from both ends. Links that do not fit are forgotten here: the graph is built anew when
it is needed.
"""

from __future__ import annotations

from struct import Struct

from redtool.engine.hnsw import Graph
from redtool.engine.quants import QUANTS, Projection
from redtool.engine.vectors import LEVELS, Node, VectorSet
from redtool.errors import Unfit
from redtool.persist.codecs import Damaged, length, pack_length, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from redtool.persist.codecs import Add, Buffer

    Links = list[list[int]]

NAME = "vectorset"
FORMS = range(10, 80)  # file versions, the first as for all that came after version 9; Valkey has no vector sets
TYPE_ID = 0xBDE72DA2BB1EB400  # the name, nine letters of six bits, above ten bits of version
MODULE_2 = 7
END, UNSIGNED, STRING = 0, 2, 5
PROJECTED, ATTRIBUTED = 1, 2
WITH_FARTHEST = 1 << 24  # beside an element's level: each level's links end with the farthest one
MOST_PARTS = 1 << 24
TWO_FLOATS = Struct("<ff")
HALVES = Struct("<If")


class _Reader:
    """The tagged items of a module's data."""

    __slots__ = ("data", "pos")

    def __init__(self, data: Buffer, pos: int) -> None:
        self.data, self.pos = data, pos

    def _tag(self, wanted: int) -> None:
        tag, self.pos = length(self.data, self.pos)
        if tag != wanted:
            raise Damaged("an item of a vector set is of another kind than expected")

    def number(self) -> int:
        self._tag(UNSIGNED)
        value, self.pos = length(self.data, self.pos)
        return value

    def text(self) -> bytes:
        self._tag(STRING)
        value, self.pos = string(self.data, self.pos)
        return value

    def end(self) -> int:
        self._tag(END)
        return self.pos


def load(data: Buffer, pos: int, version: int) -> tuple[VectorSet | None, int]:
    """Read what follows the type's id."""
    if version:
        raise Damaged(f"version {version} of vector sets is not supported")
    reader = _Reader(data, pos)
    dim, count, form, flags = (reader.number() for _ in range(4))
    if not 0 < dim <= MOST_PARTS or form & 0xFF >= len(QUANTS) or flags & ~(PROJECTED | ATTRIBUTED):
        raise Damaged("the head of a vector set is damaged")
    value = VectorSet(dim, QUANTS[form & 0xFF], form >> 8 & 0xFFFF)
    if flags & PROJECTED:
        size = reader.number()
        value.projection = Projection.of_bytes(reader.text(), size, dim)
    numbers: dict[int, tuple[Node, Links]] = {}
    for _ in range(count):
        node, links = _element(reader, value, bool(flags & ATTRIBUTED))
        numbers[node.number] = node, links
    value.nodes = {node.name: node for node, _ in reversed(numbers.values())}
    if len(value.nodes) != count:
        raise Damaged("a vector set holds an element twice")
    value.number = max(numbers, default=0)
    if count and _resolved(value, numbers):
        value.graph = Graph(value)
        value.graph.adopt()
    return value if count else None, reader.end()


def _element(reader: _Reader, value: VectorSet, attributed: bool) -> tuple[Node, Links]:
    name = reader.text()
    attribute = reader.text() if attributed else b""
    data = value.quant.of_bytes(reader.text(), value.dim)
    count = reader.number()
    if count < 3 or count > len(reader.data):
        raise Damaged("an element of a vector set has too few numbers")
    numbers = [reader.number() for _ in range(count)]
    number, level = numbers[0], numbers[1] & (WITH_FARTHEST - 1)
    if level >= LEVELS:
        raise Damaged("an element of a vector set has too many levels")
    size, reach = TWO_FLOATS.unpack(numbers[-1].to_bytes(8, "little"))
    node = Node(name, number, data, reach, size, level)
    node.attribute = attribute or None
    links: Links = []
    at = 2
    for _ in range(level + 1):
        many = numbers[at]
        links.append(numbers[at + 2 : at + 2 + many])
        at += 2 + many + bool(numbers[1] & WITH_FARTHEST)
    if at + 1 != count:
        raise Damaged("the links of an element are damaged")
    return node, links


def _resolved(value: VectorSet, numbers: dict[int, tuple[Node, Links]]) -> bool:
    """Turn numbers into elements; False, and no links, unless each link is right and there from both ends."""
    pairs: set[tuple[int, int, int]] = set()
    total = 0
    for number, (node, links) in numbers.items():
        node.links = []
        for level, others in enumerate(links):
            found = [numbers[other][0] for other in others if other in numbers and other != number]
            node.links.append([other for other in found if other.level >= level])
            total += len(others)
            pairs.update((level, number, other.number) for other in node.links[-1])
    if total == len(pairs) and all((level, other, number) in pairs for level, number, other in pairs):
        return True
    for node in value.nodes.values():
        node.links = None
    return False


def save(value: VectorSet, add: Add, form: int) -> int:
    """Write a set with its graph, which is built first if need be. Raises Unfit for files no Redis 8 reads."""
    if form not in FORMS:
        raise Unfit("a vector set")
    graph = value.with_graph()
    attributed = any(node.attribute for node in value.nodes.values())
    add(pack_length(TYPE_ID))
    flags = (PROJECTED if value.projection is not None else 0) | (ATTRIBUTED if attributed else 0)
    for number in (value.dim, len(value), value.quant.number | value.m << 8, flags):
        add(b"\x02" + pack_length(number))
    if value.projection is not None:
        add(b"\x02" + pack_length(value.projection.size))
        _add_text(add, value.projection.to_bytes())
    for node in reversed(value.nodes.values()):
        _add_text(add, node.name)
        if attributed:
            _add_text(add, node.attribute or b"")
        _add_text(add, value.quant.to_bytes(node.data, value.dim))
        numbers = list(_numbers(value, graph, node))
        add(b"\x02" + pack_length(len(numbers)))
        add(b"".join([b"\x02" + pack_length(number) for number in numbers]))
    add(b"\0")
    return MODULE_2


def _numbers(value: VectorSet, graph: Graph, node: Node) -> Iterator[int]:
    """An element's numbers as ``_element`` reads them."""
    yield node.number
    yield node.level | WITH_FARTHEST
    assert node.links is not None
    for level, links in enumerate(node.links):
        yield len(links)
        yield graph.most(level)
        yield from (other.number for other in links)
        distances = [value.near(node, other) for other in links]
        farthest = max(distances, default=0.0)
        place = distances.index(farthest) if farthest in distances else 0
        yield int.from_bytes(HALVES.pack(place, farthest), "little")
    yield int.from_bytes(TWO_FLOATS.pack(node.length, node.reach), "little")


def _add_text(add: Add, text: bytes) -> None:
    add(b"\x05" + pack_length(len(text)))
    add(text)
