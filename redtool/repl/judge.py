"""What is to be said of a line while it is typed: its command, what is wrong, what may still follow.

Pure: a text and the commands in, a Verdict out. A problem is ``certain`` when typing more at the end cannot cure it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from redtool.commands.table import Command
from redtool.matching import Choice, shown
from redtool.repl.typed import Typed, Word

Commands = Mapping[bytes, Command]

MOST_WORDS = 200  # of longer lines only the command is looked at
GROWING = frozenset((b"-", b"+", b"(", b"[", b".", b"-.", b"+.", b"i", b"in", b"-i", b"-in", b"+i", b"+in"))


class Verdict:
    """A judged line. ``problem`` is "" when all is well; ``at`` is the number of the wrong word, -1 for none.

    ``first`` is the number of words before the command's name (1 after a count, ``5 INCR x``), ``roles`` one a word.
    """

    __slots__ = ("at", "certain", "command", "first", "hint", "problem", "roles", "typed")

    def __init__(self, typed: Typed) -> None:
        self.typed = typed
        self.first = repeats(typed.values)
        self.command: Command | None = None
        self.problem, self.certain, self.at, self.hint = "", False, -1, ""
        self.roles: list[str] = ["count"] * self.first

    @property
    def argv(self) -> list[bytes]:
        return self.typed.values[self.first :]

    def wrong(self, problem: str, at: int) -> None:
        """Note a problem with a word that no further word can cure."""
        self.problem, self.certain, self.at = problem, True, at


def repeats(words: Sequence[bytes]) -> int:
    """1 when the first word is the number of times to run what follows, else 0."""
    return int(len(words) > 1 and words[0].isdigit())


def judge(text: str, commands: Commands) -> Verdict:
    """Judge a line that may not be finished."""
    verdict = Verdict(Typed(text))
    argv = verdict.argv
    if not argv:
        return verdict
    _find_command(verdict, argv, commands)
    command = verdict.command
    if command is None or len(argv) > MOST_WORDS:
        missing = len(verdict.typed.words) - len(verdict.roles)
        verdict.roles += (["command"] if command else ["unknown"]) + ["argument"] * (missing - 1)
    elif len(verdict.roles) == verdict.first:
        _judge_arguments(verdict, argv, command)
    if verdict.typed.problem:
        verdict.wrong(verdict.typed.problem, _badly_quoted(verdict.typed))
    if 0 <= verdict.at < len(verdict.roles):
        verdict.roles[verdict.at] = "error"
    return verdict


def _badly_quoted(typed: Typed) -> int:
    for at, word in enumerate(typed.words):
        if Typed(typed.text[word.start : word.end]).problem:
            return at
    return -1


# -- the command


def lookup(argv: Sequence[bytes], commands: Commands) -> Command | None:
    """The command, or subcommand, that a whole line names."""
    found = commands.get(argv[0].upper()) if argv else None
    if found is not None and found.subs and len(argv) > 1:
        return found.subs.get(argv[1].upper(), found)
    return found


def _find_command(verdict: Verdict, argv: list[bytes], commands: Commands) -> None:
    name = argv[0].upper()
    found = commands.get(name)
    growing = verdict.typed.partial is not None and verdict.typed.partial.quote == ""
    if found is None:
        begun = name.isdigit() or any(other.startswith(name) for other in commands)  # a count may come first
        if not (growing and len(argv) == 1 and begun):
            verdict.wrong(unknown(argv[0], commands), verdict.first)
        return
    verdict.command = found
    if found.subs and len(argv) > 1:
        sub = found.subs.get(argv[1].upper())
        if sub is not None:
            verdict.command = sub
        elif not (growing and len(argv) == 2 and any(other.startswith(argv[1].upper()) for other in found.subs)):
            verdict.roles += ["command", "error"] + ["argument"] * (len(argv) - 2)
            verdict.wrong(unknown(argv[1], found.subs, found.name), verdict.first + 1)
        else:
            verdict.roles += ["command", "unknown"]


def unknown(word: bytes, known: Iterable[bytes], container: str = "") -> str:
    """Say that a command or subcommand does not exist, and which one was likely meant."""
    what = f"{container} has no subcommand '{shown(word)}'" if container else f"unknown command '{shown(word)}'"
    near = nearest(word.upper(), known)
    meant = f"{container} {near.decode()}".strip() if near else ""
    return f"{what}; did you mean {meant}?" if meant else what


def nearest(word: bytes, known: Iterable[bytes]) -> bytes:
    """The known word a typing mistake or two away; b"" when there is none."""
    allowed = 0 if len(word) < 2 else 1 if len(word) < 6 else 2
    best, least = b"", allowed + 1
    for other in sorted(known):
        if abs(len(other) - len(word)) < least and (distance := _distance(word, other, least)) < least:
            best, least = other, distance
    return best


def _distance(one: bytes, other: bytes, enough: int) -> int:
    """Count letters added, left out, changed or swapped with their neighbour; ``enough`` ends the counting."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        older, before, row = before, row, [i + 1]
        for j, b in enumerate(other):
            cost = min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1)
            if i and j and a == other[j - 1] and one[i - 1] == b:
                cost = min(cost, older[j - 1] + 1)
            row.append(cost)
        if min(row) >= enough:
            return enough
    return row[-1]


# -- its arguments


def _judge_arguments(verdict: Verdict, argv: list[bytes], command: Command) -> None:
    syntax = command.syntax
    whole = syntax.expect(argv)
    error = whole.error
    partial = verdict.typed.partial
    growing = False
    if error is not None and partial is not None:
        before = syntax.expect(argv[:-1])
        growing = before.error is None and _may_grow(partial, before.choices)
    verdict.roles += syntax.spans(argv)
    if growing:
        verdict.roles[-1] = "argument"
    elif error is not None:
        verdict.wrong(error, verdict.first + _first_wrong(argv, command))
    else:
        verdict.problem = syntax.check(argv) or ""
        verdict.hint = "" if partial is not None and partial.quote else whole.rest


def _may_grow(word: Word, choices: Iterable[Choice]) -> bool:
    """Whether what is being typed may become one of the words that fit."""
    value = word.value.upper()
    for choice in choices:
        if choice.kind == "token" and choice.word.encode().startswith(value):
            return True
        if choice.type in ("integer", "double", "unix-time", "id") and (word.value.lower() in GROWING or word.quote):
            return True
    return not word.value


def _first_wrong(argv: list[bytes], command: Command) -> int:
    """The number of the word that makes a line wrong."""
    low, high = command.skip, len(argv)
    while low < high:  # words up to the wrong one are fine, and all after it are wrong
        middle = (low + high) // 2
        if command.syntax.expect(argv[: middle + 1]).error is None:
            low = middle + 1
        else:
            high = middle
    return min(low, len(argv) - 1)
