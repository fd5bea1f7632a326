"""The command table: each command declared once, by its syntax line.

``TABLE`` maps an upper-case name to its Command; a container (CONFIG) has its subcommands in ``subs``.
A group module is imported when one of its commands is first looked up (``find``), so a one-shot pays
for one group; ``load_all`` imports the rest for completion, HELP and COMMAND.
"""

from __future__ import annotations

from sys import maxsize

from redtool.grammar import CONTAINERS, Syntax

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from redtool.resp import Reply

    Handler = Callable[..., Reply]

TABLE: dict[bytes, Command] = {}


class Command:
    """One command's declaration. What the syntax line implies is derived on first use.

    ``name`` is upper case ("CONFIG GET" for a subcommand), ``flags`` are COMMAND INFO's words,
    ``skip`` is the number of words of the name, ``subs`` is None but for a container.
    """

    __slots__ = ("_syntax", "complexity", "group", "handler", "line", "name", "overrides", "since", "skip", "subs",
                 "words")  # fmt: skip

    def __init__(self, name: str, line: str, handler: Handler | None, flags: str, group: str, since: str,
                 complexity: str, **overrides: Any) -> None:  # fmt: skip
        self.name, self.line, self.handler = name, line, handler
        self.words, self.group, self.since, self.complexity = flags, group, since, complexity
        self.overrides = overrides
        self.skip = 1 + name.count(" ")
        self.subs: dict[bytes, Command] | None = None
        self._syntax: Syntax | None = None

    @property
    def syntax(self) -> Syntax:
        if self._syntax is None:
            self._syntax = Syntax(self.line, **self.overrides)
        return self._syntax

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(self.words.split())

    @property
    def doc(self) -> str:
        """The handler's docstring: the summary, maybe more, and an example at its end."""
        return (self.handler.__doc__ or "") if self.handler else ""

    @property
    def summary(self) -> str:
        """What the command does, in one line."""
        return self.doc.partition("\n")[0]

    @property
    def prose(self) -> str:
        """The docstring without its example."""
        return "\n".join(self._halves()[0]).strip()

    @property
    def example(self) -> list[str]:
        """The transcript in the docstring: a command after ``> ``, the lines of its reply after it."""
        lines = self._halves()[1]
        margin = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        return [line[margin:] for line in lines]

    def _halves(self) -> tuple[list[str], list[str]]:
        lines = self.doc.rstrip().split("\n")
        for at, line in enumerate(lines):
            if line.lstrip().startswith("> "):
                return lines[:at], lines[at:]
        return lines, []

    @property
    def low(self) -> int:
        """The least number of words, the name's included."""
        return self.syntax.min_args

    @property
    def high(self) -> int:
        """The greatest number of words, the name's included."""
        most = self.syntax.max_args
        return maxsize if most is None else most

    def leading(self, args: tuple[bytes, ...]) -> tuple[dict[bytes, Any], tuple[bytes, ...]]:
        """Consume option words from the left; give them and the rest. See ``Syntax.leading``."""
        return self.syntax.leading(args)

    def trailing(self, args: tuple[bytes, ...], repeat: int | None = None) -> dict[bytes, Any]:
        """Read ``args`` as options to the end. See ``Syntax.trailing``."""
        return self.syntax.trailing(args, repeat)

    def __repr__(self) -> str:
        return f"<Command {self.name}>"


def group(name: str) -> Callable[..., Callable[[Handler], Command]]:
    """Give the decorator that declares the commands of one group."""

    def command(line: str, flags: str = "", *, since: str = "1.0.0", complexity: str = "O(1)",
                **overrides: Any) -> Callable[[Handler], Command]:  # fmt: skip
        def declare(handler: Handler) -> Command:
            first, _, tail = line.partition(" ")
            second = tail.partition(" ")[0]
            full = f"{first} {second}" if first in CONTAINERS and second.isupper() else first
            made = Command(full, line, handler, flags, name, since, complexity, **overrides)
            if full == first:
                made.subs = {} if first in CONTAINERS else None
                TABLE[first.encode()] = made
            else:
                parent = TABLE.get(first.encode())
                if parent is None:
                    parent = Command(first, first, None, "", name, since, "Depends on subcommand.")
                    parent.subs = {}
                    TABLE[first.encode()] = parent
                assert parent.subs is not None
                parent.subs[second.encode()] = made
            return made

        return declare

    return command


def declare_help(command: Callable[..., Callable[[Handler], Command]], container: str, since: str) -> None:
    """Declare the HELP of a container; call it when its other subcommands are declared."""

    def lines(c: object) -> Reply:
        from redtool.commands.help import lines

        return lines(container.encode())

    count = 2 * len(TABLE[container.encode()].subs or ()) + 3
    first = f"{1:{len(str(count))}}) {container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    lines.__doc__ = f"List the subcommands.\n\n    > {container} HELP\n    {first}\n    …\n    "
    command(f"{container} HELP", "loading stale", since=since)(lines)


def find(name: bytes) -> Command | None:
    """Look a command up by name in any case, importing its group if need be."""
    name = name.upper()
    found = TABLE.get(name)
    if found is None:
        from redtool.commands.index import MODULES

        module = MODULES.get(name)
        if module is None:
            return None
        __import__(f"redtool.commands.{module}")
        found = TABLE.get(name)
    return found


def load_all() -> dict[bytes, Command]:
    """Import every group and give the whole table."""
    from redtool.commands.index import MODULES

    for module in sorted(set(MODULES.values())):
        __import__(f"redtool.commands.{module}")
    return TABLE
