"""Read the notation of the Redis documentation: a syntax line -> a tree, and what the tree implies.

``[x]`` optional, ``<a | b>`` a choice, ``x [x ...]`` repetition, words without a small letter are
tokens (``""`` is the empty one), the others are placeholders of arguments.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Kinds of Node. BAG: parts that may come in any order; POOL: `key [key ...] id [id ...]`, half and half.
TOKEN, ARG, SEQ, CHOICE, OPT, REP, BAG, POOL = range(8)

KEYS = frozenset(
    ("key", "key1", "key2", "source", "destination", "newkey", "dst", "src", "destkey", "sourcekey")
)


class Node:
    """A part of a syntax. ``text`` is a token or placeholder; ``low`` and ``high`` bound a repetition (None: open).

    For a POOL ``low`` counts the words it has had. Nodes do not change; equal parts compare equal.
    """

    __slots__ = ("high", "items", "kind", "low", "nullable", "text")

    def __init__(self, kind: int, text: str = "", items: tuple[Node, ...] = (), low: int = 1,
                 high: int | None = None) -> None:  # fmt: skip
        self.kind, self.text, self.items, self.low, self.high = kind, text, items, low, high
        if kind == OPT:
            self.nullable = True
        elif kind == REP:
            self.nullable = low == 0 or items[0].nullable
        elif kind == CHOICE:
            self.nullable = any(item.nullable for item in items)
        elif kind == POOL:
            self.nullable = low > 1
        elif kind in (SEQ, BAG):
            self.nullable = all(item.nullable for item in items)
        else:
            self.nullable = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return (self.kind, self.text, self.low, self.high) == (other.kind, other.text, other.low, other.high) and (
            self.items == other.items
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.text, self.items))

    def __str__(self) -> str:
        return text_of(self)

    __repr__ = __str__


EMPTY = Node(SEQ)


def parse(words: Iterable[str]) -> Node:
    """Build the tree of the arguments, given as the words of ``tokens`` without the command's name."""
    return _group([*words, ""][::-1], "")


def tokens(line: str) -> list[str]:
    for mark in "[]<>|":
        if mark in line:
            line = line.replace(mark, f" {mark} ")
    return line.split()


def _group(stack: list[str], closing: str) -> Node:
    """Read alternatives up to ``closing``; a trailing ``...`` makes the group a REP with low 0."""
    alternatives: list[list[Node]] = [[]]
    again = False
    while stack:
        word = stack.pop()
        if word == closing:
            break
        here = alternatives[-1]
        if word == "|":
            alternatives.append([])
        elif word == "[":
            inner = _group(stack, "]")
            if inner.kind == REP and inner.low == 0:
                _repeat(here, inner)
            else:
                here.append(Node(OPT, items=(inner,)))
        elif word == "<":
            here.append(_group(stack, ">"))
        elif word == "...":
            again = True
        else:
            here.append(leaf(word))
    node = seq(alternatives[0], True) if not closing and len(alternatives) == 1 else _choice(alternatives)
    return Node(REP, items=(node,), low=0) if again else node


def leaf(word: str) -> Node:
    return Node(TOKEN, "" if word == '""' else word) if word.upper() == word else Node(ARG, word)


def _repeat(here: list[Node], again: Node) -> None:
    """Join ``x [x ...]`` into one REP; else keep the repetition by itself."""
    inner = again.items[0]
    parts = list(inner.items) if inner.kind == SEQ else [inner]
    if here[-len(parts) :] == parts:
        here[-len(parts) :] = [Node(REP, items=(inner,))]
    else:
        here.append(again)


def _choice(alternatives: list[list[Node]]) -> Node:
    if len(alternatives) == 1:
        return seq(alternatives[0])
    last = alternatives[-1]
    if last and last[-1].kind == REP and last[-1].low == 0:  # `a | b [a | b ...]`
        whole = _choice([*alternatives[:-1], last[:-1]])
        if whole == last[-1].items[0]:
            return Node(REP, items=(whole,))
    return Node(CHOICE, items=tuple(seq(parts) if parts else Node(TOKEN) for parts in alternatives))


def seq(parts: Sequence[Node], whole: bool = False) -> Node:
    """A sequence, flattened, with runs of options made a BAG and adjacent repetitions a POOL.

    ``whole`` says that it is a whole command, where tokens with their arguments may be among the options.
    """
    flat: list[Node] = []
    for part in parts:
        if part.kind in (SEQ, BAG):
            flat += part.items
        else:
            flat.append(part)
    if len(flat) > 1:
        flat = list(_bags(_pools(flat), whole))
    return flat[0] if len(flat) == 1 else Node(SEQ, items=tuple(flat)) if flat else EMPTY


def _pools(parts: list[Node]) -> list[Node]:
    for at in range(len(parts) - 1):
        first, second = parts[at], parts[at + 1]
        if not (first.kind == second.kind == REP and first.low and second.low and first.high is second.high is None):
            continue
        if first.items[0].kind == second.items[0].kind == ARG:
            return [*parts[:at], Node(POOL, items=(first.items[0], second.items[0]), low=0), *parts[at + 2 :]]
    return parts


def _bags(parts: list[Node], whole: bool) -> Iterator[Node]:
    at = 0
    while at < len(parts):
        run: list[Node] = []
        end = at
        while end < len(parts) and (width := _movable(parts, end, whole)):
            run.append(parts[end] if width == 1 else Node(SEQ, items=tuple(parts[end : end + width])))
            end += width
        options = sum(part.nullable for part in run)
        if options > 1 or (options and len(run) > 1 and any(part.kind == SEQ for part in run)):
            yield Node(BAG, items=tuple(run))
            at = end
        else:
            yield from parts[at].items if parts[at].kind == SEQ else parts[at : at + 1]
            at += 1


def _movable(parts: list[Node], at: int, whole: bool) -> int:
    """How many parts from ``at`` form one that Redis takes in any order among options; 0: none.

    An option that starts with a token; a choice of such with arguments (GEOSEARCH's BYRADIUS | BYBOX); in a whole
    command a token with its arguments (XREADGROUP's GROUP, FIELDS with its counted fields).
    """
    part = parts[at]
    if part.kind == SEQ:  # it was in a BAG before
        return 1
    if part.kind == OPT or (part.kind == REP and part.low == 0):
        return int(tokens_first(part.items[0]))
    if part.kind == CHOICE:
        return int(all(item.kind == SEQ and item.items[0].kind == TOKEN for item in part.items))
    if part.kind != TOKEN or not whole:
        return 0
    end = at + 1
    while end < len(parts) and parts[end].kind == ARG:
        end += 1
    if end < len(parts) and parts[end].kind == REP and parts[end].low:
        if not parts[end - 1].text.startswith("num"):
            return 0
        end += 1
    return end - at if end - at > 1 and (end == len(parts) or parts[end].kind != POOL) else 0


def tokens_first(node: Node) -> bool:
    """Whether every way to begin ``node`` is a word of letters, so that it can be told from a value."""
    if node.kind == TOKEN:
        return node.text[:1].isalpha()
    if node.kind in (SEQ, BAG, CHOICE):
        first = node.items[:1] if node.kind == SEQ else node.items
        return bool(first) and all(map(tokens_first, first))
    return node.kind in (OPT, REP) and tokens_first(node.items[0])


def least(node: Node) -> int:
    """The least number of words."""
    kind = node.kind
    if kind in (TOKEN, ARG):
        return 1
    if kind == OPT:
        return 0
    if kind == REP:
        return node.low * least(node.items[0])
    if kind == CHOICE:
        return min(map(least, node.items))
    return 2 if kind == POOL else sum(map(least, node.items))


def most(node: Node) -> int | None:
    """The greatest number of words, None when open."""
    kind = node.kind
    if kind in (TOKEN, ARG):
        return 1
    if kind in (REP, POOL):
        return None
    widths = [most(item) for item in node.items]
    known = [width for width in widths if width is not None]
    if len(known) < len(widths):
        return None
    return max(known) if kind in (CHOICE, OPT) else sum(known)


def bounds(node: Node) -> tuple[int, int | None]:
    """The least and the greatest number of words; None = open, as it is where options may come."""
    low, high = least(node), most(node)
    return low, None if high != low and _has_option(node) else high


def _has_option(node: Node, optional: bool = False) -> bool:
    if node.kind == TOKEN:
        return optional and node.text[:1].isalpha()
    return any(_has_option(item, optional or node.kind == OPT) for item in node.items)


def quick_bounds(line: str) -> tuple[int, int | None] | None:
    """Count ``bounds`` of a whole line, the name included, without a tree; None when it takes the tree."""
    low = depth = count = 0
    for word in line.split():
        count += 1
        if not depth and word[0] != "[":
            if word[0] == "<":
                return None
            low += 1
        depth += word.count("[") - word.count("]")
    if low == count:
        return low, low
    optional = line[line.index("[") :]
    if "..." in optional or optional != optional.lower():
        return low, None
    return None if "|" in optional else (low, count)


def text_of(node: Node, bare: bool = False) -> str:
    """Write a tree in the notation; ``bare`` leaves the angle brackets of a choice out."""
    kind = node.kind
    if kind == TOKEN:
        return node.text or '""'
    if kind == ARG:
        return node.text
    if kind == CHOICE:
        text = " | ".join(map(text_of, node.items))
        return text if bare else f"<{text}>"
    if kind == OPT:
        return f"[{text_of(node.items[0], True)}]"
    if kind == POOL:
        first, second = (text_of(item) for item in node.items)
        start = f"[{first} ...]" if node.low else f"{first} [{first} ...]"
        return f"{start} {second} [{second} ...]"
    if kind == REP:
        inner = text_of(node.items[0], bare)
        if node.high is not None:
            return " ".join([inner] * node.high) if node.high < 5 else f"{inner} [{inner} ...]"
        again = f"[{text_of(node.items[0], True)} ...]"
        return f"{inner} {again}" if node.low else again
    return " ".join(map(text_of, node.items))


def key_range(node: Node, skip: int) -> tuple[tuple[int, int, int], bool]:
    """Give COMMAND INFO's (first, last, step) and whether that is every key the command can have."""
    parts = node.items if node.kind == SEQ else (node,)
    places: list[int] = []
    at = skip
    for index, part in enumerate(parts):
        if part.kind == OPT and part.items[0].kind == REP:
            part = part.items[0]
        if part.kind == REP and has_key(part):
            if index and parts[index - 1].text.startswith("num"):
                break
            after = [least(item) for item in parts[index + 1 :]]
            first = places[0] if places else at
            return (first, -1 - sum(after), least(part.items[0])), not any(map(has_key, parts[index + 1 :]))
        if part.kind not in (TOKEN, ARG) and not (part.kind == CHOICE and least(part) == most(part) == 1):
            break
        if has_key(part):
            places.append(at)
        at += 1
    else:
        index = len(parts)
    whole = not any(map(has_key, parts[index:]))
    return ((places[0], places[-1], 1) if places else (0, 0, 0)), whole


def has_key(node: Node) -> bool:
    return node.text in KEYS if node.kind == ARG else any(map(has_key, node.items))
