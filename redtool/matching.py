"""Match typed words against the tree of a syntax: what may come next, what is wrong, which word is what.

A word takes a tree to the tree of what may follow it (its derivative), so the rest of the syntax for a
hint, the next words and the end of the line all come from one function, ``derive``. Words may fit in
several ways (``BLPOP key [key ...] timeout``), so a Match carries every way, the likeliest first.
"""

from __future__ import annotations

from redtool.notation import ARG, BAG, CHOICE, EMPTY, KEYS, OPT, POOL, REP, SEQ, TOKEN, Node, least, seq, text_of
from redtool.notation import tokens_first as optionlike
from redtool.placeholders import NOUNS, fits, role_of, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redtool.grammar import Syntax

MOST_WAYS = 24  # beyond these a line is taken to be fine
FREE = frozenset((("DEBUG",), ("REPLCONF",), ("LOLWUT",), ("CLUSTER", "SYNCSLOTS"),
                  ("CLIENT", "UNBLOCK")))  # they take more than their line says  # fmt: skip


class Choice:
    """A word that may come next. ``kind`` is "token" (``word`` is its text) or "argument" (a placeholder).

    ``type`` says what an argument is (key, field, integer, pattern, …: ``placeholders.TYPES``).
    """

    __slots__ = ("kind", "optional", "type", "word")

    def __init__(self, kind: str, word: str, type: str, optional: bool) -> None:
        self.kind, self.word, self.type, self.optional = kind, word, type, optional

    def __repr__(self) -> str:
        return f"Choice({self.kind!r}, {self.word!r}, {self.type!r}, {self.optional!r})"


class Expectation:
    """What may come after some complete words.

    ``rest`` is the remaining syntax, ``error`` says what is wrong with the words so far (then there are no choices),
    ``complete`` whether the line may end here.
    """

    __slots__ = ("choices", "complete", "error", "rest")

    def __init__(self, choices: list[Choice], rest: str, error: str | None, complete: bool) -> None:
        self.choices, self.rest, self.error, self.complete = choices, rest, error, complete


class Way:
    """One way to read the words so far: what remains, and the leaf that took the last word, linked backwards."""

    __slots__ = ("before", "leaf", "problem", "rest")

    def __init__(self, rest: Node, leaf: Node | None, before: Way | None, problem: str | None) -> None:
        self.rest, self.leaf, self.before, self.problem = rest, leaf, before, problem

    def leaves(self) -> list[Node]:
        found: list[Node] = []
        way: Way | None = self
        while way is not None and way.leaf is not None:
            found.append(way.leaf)
            way = way.before
        return found[::-1]


class Match:
    """The ways to read some words. ``stuck`` is the number of words read before none fitted, else None."""

    __slots__ = ("capped", "stuck", "ways")

    def __init__(self, syntax: Syntax, words: Sequence[bytes], lenient: bool = False) -> None:
        self.ways = [Way(syntax.tree, None, None, None)]
        self.stuck: int | None = None
        self.capped = False
        for at, word in enumerate(words):
            upper = word.upper().decode("latin-1")
            ways = [_step(syntax, way, rest, leaf, word)
                    for way in self.ways for rest, leaf in derive(way.rest, upper, word, lenient)]  # fmt: skip
            if not ways:
                self.stuck = at
                return
            good = [way for way in ways if way.problem is None] or ways[:1]
            if len(good) > 1:
                good.sort(key=_by_token)
            self.capped = self.capped or len(good) > MOST_WAYS
            self.ways = good[:MOST_WAYS]

    @property
    def best(self) -> Way:
        """The first way that may end here, else the first."""
        return next((way for way in self.ways if way.rest.nullable), self.ways[0])


def _by_token(way: Way) -> bool:
    return way.leaf is None or way.leaf.kind != TOKEN


def _step(syntax: Syntax, way: Way, rest: Node, leaf: Node, word: bytes) -> Way:
    problem = way.problem
    if problem is None and leaf.kind == ARG:
        kind = type_of(" ".join(syntax.name), leaf.text)
        if not fits(kind, word):
            before = way.leaf
            option = syntax.options.get(before.text.encode()) if before is not None and before.kind == TOKEN else None
            what = option.word.decode() if option is not None and option.args else leaf.text
            problem = f"{what} wants {NOUNS[kind]}, not '{shown(word)}'"
    return Way(rest, leaf, way, problem)


def shown(word: bytes) -> str:
    """A word for a message: readable, and not long."""
    text = word.decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return text if len(text) <= 40 else text[:39] + "…"


# -- derivatives


def derive(node: Node, upper: str, word: bytes, lenient: bool) -> Iterator[tuple[Node, Node]]:
    """Give (what may follow, the leaf that took the word) for each way ``node`` may begin with ``word``.

    ``lenient`` lets an option come again, as servers mostly do.
    """
    kind = node.kind
    if kind == TOKEN:
        if node.text.upper() == upper:
            yield EMPTY, node
    elif kind == ARG:
        yield EMPTY, node
    elif kind == SEQ:
        for at, item in enumerate(node.items):
            for rest, leaf in derive(item, upper, word, lenient):
                after = node.items[at + 1 :]
                if leaf is item and after and item.text.startswith("num"):
                    after = _counted(after, word)
                yield seq((rest, *after)), leaf
            if not item.nullable:
                break
    elif kind == CHOICE:
        for item in node.items:
            yield from derive(item, upper, word, lenient)
    elif kind == OPT:
        again = node if lenient and optionlike(node) else EMPTY
        for rest, leaf in derive(node.items[0], upper, word, lenient):
            yield seq((rest, again)) if again is not EMPTY else rest, leaf
    elif kind == REP:
        inner = node.items[0]
        high = None if node.high is None else node.high - 1
        again = Node(REP, items=(inner,), low=max(node.low - 1, 0), high=high) if node.low or node.high else node
        for rest, leaf in derive(inner, upper, word, lenient):
            yield rest if high == 0 else again if rest is EMPTY else seq((rest, again)), leaf
    elif kind == BAG:
        for at, item in enumerate(node.items):
            others = node.items[:at] + node.items[at + 1 :]
            if lenient and not item.nullable:
                others += (Node(OPT, items=(item,)),)
            for rest, leaf in derive(item, upper, word, lenient):
                yield seq((rest, Node(BAG, items=others))), leaf
    else:
        yield Node(POOL, items=node.items, low=node.low + 1), node.items[0]


def _counted(after: tuple[Node, ...], word: bytes) -> tuple[Node, ...]:
    """Bind the repetition after a count (numkeys, numfields), and one of weights, to the number given."""
    first = after[0].items[0] if after[0].kind == OPT else after[0]
    if first.kind != REP or not word.isdigit() or not int(word):
        return after[1:] if first.kind == REP and word.isdigit() else after
    number = int(word)
    bound = Node(REP, items=first.items, low=number, high=number)
    return (bound, *(_weighted(part, number) for part in after[1:]))


def _weighted(node: Node, number: int) -> Node:
    if node.kind == REP and node.items[0].text == "weight":
        return Node(REP, items=node.items, low=number, high=number)
    if not node.items or node.kind == POOL:
        return node
    items = tuple(_weighted(item, number) for item in node.items)
    return node if items == node.items else Node(node.kind, node.text, items, node.low, node.high)


def firsts(node: Node, optional: bool) -> Iterator[tuple[Node, bool]]:
    """Give the leaves a tree may begin with, and whether each can be left out."""
    kind = node.kind
    if kind in (TOKEN, ARG):
        yield node, optional
    elif kind == SEQ:
        for item in node.items:
            yield from firsts(item, optional)
            if not item.nullable:
                break
    elif kind == POOL:
        yield node.items[0], node.low > 0
        if node.low:
            yield node.items[1], node.nullable
    else:
        skippable = optional or kind == OPT or (kind == REP and not node.low) or (kind == BAG and node.nullable)
        for item in node.items:
            yield from firsts(item, skippable)


# -- what Syntax offers


def expect(syntax: Syntax, words: Sequence[bytes]) -> Expectation:
    """What may come after complete words, the command's name included."""
    name = syntax.name
    if len(words) < len(name):
        following = name[len(words)]
        rest = " ".join((*name[len(words) :], text_of(syntax.tree))).rstrip()
        return Expectation([Choice("token", following, "token", False)], rest, None, False)
    args = words[len(name) :]
    match = Match(syntax, args)
    if match.stuck is not None:
        again = Match(syntax, args, lenient=True)
        problem = _stuck(again, args) if again.stuck is not None else _clash(syntax, again.ways[0])
        if problem is not None:
            free = is_free(syntax) or match.capped
            return Expectation([], "", None if free else problem, free)
        match = again
    choices: dict[tuple[int, str], Choice] = {}
    for way in match.ways:
        for leaf, optional in firsts(way.rest, False):
            kind = "token" if leaf.kind == TOKEN else "argument"
            type = "token" if leaf.kind == TOKEN else type_of(" ".join(name), leaf.text)
            optional = optional or way.rest.nullable or way is not match.ways[0]
            choices.setdefault((leaf.kind, leaf.text), Choice(kind, leaf.text, type, optional))
    complete = len(words) >= syntax.min_args and any(way.rest.nullable for way in match.ways)
    problem = match.ways[0].problem
    if problem is not None:  # ZADD k NX XX: two words that exclude each other, rather than a score that is no number
        again = Match(syntax, args, lenient=True)
        problem = (None if again.stuck is not None else _clash(syntax, again.ways[0])) or problem
    return Expectation(list(choices.values()), text_of(match.ways[0].rest), problem, complete)


def is_free(syntax: Syntax) -> bool:
    """Whether the line says nothing about the arguments there are (a container, an undocumented command)."""
    return syntax.name in FREE or (syntax.tree == EMPTY and syntax.max_args is None)


def check(syntax: Syntax, argv: Sequence[bytes]) -> str | None:
    """A short reason why a whole line is wrong; None when a server may accept it, which is when in doubt."""
    if is_free(syntax):
        return None if len(argv) >= syntax.min_args else f"{' '.join(syntax.name)} needs {_more(syntax)}"
    args = argv[len(syntax.name) :]
    strict = Match(syntax, args)
    if _is_fine(strict) and _unpaired(syntax, strict.best) is None and len(argv) >= syntax.min_args:
        return None
    match = Match(syntax, args, lenient=True)
    if match.capped:
        return None
    if match.stuck is not None:
        nested = args[match.stuck].upper() in syntax.options  # ANY before COUNT: servers do not mind the order
        return _clash(syntax, match.ways[0]) if nested else _stuck(match, args)
    best = match.best
    if best.problem is not None:
        return best.problem
    if (problem := _clash(syntax, best)) is not None:
        return problem
    if not best.rest.nullable or len(argv) < syntax.min_args:
        return _missing(syntax, match.ways[0] if strict.stuck is not None else strict.ways[0])
    return _unpaired(syntax, best)


def _is_fine(match: Match) -> bool:
    best = match.best
    return match.stuck is None and best.rest.nullable and best.problem is None


def _stuck(match: Match, args: Sequence[bytes]) -> str:
    """Say why no way goes on with the word where the match stopped."""
    assert match.stuck is not None
    word = shown(args[match.stuck])
    way = match.ways[0]
    possible = [leaf for leaf, _ in firsts(way.rest, False)]
    if way.problem is not None:
        return way.problem
    if not way.rest.nullable and 0 < len(possible) <= 8 and all(leaf.kind == TOKEN for leaf in possible):
        return f"expected {listed([text_of(leaf) for leaf in possible], 'or', False)}, not '{word}'"
    return f"unexpected '{word}'"


def _clash(syntax: Syntax, way: Way) -> str | None:
    """Say which two options exclude each other."""
    seen: list[bytes] = []
    for leaf in way.leaves():
        option = syntax.options.get(leaf.text.encode()) if leaf.kind == TOKEN else None
        if option is None:
            continue
        for other in seen:
            if other in option.excludes:
                return f"{other.decode()} and {option.word.decode()} exclude each other"
        seen.append(option.word)
    return None


def _missing(syntax: Syntax, way: Way) -> str:
    """Say what has to follow the last word."""
    leaf, wanted, name = way.leaf, required(way.rest), " ".join(syntax.name)
    if leaf is not None and leaf.kind == TOKEN and leaf.text[:1].isalpha() and wanted:
        option = syntax.options.get(leaf.text.encode())
        if option.args if option else next(firsts(way.rest, False))[0].kind == ARG:
            return f"{leaf.text} needs {listed(wanted[: option.args] if option else wanted)}"
    leaves = way.leaves()
    if len(leaves) < least(syntax.tree) and all(leaf.kind == ARG for leaf in leaves):
        return f"{name} needs {_more(syntax)}"
    return f"{name} still needs {listed(wanted) or 'more words'}"


def _more(syntax: Syntax) -> str:
    if syntax.tree == EMPTY:
        return "a subcommand" if syntax.min_args == 2 else "more words"
    return ("" if syntax.max_args == syntax.min_args else "at least ") + listed(required(syntax.tree))


def _unpaired(syntax: Syntax, way: Way) -> str | None:
    pool = _pool(syntax.tree)
    if pool is None:
        return None
    count = sum(leaf is pool.items[0] for leaf in way.leaves())
    return f"each {pool.items[0].text} needs an {pool.items[1].text}" if count % 2 else None


def required(node: Node) -> list[str]:
    """The parts that cannot be left out, as words for a message."""
    kind = node.kind
    if kind in (TOKEN, ARG):
        return [text_of(node)]
    if node.nullable:
        return []
    if kind == CHOICE:
        if all(item.kind in (TOKEN, ARG) for item in node.items):
            return [listed([text_of(item) for item in node.items], "or", False)]
        return [listed([text_of(leaf) for leaf, _ in firsts(node, False)], "or", False)]
    parts = node.items[:1] if kind == REP else node.items
    return [text for part in parts for text in required(part)]


def listed(names: list[str], last: str = "and", articles: bool = True) -> str:
    """``["key", "value"]`` -> "a key and a value"; capitals and plurals take no article."""
    words = list(dict.fromkeys(_with_article(name) if articles else name for name in names))
    return f" {last} ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _with_article(name: str) -> str:
    plain = name.upper() == name or name.endswith("s") or " " in name
    return name if plain else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _pool(node: Node) -> Node | None:
    if node.kind == POOL:
        return node
    return next((found for item in node.items if (found := _pool(item)) is not None), None)


def _read(syntax: Syntax, argv: Sequence[bytes]) -> list[Node]:
    """The leaf of each argument that could be read; the words of a POOL are shared out, keys before ids."""
    args = argv[len(syntax.name) :]
    match = Match(syntax, args)
    if match.stuck is not None:
        match = Match(syntax, args, lenient=True)
    leaves = match.best.leaves()
    pool = _pool(syntax.tree)
    if pool is not None and pool.items[0] in leaves:
        start = next((at for at, leaf in enumerate(leaves) if leaf is pool.items[0]), len(leaves))
        half = (len(leaves) - start + 1) // 2
        leaves[start + half :] = [pool.items[1]] * (len(leaves) - start - half)
    return leaves


def key_places(syntax: Syntax, argv: Sequence[bytes]) -> list[int]:
    """Positions of the keys in a whole line, found by reading it."""
    skip = len(syntax.name)
    return [at for at, leaf in enumerate(_read(syntax, argv), skip) if leaf.kind == ARG and leaf.text in KEYS]


def spans(syntax: Syntax, argv: Sequence[bytes]) -> list[str]:
    """A role a word: "command", "option", "error" (does not fit), those of ``placeholders.ROLES``, or "argument"."""
    name = " ".join(syntax.name)
    roles = ["command"] * min(len(syntax.name), len(argv))
    roles += ["option" if leaf.kind == TOKEN else role_of(name, leaf.text) for leaf in _read(syntax, argv)]
    if len(roles) < len(argv):
        roles.append("argument" if is_free(syntax) else "error")
    return roles + ["argument"] * (len(argv) - len(roles))
