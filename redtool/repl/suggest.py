"""What may come where the cursor stands: fixed words, and things to look up. Pure, tested without a terminal.

``wanted`` reads the text before the cursor. Fixed words (commands, options, units) come back as Offers; names that
only the target knows (keys, fields, members, …) as Lookups, which ``redtool.repl.sources`` answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from redtool.commands.table import Command
from redtool.matching import Choice
from redtool.notation import SEQ, TOKEN, Node, text_of
from redtool.repl.judge import Commands, lookup, repeats
from redtool.repl.typed import Typed

# Command group -> the type of the keys that its commands take; the other groups take any.
KINDS: dict[str, tuple[bytes, ...]] = {
    "string": (b"string",), "bitmap": (b"string",), "hyperloglog": (b"string",), "hash": (b"hash",), "list": (b"list",),
    "set": (b"set",), "sorted_set": (b"zset",), "geo": (b"zset",), "stream": (b"stream",),
    "module": (b"vectorset",),
}  # fmt: skip
BOTH_SETS = (b"zset", b"set")
WIDER: dict[str, tuple[bytes, ...]] = {
    **dict.fromkeys(("ZUNION", "ZUNIONSTORE", "ZINTER", "ZINTERSTORE", "ZDIFF", "ZDIFFSTORE", "ZINTERCARD"), BOTH_SETS),
    **dict.fromkeys(("SORT", "SORT_RO"), (b"list", b"set", b"zset")),
}
ELEMENTS = frozenset(("LREM", "LPOS", "LINSERT"))  # whose values are elements of the list
TYPES = ("string", "list", "set", "zset", "hash", "stream", "vectorset")
SECTIONS = ("server", "clients", "memory", "persistence", "stats", "replication", "cpu", "commandstats", "latencystats",
            "errorstats", "modules", "cluster", "keyspace", "all", "default", "everything")  # fmt: skip
RULES = {
    "on": "the user may log in", "off": "it may not", "nopass": "any password lets it in",
    "resetpass": "forget its passwords", "allkeys": "every key (~*)", "resetkeys": "no key",
    "allchannels": "every channel (&*)", "resetchannels": "no channel", "allcommands": "every command (+@all)",
    "nocommands": "no command (-@all)", "alldbs": "every database", "resetdbs": "no database",
    "clearselectors": "forget its selectors", "reset": "as a new user",
}  # fmt: skip
WITHIN = 3  # letters from which a command that none begins with is found by its middle (CARD: SCARD, ZCARD)


class Offer:
    """A word that fits: its ``text``, and in a few words what it does."""

    __slots__ = ("help", "text")

    def __init__(self, text: str, help: str) -> None:
        self.text, self.help = text, help

    def __repr__(self) -> str:
        return f"Offer({self.text!r}, {self.help!r})"


class Lookup:
    """Something to ask the target for.

    ``what`` is key, field, member, element, parameter, setting or user; ``of`` the key (or the parameter) it belongs
    to, ``kinds`` the types that fit, none for any.
    """

    __slots__ = ("kinds", "of", "what")

    def __init__(self, what: str, of: bytes = b"", kinds: tuple[bytes, ...] = ()) -> None:
        self.what, self.of, self.kinds = what, of, kinds

    def __repr__(self) -> str:
        return f"Lookup({self.what!r}, {self.of!r}, {self.kinds!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lookup) and repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]


class Wanted:
    """What may replace the text from ``start`` to the cursor, which holds ``prefix`` in the open quote ``mark``.

    ``used`` are the words typed already, which need not be offered again.
    """

    __slots__ = ("lookups", "mark", "offers", "prefix", "start", "used")

    def __init__(self, typed: Typed) -> None:
        word = typed.partial
        self.start = word.start if word else len(typed.text)
        self.prefix = word.value if word else b""
        self.mark = typed.text[word.start] if word and typed.text[word.start] in "'\"" else ""
        self.offers: list[Offer] = []
        self.lookups: list[Lookup] = []
        self.used: frozenset[bytes] = frozenset()


def wanted(text: str, commands: Commands) -> Wanted:
    """Tell what may come at the end of ``text``, which is what stands before the cursor."""
    typed = Typed(text)
    want = Wanted(typed)
    if typed.comment or typed.problem:
        return want
    before = typed.complete
    before = before[repeats([*before, b""]) :]
    if not before:
        if want.prefix:
            want.offers = _commands(want.prefix, commands)
        return want
    command = lookup(before, commands)
    if command is None:
        return want
    if before[0].upper() == b"HELP":
        want.offers = list(_topics(before[1:], want.prefix, commands))
    elif command.subs and len(before) == 1:
        want.offers = _cased(_names(command.subs, want.prefix), want.prefix, before[0])
    elif not command.subs or len(before) == 1:
        want.used = frozenset(before[1:])
        _fill(want, command, before, commands)
    return want


# -- commands


def summary(command: Command) -> str:
    """What a command does, in its own first line; a container's subcommands."""
    if command.subs and not command.doc:
        return "with " + ", ".join(name.decode() for name in command.subs)
    return command.summary.rstrip(".")


def _names(known: Commands, prefix: bytes) -> list[Offer]:
    upper = prefix.upper()
    return [Offer(name.decode(), summary(found)) for name, found in sorted(known.items()) if name.startswith(upper)]


def _commands(prefix: bytes, commands: Commands) -> list[Offer]:
    offers = _names(commands, prefix)
    if not offers and len(prefix) >= WITHIN:
        offers = _names({name: found for name, found in commands.items() if prefix.upper() in name}, b"")
    return _cased(offers, prefix, b"")


def _cased(offers: list[Offer], prefix: bytes, model: bytes) -> list[Offer]:
    """Write words in the case that the person types: that of the prefix, else that of the word ``model``."""
    sample = prefix if prefix.upper() != prefix.lower() else model
    if sample and sample == sample.lower():
        for offer in offers:
            offer.text = offer.text.lower()
    return offers


def _topics(before: Sequence[bytes], prefix: bytes, commands: Commands) -> Iterator[Offer]:
    """What HELP can tell about: commands, subcommands and @groups."""
    if not before:
        groups = sorted({found.group for found in commands.values() if found.group})
        for group in groups:
            if f"@{group}".startswith(prefix.decode("utf-8", "replace").lower() or "-"):
                yield Offer(f"@{group}", f"the commands of the group {group.replace('_', ' ')}")
        yield from _cased(_names(commands, prefix), prefix, b"")
    elif len(before) == 1 and (found := commands.get(before[0].upper())) is not None and found.subs:
        yield from _cased(_names(found.subs, prefix), prefix, before[0])


# -- arguments


def _fill(want: Wanted, command: Command, before: list[bytes], commands: Commands) -> None:
    syntax = command.syntax
    expectation = syntax.expect(before)
    if expectation.error is not None:
        return
    start = want.prefix.decode("utf-8", "replace").upper()
    for choice in expectation.choices:
        if choice.kind == "token":
            if choice.word[:1].isalpha() and choice.word.upper().startswith(start):
                want.offers += _cased([Offer(choice.word, _option_help(command, choice.word))], want.prefix, before[0])
        elif (lookup := _lookup(choice, command, before)) is not None:
            want.lookups.append(lookup)
        else:
            want.offers += _enumerated(choice, want.prefix, before[0], commands)


def _lookup(choice: Choice, command: Command, before: list[bytes]) -> Lookup | None:
    kinds = WIDER.get(command.name) or KINDS.get(command.group.replace("-", "_"), ())
    if choice.type == "key":
        return Lookup("key", kinds=kinds)
    if choice.type == "parameter":
        return Lookup("parameter")
    if choice.type == "username":
        return Lookup("user")
    if choice.type == "value" and command.name == "CONFIG SET":
        return Lookup("setting", before[-1].lower())
    what = "element" if choice.type == "value" and command.name in ELEMENTS else choice.type
    if what not in ("field", "member", "element"):
        return None
    roles = command.syntax.spans(before)
    return Lookup(what, before[roles.index("key")], kinds) if "key" in roles else None


def _enumerated(choice: Choice, prefix: bytes, model: bytes, commands: Commands) -> list[Offer]:
    """Offers for an argument that takes one of a known few."""
    if choice.type == "command":
        return _cased(_names(commands, prefix), prefix, model)
    if choice.type == "rule":
        return _rules(prefix, commands)
    words: Iterable[tuple[str, str]] = ()
    if choice.type == "section":
        words = [(word, "a section of INFO") for word in SECTIONS]
    elif choice.type == "type":
        words = [(word, f"keys that hold a {word}") for word in TYPES]
    elif choice.type == "category":
        from redtool.commands.categories import CATEGORIES

        words = [(word, "an ACL category") for word in CATEGORIES]
    typed = prefix.decode("utf-8", "replace").lower()
    return [Offer(word, help) for word, help in words if word.startswith(typed)]


def _rules(prefix: bytes, commands: Commands) -> list[Offer]:
    """Offers for a rule of ACL SETUSER: flags, and behind a sign categories and commands (``config|get``)."""
    from redtool.commands.categories import CATEGORIES

    typed = prefix.decode("utf-8", "replace").lower()
    sign, name = typed[:1], typed[1:]
    if sign not in ("+", "-"):
        return [Offer(word, help) for word, help in RULES.items() if word.startswith(typed)]
    what = "allow" if sign == "+" else "forbid"
    offers = [Offer(f"{sign}@{word}", f"{what} a category") for word in ("all", *CATEGORIES)]
    if name[:1] != "@" and name:
        found = commands.get(name.partition("|")[0].upper().encode())
        names = _names(commands, name.encode())
        if "|" in name and found is not None and found.subs:
            names = [Offer(f"{found.name}|{sub.text}", sub.help) for sub in _names(found.subs, b"")]
        offers = [Offer(sign + offer.text.lower(), offer.help) for offer in names]
    return [offer for offer in offers if offer.text.startswith(typed)]


def _option_help(command: Command, word: str) -> str:
    """The part of the syntax that an option word opens (``EX seconds``), when that says more than the word."""
    text = next((text_of(node) for node in _sequences(command.syntax.tree) if node.items[0].text == word), "")
    return text if text != word else ""


def _sequences(node: Node) -> Iterator[Node]:
    if node.kind == SEQ and node.items and node.items[0].kind == TOKEN:
        yield node
    for item in node.items:
        yield from _sequences(item)
