"""The line at the bottom: what is wrong, or the syntax, on the left; where one is on the right."""

from __future__ import annotations

from redtool.repl.judge import Verdict
from redtool.repl.suggest import summary

Pieces = list[tuple[str, str]]


class Facts:
    """What the toolbar and the prompt show of the session. ``keys`` and ``seconds`` are None while unknown."""

    __slots__ = ("connected", "db", "keys", "name", "queued", "seconds", "trouble")

    def __init__(self, name: str, db: int = 0, keys: int | None = None, seconds: float | None = None,
                 queued: int | None = None, connected: bool = True, trouble: str = "") -> None:  # fmt: skip
        self.name, self.db, self.keys, self.seconds = name, db, keys, seconds
        self.queued, self.connected = queued, connected  # queued is None outside of MULTI
        self.trouble = trouble  # of the store itself (disk full)


def prompt(facts: Facts) -> Pieces:
    """The prompt: ``name> ``, ``name[2]> ``, ``name(MULTI)> ``, ``not connected> ``."""
    if not facts.connected:
        return [("prompt.lost", "not connected"), ("prompt", "> ")]
    pieces = [("prompt", facts.name + (f"[{facts.db}]" if facts.db else ""))]
    if facts.queued is not None:
        pieces.append(("prompt.multi", "(MULTI)"))
    return [*pieces, ("prompt", "> ")]


def toolbar(verdict: Verdict, facts: Facts, width: int) -> Pieces:
    """One line: facts are kept whole where they fit, what is on the left is cut."""
    right = _facts(facts)
    role, left = ("problem", facts.trouble) if facts.trouble else _saying(verdict)
    if len(right) > width // 2 and left:
        right = right[: max(width // 3, 0)] and _facts(facts, short=True)
    room = width - len(right) - 2
    if room < 8:
        return [(role or "facts", _cut(left or right, width))]
    left = _cut(left, room)
    return [(role, left), ("", " " * (width - len(left) - len(right))), ("facts", right)]


def _saying(verdict: Verdict) -> tuple[str, str]:
    """What there is to say of the line."""
    if verdict.problem and verdict.certain:
        return "problem", verdict.problem
    if verdict.command is None:
        return "facts", "" if verdict.typed.words else "HELP for help, Ctrl-D to leave"
    if verdict.problem and verdict.hint == "":
        return "missing", verdict.problem
    command = verdict.command
    text = summary(command)
    return "syntax", f"{command.line} · {text}" if text else command.line


def _facts(facts: Facts, short: bool = False) -> str:
    parts = []
    if facts.queued is not None:
        parts.append(f"{facts.queued} queued")
    if not short:
        parts.append(f"{facts.name} db{facts.db}")
        if facts.keys is not None:
            parts.append(f"{facts.keys:,} key{'' if facts.keys == 1 else 's'}")
    if facts.seconds is not None:
        parts.append(duration(facts.seconds))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """A time with two or three digits: 85 µs, 1.2 ms, 340 ms, 2.5 s."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.{int(seconds < 0.01)}f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"
