"""The syntax line is the declaration of a command: Syntax gives what follows from it.

Making a ``Syntax`` stores the line; everything else is derived on first use. The parts that only an
interactive line needs (``expect``, ``check``, ``spans``) are in ``redtool.matching``.
"""

from __future__ import annotations

from redtool import notation
from redtool.errors import SyntaxError_
from redtool.notation import ARG, BAG, CHOICE, OPT, POOL, REP, SEQ, TOKEN, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from redtool.matching import Choice, Expectation

    Opt: TypeAlias = dict[bytes, "bool | bytes | tuple[bytes, ...]"]

__all__ = ["CONTAINERS", "Choice", "Expectation", "Option", "Syntax"]

CONTAINERS = frozenset((
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "COMMANDLOG", "CONFIG", "FUNCTION", "LATENCY", "MEMORY", "MODULE", "OBJECT",
    "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
))  # fmt: skip

# Servers take both words of these and let the last one win, although the notation has them exclusive.
LAST_WINS = {b"ASC": b"DESC", b"STORE": b"STOREDIST", b"BYSCORE": b"BYLEX"}
LAST_WINS |= {second: first for first, second in LAST_WINS.items()}
# EXPIRE's conditions: XX goes with GT or LT, and the others have an error text of their own.
CONDITIONS = frozenset((b"NX", b"XX", b"GT", b"LT"))


def __getattr__(name: str) -> object:
    if name in ("Choice", "Expectation"):
        from redtool import matching

        return getattr(matching, name)
    raise AttributeError(name)


class Option:
    """One option word: ``args`` words follow it.

    ``marks`` may stand before them (``=``, ``~``); ``again`` more may follow in each round (``WEIGHTS weight
    [weight ...]``); ``many`` options come several times (``GET pattern [GET pattern ...]``); ``excludes`` holds
    the words of the other alternatives.
    """

    __slots__ = ("again", "args", "excludes", "many", "marks", "word")

    def __init__(self, word: bytes, args: int, marks: frozenset[bytes], again: int, many: bool,
                 excludes: frozenset[bytes]) -> None:  # fmt: skip
        self.word, self.args, self.marks, self.again = word, args, marks, again
        self.many, self.excludes = many, excludes

    @property
    def plain(self) -> bool:
        """Whether it is a flag or a word with one argument, no more."""
        return self.args < 2 and not (self.marks or self.again or self.many or self.word in LAST_WINS)


class Syntax:
    """A syntax line, and an override for what does not follow from it.

    ``arity`` in Redis's notation (a negative one leaves the end open), ``keys`` = COMMAND INFO's (first, last,
    step), ``words`` = the number of words of the name where that is not to be seen from the line.

    >>> Syntax("SET key value [NX | XX]").arity
    -3
    """

    __slots__ = ("_arity", "_keys", "_max", "_min", "_name", "_options", "_quick", "_tree", "_whole", "_words", "line")
    _options: dict[bytes, Option]
    _quick: dict[bytes, tuple[bytes, int, Option]]

    def __init__(self, line: str, arity: int | None = None, keys: tuple[int, int, int] | None = None,
                 words: int | None = None) -> None:  # fmt: skip
        self.line, self._arity, self._keys, self._words = line, arity, keys, words
        self._whole = keys is not None
        self._name: tuple[str, ...] | None = None
        self._tree: Node | None = None
        self._min: int | None = None
        self._max: int | None = None

    def __repr__(self) -> str:
        return f"Syntax({self.line!r})"

    # -- what is derived

    @property
    def name(self) -> tuple[str, ...]:
        """The upper-case words of the command: ("CONFIG", "GET")."""
        if self._name is None:
            words = self.line.upper().split(None, 2 if self._words is None else self._words)
            count = self._words or (2 if words[0] in CONTAINERS and len(words) > 1 and words[1][0].isalpha() else 1)
            self._name = tuple(words[:count])
        return self._name

    @property
    def tree(self) -> Node:
        """The tree of the arguments, without the name."""
        if self._tree is None:
            self._tree = notation.parse(notation.tokens(self.line)[len(self.name) :])
        return self._tree

    @property
    def min_args(self) -> int:
        """The least number of words, the name's included."""
        if self._min is None:
            self._measure()
        return self._min or 0

    @property
    def max_args(self) -> int | None:
        """The greatest number of words, the name's included; None = open.

        It is open too where options may come, since servers take an option twice: options are read by the handler.
        """
        if self._min is None:
            self._measure()
        return self._max

    @property
    def arity(self) -> int:
        """COMMAND INFO's arity: the number of words, or minus the least number."""
        if self._arity is None:
            self._arity = self.min_args if self.max_args == self.min_args else -self.min_args
        return self._arity

    def _measure(self) -> None:
        quick = notation.quick_bounds(self.line)
        if quick is None:
            count = len(self.name)
            least, most = notation.bounds(self.tree)
            quick = count + least, None if most is None else count + most
        self._min, self._max = quick
        if self._arity is not None:
            self._min = abs(self._arity)
            if self._arity > 0:
                self._max = self._min
            else:
                self._max = None  # servers set no upper bound: the handler refuses what is too much
        elif self.line in CONTAINERS:
            self._min, self._max = (1 if self.line == "COMMAND" else 2), None

    # -- keys

    @property
    def key_spec(self) -> tuple[int, int, int]:
        """COMMAND INFO's (first, last, step) of the keys at fixed places; zeros when there are none."""
        if self._keys is None:
            self._keys, self._whole = notation.key_range(self.tree, len(self.name))
        return self._keys

    def keys(self, argv: Sequence[bytes]) -> list[int]:
        """Give the positions of the keys in a whole command line."""
        first, last, step = self.key_spec
        if self._whole:
            if not first:
                return []
            end = last if last >= 0 else len(argv) + last
            return list(range(first, min(end, len(argv) - 1) + 1, step))
        from redtool.matching import key_places

        return key_places(self, argv)

    # -- the option parser of the handlers

    @property
    def options(self) -> dict[bytes, Option]:
        """The option words, upper case."""
        try:
            return self._options
        except AttributeError:
            found: dict[bytes, Option] = {}
            _collect(self.tree, False, False, frozenset(), found)
            self._options = found
            return found

    def _prepare(self) -> dict[bytes, tuple[bytes, int, Option]]:
        quick: dict[bytes, tuple[bytes, int, Option]] = {}
        for word, option in self.options.items():
            quick[word] = quick[word.lower()] = (word, option.args if option.plain else -1, option)
        self._quick = quick
        return quick

    def leading(self, args: tuple[bytes, ...], repeat: int | None = None) -> tuple[Opt, tuple[bytes, ...]]:
        """Consume option words from the left until a word that is none; give them and the rest.

        The values are True for a flag, bytes for one argument, a tuple for several (all words consumed, marks such
        as ``~`` included) and for an option that may come several times. Words are not validated. Exclusive
        words are left to the handler: servers word that error for each command. SyntaxError_ when an argument
        is missing. ``repeat`` is the number of rounds of a repeated argument (WEIGHTS); without it such an option
        takes all words up to the next option.
        """
        opt, end = self._read(args, repeat)
        return opt, args[end:] if end else args

    def trailing(self, args: tuple[bytes, ...], repeat: int | None = None) -> Opt:
        """Read every word as an option, as ``leading`` does.

        SyntaxError_ for a word that is none and for two alternatives of one ``A | B``, except that of LAST_WINS
        the last is kept, and that NX | XX | GT | LT (EXPIRE) are left to the handler.
        """
        if not args:
            return {}
        opt, end = self._read(args, repeat)
        if end < len(args):
            raise SyntaxError_
        if len(opt) > 1:
            options = self._options
            for word in opt:
                excludes = options[word].excludes
                if excludes and not excludes.isdisjoint(opt):
                    raise SyntaxError_
        return opt

    def _read(self, args: tuple[bytes, ...], repeat: int | None) -> tuple[Opt, int]:
        try:
            quick = self._quick
        except AttributeError:
            quick = self._prepare()
        opt: Opt = {}
        at, end = 0, len(args)
        while at < end:
            found = quick.get(args[at]) or quick.get(args[at].upper())
            if found is None:
                break
            word, count, option = found
            at += 1
            if count == 0:
                opt[word] = True
            elif count == 1:
                if at == end:
                    raise SyntaxError_
                opt[word] = args[at]
                at += 1
            else:
                at = self._take(opt, option, args, at, repeat)
        return opt, at

    def _take(self, opt: Opt, option: Option, args: tuple[bytes, ...], at: int, repeat: int | None) -> int:
        """Read the arguments of an option that is not plain; give the position after them."""
        start = at
        if at < len(args) and args[at] in option.marks:
            at += 1
        at += option.args
        if option.again:
            if repeat is not None:
                at += option.again * (repeat - 1)
            else:
                while at < len(args) and args[at].upper() not in self._quick:
                    at += option.again
        if at > len(args):
            raise SyntaxError_
        word, value = option.word, args[start:at]
        if option.many:
            before = opt.get(word, ())
            opt[word] = (*before, *value) if isinstance(before, tuple) else value
        elif option.args == 1 and not option.marks and not option.again:
            opt[word] = value[0]
        else:
            opt[word] = value or True
        if word in LAST_WINS:
            opt.pop(LAST_WINS[word], None)
        return at

    # -- for an interactive line

    def expect(self, words: Sequence[bytes]) -> Expectation:
        """What may come after these complete words (the name's included). See ``matching.expect``."""
        from redtool.matching import expect

        return expect(self, words)

    def hint(self, words: Sequence[bytes]) -> str:
        """The rest of the syntax after these complete words, for a grey inline hint."""
        return self.expect(words).rest

    def check(self, argv: Sequence[bytes]) -> str | None:
        """A short reason why a whole line is wrong; None when a server may accept it."""
        from redtool.matching import check

        return check(self, argv)

    def spans(self, argv: Sequence[bytes]) -> list[str]:
        """A role for each word, for highlighting. See ``matching.ROLES``."""
        from redtool.matching import spans

        return spans(self, argv)


# -- option words of a tree


def _collect(node: Node, optional: bool, many: bool, excludes: frozenset[bytes], found: dict[bytes, Option]) -> None:
    """Gather the options of a tree. Mandatory tokens count where Redis reads them among the options."""
    kind = node.kind
    if kind == OPT:
        _collect(node.items[0], True, many, excludes, found)
    elif kind == REP:
        _collect(node.items[0], optional, True, frozenset(), found)
    elif kind == CHOICE:
        heads = [_heads(item) for item in node.items]
        for item, own in zip(node.items, heads, strict=True):
            others = frozenset().union(*heads) - own
            _collect(item, optional, many, excludes if many else _exclusive(own, others | excludes), found)
    elif kind == TOKEN:
        if optional:
            _add([node], [], many, excludes, found)
    elif kind in (SEQ, BAG):
        _collect_parts(node, optional, many, excludes, found)


def _exclusive(own: frozenset[bytes], others: frozenset[bytes]) -> frozenset[bytes]:
    if own | others == CONDITIONS:
        return frozenset()
    return others - {LAST_WINS[word] for word in own if word in LAST_WINS}


def _collect_parts(node: Node, optional: bool, many: bool, excludes: frozenset[bytes],
                   found: dict[bytes, Option]) -> None:  # fmt: skip
    parts = node.items
    at = 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if part.kind in (OPT, BAG) or node.kind == BAG or (part.kind == REP and optional):
            _collect(part, optional or part.kind == CHOICE, many, excludes, found)
            continue
        alternatives = [part] if part.kind == TOKEN else list(part.items) if part.kind == CHOICE else []
        if any(item.kind != TOKEN for item in alternatives):
            if all(item.kind == SEQ and item.items[0].kind == TOKEN for item in alternatives):
                _collect(part, True, many, excludes, found)
        elif alternatives:
            end = at
            while end < len(parts) and _is_argument(parts[end]):
                end += 1
            args = list(parts[at:end])
            counted = any(arg.kind == REP for arg in args)
            marked = any(arg.kind == OPT for arg in args)
            if optional or (args and not counted and (part.kind == TOKEN or marked)):
                _add(alternatives, args, many, excludes, found)
            at = end


def _is_argument(part: Node) -> bool:
    """Whether a part is a value of the option before it, not an option itself."""
    if part.kind == OPT:
        return part.items[0].kind in (TOKEN, CHOICE) and not notation.tokens_first(part.items[0])
    return part.kind in (ARG, REP, CHOICE) and not (part.kind == REP and notation.tokens_first(part))


def _add(alternatives: list[Node], args: list[Node], many: bool, excludes: frozenset[bytes],
         found: dict[bytes, Option]) -> None:  # fmt: skip
    words = [item.text.encode() for item in alternatives if item.text[:1].isalpha()]
    marks: set[bytes] = set()
    again = count = 0
    for arg in args:
        if arg.kind == OPT:
            inner = arg.items[0]
            marks.update(item.text.encode() for item in (inner.items or (inner,)))
        else:
            count += notation.least(arg)
            again += notation.least(arg.items[0]) if arg.kind == REP else 0
    for word in words:
        others = excludes.union(words) - {word}
        found[word] = Option(word, count, frozenset(marks), again, many, others)


def _heads(node: Node) -> frozenset[bytes]:
    """The option words in a part."""
    if node.kind == TOKEN:
        return frozenset((node.text.encode(),))
    if node.kind == SEQ:
        first = _heads(node.items[0]) if node.items else frozenset()
        return first.union(*(_heads(item) for item in node.items[1:] if item.kind == OPT))
    if node.kind in (ARG, POOL):
        return frozenset()
    return frozenset().union(*map(_heads, node.items))
