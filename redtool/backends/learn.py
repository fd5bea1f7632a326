"""Learn a server's commands from the server: COMMAND DOCS for syntax, COMMAND for arity and flags."""

from __future__ import annotations

from redtool.backends.docs import fields, from_docs, text
from redtool.commands.table import Command, load_all
from redtool.errors import ReplyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from redtool.backends.connection import Connection
    from redtool.resp import Reply


def learn(connection: Connection) -> Mapping[bytes, Command]:
    """Give the server's commands by upper-case name, modules' included; redtool's table where it cannot say."""
    ours = load_all()
    docs: Any = connection.call("COMMAND", "DOCS")  # Redis 7 and later
    if isinstance(docs, ReplyError) or not docs:
        return ours
    infos = _infos(connection.call("COMMAND"))
    entries = {name: {} for name in infos if "|" not in name} | fields(docs)
    return {name.upper().encode(): _command(name, doc, infos, ours) for name, doc in sorted(entries.items())}


def _infos(reply: Reply) -> dict[str, list[Any]]:
    """COMMAND's entries by lower-case name, subcommands too."""
    found: dict[str, list[Any]] = {}
    for info in reply if isinstance(reply, list | set) else ():
        if isinstance(info, list) and len(info) > 2:
            found[text(info[0]).lower()] = info
            if len(info) > 9:
                found |= _infos(info[9])
    return found


def _command(name: str, doc: Any, infos: Mapping[str, list[Any]], ours: Mapping[bytes, Command]) -> Command:
    """Make one Command of what the server says; key positions that no syntax line tells are redtool's own."""
    entry, info = fields(doc), infos.get(name.lower(), [name, 0, ()])
    line = from_docs(name, doc)
    least = 2 if "|" in name else 1
    if "arguments" not in entry and "subcommands" not in entry and info[1] not in (0, least):
        line += " [arg ...]" if info[1] == -least else " arg [arg ...]"  # a command that does not describe itself
    main, _, sub = name.upper().partition("|")
    own = ours.get(main.encode())
    if own is not None and sub:
        own = (own.subs or {}).get(sub.encode())
    made = Command(name.upper().replace("|", " "), line, _described(text(entry.get("summary", ""))),
                   " ".join(sorted(text(flag).lower() for flag in info[2])), text(entry.get("group", "module")),
                   text(entry.get("since", "")), text(entry.get("complexity", "")),
                   **(own.overrides if own is not None else {}))  # fmt: skip
    subs = fields(entry.get("subcommands", {}))
    if subs:
        made.subs = {part.partition("|")[2].upper().encode(): _command(part, doc, infos, ours)
                     for part, doc in subs.items()}  # fmt: skip
    return made


def _described(summary: str) -> Callable[..., Reply]:
    """Stand for a handler, which is the server's; its docstring is the command's."""

    def elsewhere(*_: object) -> Reply:
        raise RuntimeError("this command runs on the server")

    elsewhere.__doc__ = summary
    return elsewhere
