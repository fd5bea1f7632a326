"""Vector sets: elements with vectors, found by how near they are. Commands of Redis 8's vector set module.

Servers publish no keyspace event for what these change, and count words themselves (arity -1).
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.picks import drawn, to_draws
from redtool.commands.table import group
from redtool.engine.quants import BITS, BYTES, FULL, Projection
from redtool.engine.vectors import M, VectorSet
from redtool.numeric import to_int, to_score
from redtool.resp import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from redtool.engine.quants import Floats, Quant
    from redtool.engine.vectors import Found, Node
    from redtool.resp import Reply
    from redtool.session import Session

    Words = tuple[bytes, ...]

command = group("module")

QUANTS: dict[bytes, Quant] = {b"NOQUANT": FULL, b"Q8": BYTES, b"BIN": BITS}
COUNT = 10  # elements that VSIM gives
EFFORT = 100  # candidates that it looks at
MOST_EFFORT = 1_000_000
MOST_LINKS = 4096
MOST_FACTORS = 1 << 28  # of a projection; a server that has not the memory for one ends
VECTOR = "<FP32 vector | VALUES num value [value ...]>"


@command(f"VADD key [REDUCE dim] {VECTOR} element [CAS] [NOQUANT | Q8 | BIN] [EF build-exploration-factor] "
         "[SETATTR attributes] [M numlinks]", "write denyoom module", since="8.0.0",
         complexity="O(D) parts of the vector", arity=-1)  # fmt: skip
def vadd(c: Session, *args: bytes) -> Reply:
    """Add an element with its vector, or give it another vector; 1 when it is new.

    > VADD places VALUES 2 2.35 48.85 Paris SETATTR '{"people": 2.1}'
    (integer) 1
    > VADD places VALUES 2 13.4 52.5 Berlin
    (integer) 1
    > VSIM places ELE Paris
    1) "Paris"
    2) "Berlin"
    """
    if len(args) < 4:
        raise errors.WrongArity("VADD")
    key = args[0]
    vector, reduced, used = read_vector(args[1:], reduce=True)
    if len(args) <= 1 + used:
        raise errors.WrongArity("VADD")
    opt = addition(args[2 + used :])
    quant, links = opt["quant"], opt["links"]
    value = c.writable(key, VectorSet)
    if value is None:
        value = created(len(vector), reduced, quant, links)
        c.put(key, value)
    else:
        check_fit(value, len(vector), reduced, quant, links)
    if value.projection is not None:
        vector = value.projection.apply(vector)
    added = value.put(args[1 + used], vector, opt["attributes"])
    c.changed(key, b"")
    return truth(c, added)


def read_vector(args: Words, reduce: bool = False) -> tuple[Floats, int, int]:
    """Read a vector: it, the length to reduce it to or 0, and the number of words read."""
    from array import array

    reduced = used = 0
    try:
        if reduce and len(args) > 2 and args[0].upper() == b"REDUCE":
            reduced, used = to_int(args[1]), 2
            if reduced < 1:
                raise ValueError
        form, text = args[used].upper(), args[used + 1]
        if form == b"FP32" and text:
            return array("f", text), reduced, used + 2
        if form != b"VALUES":
            raise ValueError
        count = to_int(text)
        values = args[used + 2 : used + 2 + count]
        if count < 1 or len(values) < count:
            raise ValueError
        return array("f", [to_score(value) for value in values]), reduced, used + 2 + count
    except (ValueError, IndexError, errors.ReplyError):
        raise errors.ReplyError("invalid vector specification") from None


def addition(words: Words) -> dict[str, Any]:
    """Read what may follow the element of VADD."""
    opt: dict[str, Any] = {"quant": BYTES, "links": M, "attributes": None}
    rest = iter(words)
    for word in rest:
        option = word.upper()
        if option in QUANTS:
            opt["quant"] = QUANTS[option]
            continue
        if option == b"CAS":  # asks a server to look for neighbours in another thread
            continue
        text = next(rest, None)
        if text is None or option not in (b"EF", b"M", b"SETATTR"):
            raise errors.ReplyError("invalid option after element")
        if option == b"EF":  # of the server's search for neighbours
            bounded(text, "EF", 1, MOST_EFFORT)
        elif option == b"M":
            opt["links"] = bounded(text, "M", 4, MOST_LINKS)
        else:
            opt["attributes"] = text
    return opt


def bounded(text: bytes, name: str, low: int, high: int | None = None) -> int:
    """Read the number of an option."""
    try:
        number = to_int(text)
    except errors.ReplyError:
        number = low - 1
    if number < low or (high is not None and number > high):
        raise errors.ReplyError(f"invalid {name}")
    return number


def created(size: int, reduced: int, quant: Quant, links: int) -> VectorSet:
    """An empty set for vectors of this size."""
    if reduced * size > MOST_FACTORS:
        raise errors.ReplyError("unable to create a Vector Set: out of memory")
    return VectorSet(reduced or size, quant, links, Projection.of(size, reduced) if reduced else None)


def check_fit(value: VectorSet, size: int, reduced: int, quant: Quant, links: int) -> None:
    """Refuse a vector that does not fit a set, with a server's words for the first reason."""
    if value.quant is not quant:
        raise errors.ReplyError("asked quantization mismatch with existing vector set")
    if (size if value.projection is None else reduced) != value.dim:
        raise mismatch(size, value)
    if value.m != links:
        raise errors.ReplyError("asked M value mismatch with existing vector set")
    if reduced and value.projection is None:
        raise errors.ReplyError("cannot add projection to existing set without projection")
    check_input(value, size)


def check_input(value: VectorSet, size: int) -> None:
    """Refuse a vector that the set's projection cannot take."""
    if value.projection is not None and size != value.projection.size:
        raise errors.ReplyError(f"Input dimension mismatch for projection - got {size} but projection expects "
                                f"{value.projection.size}")  # fmt: skip


def mismatch(size: int, value: VectorSet) -> errors.ReplyError:
    return errors.ReplyError(f"Vector dimension mismatch - got {size} but set has {value.dim}")


def truth(c: Session, value: object) -> Reply:
    """A boolean, 1 or 0 where the protocol has none."""
    return bool(value) if c.proto == 3 else int(bool(value))


@command("VREM key element", "write module", since="8.0.0", complexity="O(1)", arity=-1)
def vrem(c: Session, *args: bytes) -> Reply:
    """Remove an element; 1 when it was there.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VREM places Paris
    (integer) 1
    > VCARD places
    (integer) 0
    """
    key, element = exactly("VREM", args, 2)
    value = c.writable(key, VectorSet)
    if value is None or not value.remove(element):
        return truth(c, False)
    if not value:
        c.remove(key)
    c.changed(key, b"")
    return truth(c, True)


@command("VSETATTR key element attributes", "write module fast", since="8.0.0", arity=-1)
def vsetattr(c: Session, *args: bytes) -> Reply:
    """Give an element attributes, JSON that VSIM filters by; an empty text: none.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VSETATTR places Paris '{"people": 2.1}'
    (integer) 1
    > VSIM places ELE Paris FILTER '.people > 2'
    1) "Paris"
    """
    key, element, attributes = exactly("VSETATTR", args, 3)
    value = c.writable(key, VectorSet)
    node = None if value is None else value.nodes.get(element)
    if node is None:
        return truth(c, False)
    node.attribute = attributes or None
    c.changed(key, b"")
    return truth(c, True)


def exactly(name: str, args: Words, most: int, least: int | None = None) -> Words:
    """Refuse another number of words."""
    if not (most if least is None else least) <= len(args) <= most:
        raise errors.WrongArity(name)
    return args


# -- look


@command("VCARD key", "readonly module fast", since="8.0.0", arity=-1)
def vcard(c: Session, *args: bytes) -> Reply:
    """Give the number of elements, 0 when missing.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VCARD places
    (integer) 1
    """
    (key,) = exactly("VCARD", args, 1)
    return len(c.readable(key, VectorSet) or ())


@command("VDIM key", "readonly module fast", since="8.0.0", arity=-1)
def vdim(c: Session, *args: bytes) -> Reply:
    """Give the number of parts that each vector has, once reduced.

    > VADD places REDUCE 2 VALUES 3 2.35 48.85 35 Paris
    (integer) 1
    > VDIM places
    (integer) 2
    """
    (key,) = exactly("VDIM", args, 1)
    value = c.readable(key, VectorSet)
    if value is None:
        raise errors.ReplyError("key does not exist")
    return value.dim


def found(c: Session, key: bytes, element: bytes) -> tuple[VectorSet, Node] | None:
    """A set and its element, None when either is missing."""
    value = c.readable(key, VectorSet)
    node = None if value is None else value.nodes.get(element)
    return None if node is None else (value, node)


@command("VEMB key element [RAW]", "readonly module fast", since="8.0.0", complexity="O(D) parts of the vector",
         arity=-1)  # fmt: skip
def vemb(c: Session, *args: bytes) -> Reply:
    """Give the vector of an element, as near as it is held; RAW: its bytes.

    > VADD places VALUES 2 2.5 48.75 Paris NOQUANT
    (integer) 1
    > VEMB places Paris
    1) "2.5"
    2) "48.75"
    > VEMB places London
    (nil)
    """
    if len(args) < 2:
        raise errors.WrongArity("VEMB")
    there = found(c, args[0], args[1])
    if len(args) > 3 or (len(args) == 3 and args[2].upper() != b"RAW"):
        raise errors.ReplyError("invalid option")
    if there is None:
        return None
    value, node = there
    if len(args) == 2:
        return list(value.vector(node))
    raw: list[Reply] = [Status(value.quant.name), value.quant.to_bytes(node.data, value.dim), node.length]
    return [*raw, node.reach] if value.quant is BYTES else raw


@command("VGETATTR key element", "readonly module fast", since="8.0.0", arity=-1)
def vgetattr(c: Session, *args: bytes) -> Reply:
    """Give the attributes of an element; nil without.

    > VADD places VALUES 2 2.35 48.85 Paris SETATTR '{"people": 2.1}'
    (integer) 1
    > VGETATTR places Paris
    "{\\"people\\": 2.1}"
    """
    key, element = exactly("VGETATTR", args, 2)
    there = found(c, key, element)
    return None if there is None else there[1].attribute


@command("VISMEMBER key element", "readonly module", since="8.0.0", arity=-1)
def vismember(c: Session, *args: bytes) -> Reply:
    """Tell whether an element is in the set: 1 or 0.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VISMEMBER places Paris
    (integer) 1
    """
    key, element = exactly("VISMEMBER", args, 2)
    return truth(c, found(c, key, element))


@command("VRANDMEMBER key [count]", "readonly module", since="8.0.0", complexity="O(N) elements given", arity=-1)
def vrandmember(c: Session, *args: bytes) -> Reply:
    """Give an element at random, or count different ones, or -count that may repeat.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VRANDMEMBER places
    "Paris"
    > VRANDMEMBER places -2
    1) "Paris"
    2) "Paris"
    """
    key = exactly("VRANDMEMBER", args, 2, 1)[0]
    try:
        number = to_draws(args[1]) if len(args) == 2 else 1
    except errors.ReplyError:
        raise errors.ReplyError("COUNT value is not an integer") from None
    value = c.readable(key, VectorSet)
    if len(args) == 1:
        return None if value is None else drawn(c, value, -1)[0]
    return [] if value is None else drawn(c, value, number)


@command("VINFO key", "readonly module fast", since="8.0.0", complexity="O(N) elements", arity=-1)
def vinfo(c: Session, *args: bytes) -> Reply:
    """Describe a vector set: how vectors are held, and how many; nil when missing.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VINFO places
     1) quant-type
     2) int8
     3) hnsw-m
     4) (integer) 16
     5) vector-dim
     6) (integer) 2
     7) projection-input-dim
     8) (integer) 0
     9) size
    10) (integer) 1
    …
    """
    (key,) = exactly("VINFO", args, 1)
    value = c.readable(key, VectorSet)
    if value is None:
        return c.no_array
    facts: dict[bytes, Reply] = {
        b"quant-type": Status(value.quant.name),
        b"hnsw-m": value.m,
        b"vector-dim": value.dim,
        b"projection-input-dim": value.projection.size if value.projection is not None else 0,
        b"size": len(value),
        b"max-level": value.max_level,
        b"attributes-count": sum(bool(node.attribute) for node in value.nodes.values()),
        b"vset-uid": value.uid,
        b"hnsw-max-node-uid": value.number,
    }
    return {Status(name): fact for name, fact in facts.items()}


@command("VLINKS key element [WITHSCORES]", "readonly module fast", since="8.0.0",
         complexity="O(1) once the graph is there, O(N log N) to build it", arity=-1)  # fmt: skip
def vlinks(c: Session, *args: bytes) -> Reply:
    """Give the neighbours of an element in the graph, from its top level down.

    > VADD places VALUES 2 2.35 48.85 Paris
    (integer) 1
    > VADD places VALUES 2 13.4 52.5 Berlin
    (integer) 1
    > VLINKS places Paris
    1) 1) "Berlin"
    """
    key, element = exactly("VLINKS", args, 3, 2)[:2]
    if len(args) == 3 and args[2].upper() != b"WITHSCORES":
        raise errors.WrongArity("VLINKS")
    there = found(c, key, element)
    if there is None:
        return None
    value, node = there
    value.with_graph()
    assert node.links is not None
    if len(args) == 2:
        return [[other.name for other in links] for links in reversed(node.links)]
    levels = [[(other.name, value.similarity(node, other)) for other in links] for links in reversed(node.links)]
    return [named(c, pairs) for pairs in levels]


def named(c: Session, pairs: Iterable[tuple[bytes, Reply]]) -> Reply:
    """A map, flat where the protocol has none."""
    if c.proto == 3:
        return dict(pairs)
    return [word for pair in pairs for word in pair]


# -- search


@command("VSIM key <ELE element | FP32 vector | VALUES num value [value ...]> [WITHSCORES] [WITHATTRIBS] "
         "[COUNT num] [EPSILON delta] [EF search-exploration-factor] [FILTER expression] [FILTER-EF max-effort] "
         "[TRUTH] [NOTHREAD]", "readonly module", since="8.0.0",
         complexity="O(N) elements", arity=-1)  # fmt: skip
def vsim(c: Session, *args: bytes) -> Reply:
    """Give the elements nearest to an element or a vector, with scores from 1 to 0.

    > VADD films VALUES 3 0.1 0.9 0.3 Alien SETATTR '{"year": 1979}' NOQUANT
    (integer) 1
    > VADD films VALUES 3 0.2 0.8 0.4 Aliens SETATTR '{"year": 1986}' NOQUANT
    (integer) 1
    > VSIM films VALUES 3 0.1 0.9 0.3 WITHSCORES
    1) "Alien"
    2) "1"
    3) "Aliens"
    4) "0.9918221533298492"
    > VSIM films ELE Alien FILTER '.year > 1980'
    1) "Aliens"
    """
    if len(args) < 3:
        raise errors.WrongArity("VSIM")
    value = c.readable(args[0], VectorSet)
    if value is None:
        return []
    query, used = wanted(value, args[1:])
    opt = search_options(args[1 + used :])
    exact = b"TRUTH" in opt
    accept = opt.get(b"FILTER")
    pairs = value.search(query, min(opt[b"COUNT"], len(value)), opt[b"EF"], exact, accept)
    limit = opt[b"EPSILON"] * 2  # it is in the terms of scores
    return scored(c, [pair for pair in pairs if not pair[0] > limit], b"WITHSCORES" in opt, b"WITHATTRIBS" in opt)


def wanted(value: VectorSet, args: Words) -> tuple[Node, int]:
    """What to look for, and the number of words that say so."""
    if args[0].upper() == b"ELE":
        node = value.nodes.get(args[1])
        if node is None:
            raise errors.ReplyError("element not found in set")
        return value.query_of(node), 2
    vector, _, used = read_vector(args)
    if value.projection is not None and len(vector) != value.dim:
        check_input(value, len(vector))
        vector = value.projection.apply(vector)
    if len(vector) != value.dim:
        raise mismatch(len(vector), value)
    return value.query(vector), used


def search_options(words: Words) -> dict[bytes, Any]:
    """Read the options of VSIM."""
    opt: dict[bytes, Any] = {b"COUNT": COUNT, b"EF": EFFORT, b"EPSILON": 2.0}
    rest = iter(words)
    for word in rest:
        option = word.upper()
        if option in (b"WITHSCORES", b"WITHATTRIBS", b"TRUTH", b"NOTHREAD"):
            opt[option] = True
            continue
        text = next(rest, None)
        read = ARGUMENTS.get(option)
        if text is None or read is None:
            raise errors.ReplyError("syntax error in VSIM command")
        opt[option] = read(text)
    return opt


def epsilon(text: bytes) -> float:
    try:
        value = to_score(text)
    except errors.ReplyError:
        value = 0.0
    if value <= 0:
        raise errors.ReplyError("invalid EPSILON")
    return value


def filter_of(text: bytes) -> Callable[[bytes], bool]:
    """Compile a filter expression."""
    from redtool.engine.filters import BadExpression, compiled

    try:
        return compiled(text)
    except BadExpression as error:
        near = text[error.at if error.at < len(text) else 0 :].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        raise errors.ReplyError(f"syntax error in FILTER expression near: {near}") from None


ARGUMENTS: dict[bytes, Callable[[bytes], Any]] = {
    b"COUNT": lambda text: bounded(text, "COUNT", 1),
    b"EPSILON": epsilon,
    b"EF": lambda text: bounded(text, "EF", 1),
    b"FILTER": filter_of,
    b"FILTER-EF": lambda text: bounded(text, "FILTER-EF", 1),
}


def scored(c: Session, pairs: list[Found], scores: bool, attributes: bool) -> Reply:
    """What VSIM found, in the form that was asked for."""
    if not (scores or attributes):
        return [node.name for _, node in pairs]
    rows = [(node.name, 1.0 - distance / 2.0, node.attribute) for distance, node in pairs]
    if not attributes:
        return named(c, [(name, score) for name, score, _ in rows])
    if not scores:
        return named(c, [(name, attribute) for name, _, attribute in rows])
    if c.proto == 3:
        return {name: [score, attribute] for name, score, attribute in rows}
    return [word for row in rows for word in row]
