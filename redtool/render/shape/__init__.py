"""Which shape a reply takes on a screen: decided from the command line, drawn by ``human``.

``shape(argv, reply)`` is pure. The rules are one dict a command group; what no rule knows gets redis-cli's
layout, maps become tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from redtool.render.lift import command_name, lift
from redtool.render.notes import note
from redtool.render.shape import data, ranking, server, streams
from redtool.render.shape.kinds import (
    Board,
    Column,
    Columns,
    Empty,
    Group,
    Lines,
    Shape,
    Table,
    Tree,
    fields,
    first,
    records,
)

__all__ = ["Board", "Column", "Columns", "Empty", "Group", "Lines", "Shape", "Table", "Tree", "shape"]

Rule = Callable[[Sequence[bytes], object, int], Shape]
RULES: dict[bytes, Rule] = {**data.RULES, **ranking.RULES, **streams.RULES, **server.RULES}


def shape(
    argv: Sequence[bytes], reply: object, cap: int = 1000, queued: Sequence[Sequence[bytes]] | None = None
) -> Shape:
    """Give the shape of a reply to the command ``argv``.

    cap: the most rows that are laid out, 0 = all.
    queued: for EXEC, the commands of the transaction, so that each result gets its own shape.
    """
    name = command_name(argv)
    if name == b"EXEC" and isinstance(reply, (list, tuple)) and reply:
        return _transaction(reply, cap, queued)
    if type(reply).__name__ == "Push" and isinstance(reply, list):
        return server.message(reply)
    reply = lift(argv, reply)
    if isinstance(reply, int):
        return Tree(reply, note(argv, reply))
    rule = RULES.get(name)
    if rule and _wanted(reply):
        return rule(argv, reply, cap)
    if name.endswith(b" HELP") and isinstance(reply, list):
        return server.help_lines(reply)
    return _general(reply, cap)


def _wanted(reply: object) -> bool:
    """Tell whether a rule may look at a reply: not at an error, nil or QUEUED."""
    return reply is not None and not isinstance(reply, Exception) and type(reply).__name__ != "Status"


def _general(reply: object, cap: int) -> Shape:
    if isinstance(reply, dict):
        return fields(reply, cap)
    if isinstance(reply, (set, frozenset)):
        return data.members((), reply, cap)
    if isinstance(reply, (list, tuple)):
        if not reply:
            return Empty("(empty array)")
        if all(isinstance(item, dict) and item for item in first(reply, cap)):
            return records(reply, cap)
    elif type(reply).__name__ == "Verbatim" and isinstance(reply, bytes):
        return Lines(reply)
    return Tree(reply)


def _transaction(reply: Sequence[object], cap: int, queued: Sequence[Sequence[bytes]] | None) -> Shape:
    """Number the results of EXEC; one that is a single line stands beside its number."""
    commands = queued if queued is not None and len(queued) == len(reply) else [()] * len(reply)
    shown = list(zip(commands, first(reply, cap), strict=False))
    parts = [(f"{index})", shape(argv, item, cap)) for index, (argv, item) in enumerate(shown, 1)]
    return Group(parts, len(reply), "result")
