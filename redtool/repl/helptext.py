"""What HELP says: a command, a group of commands, or how the REPL works, all from the table of commands."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from redtool.commands.table import Command, find
from redtool.matching import shown
from redtool.repl.judge import Commands, nearest, unknown
from redtool.repl.suggest import summary

# A text in pieces: (role, text), roles as in ``looks``.
Pieces = list[tuple[str, str]]

ABOUT = (
    ("Tab", "complete; the menu opens by itself as you type"),
    ("→", "take the suggestion from the history"),
    ("Ctrl-R", "search the history; ↑ and ↓ walk through it"),
    ("Ctrl-C", "clear the line, or stop a running command"),
    ("Ctrl-D", "leave"),
    ("5 INCR n", "run a command several times"),
    ("HELP ZADD", "explain a command; HELP CONFIG SET one with two words"),
    ("HELP @hash", "list the commands of a group"),
    ("CONNECT host port", "go to a server, by CONNECT redis://… too"),
    ("CONNECT ./dir", "go to a store"),
    ("CLEAR", "clear the screen"),
)


def about(words: Sequence[bytes], commands: Commands, width: int) -> Pieces:
    """The text for HELP with these words after it."""
    if not words:
        return _general(commands, width)
    if words[0].startswith(b"@"):
        return _group(words[0][1:], commands, width)
    found = commands.get(words[0].upper())
    if found is None:
        return [("error", unknown(words[0], commands) + "\n")]
    if len(words) > 1:
        sub = (found.subs or {}).get(words[1].upper())
        if sub is None:
            known = found.subs or {}
            problem = unknown(words[1], known, found.name) if known else f"{found.name} has no subcommands"
            return [("error", problem + "\n")]
        found = sub
    return _command(found, width)


def _general(commands: Commands, width: int) -> Pieces:
    out: Pieces = []
    for keys, what in ABOUT:
        out += [("command", f"{keys:<19}"), ("", f"{what}\n")]
    groups = " ".join(f"@{group}" for group in sorted({found.group for found in commands.values() if found.group}))
    out += [("facts", _filled(f"Groups: {groups}", width, "        "))]
    return out


def _command(command: Command, width: int) -> Pieces:
    name, rest = command.line[: len(command.name)], command.line[len(command.name) :]
    subs = command.subs or {}
    if subs and not rest:
        rest = " <subcommand>"
    indent = " " * min(len(name) + 1, 12)
    syntax = _filled(name + rest, width, indent)
    out: Pieces = [("command", syntax[: len(name)]), ("syntax", syntax[len(name) :])]
    if command.prose:
        out.append(("", _filled(" ".join(command.prose.split()), width, "")))
    facts = [("since", command.since), ("complexity", command.complexity), ("group", command.group.replace("_", "-"))]
    line = " · ".join(f"{what} {text}" for what, text in facts if text and not (subs and what == "complexity"))
    if line:
        out.append(("facts", _filled(line, width, "")))
    return out + _example(command, width) + _table([(sub.name, summary(sub)) for _, sub in sorted(subs.items())], width)


def _example(command: Command, width: int) -> Pieces:
    """The transcript; a command that a server described has the one of its namesake here."""
    lines = command.example or (found.example if (found := _ours(command.name)) else [])
    out: Pieces = []
    for line in lines:
        shown = "\n".join(textwrap.wrap(line, width - 2, subsequent_indent="    ", break_on_hyphens=False)) + "\n"
        shown = textwrap.indent(shown, "  ")
        if line.startswith("> "):
            name = " ".join(line.split()[1 : 1 + command.skip])
            out += [("facts", "  > "), ("command", name), ("", shown[4 + len(name) :])]
        else:
            out.append(("facts", shown))
    return [("", "\n"), *out] if out else []


def _ours(name: str) -> Command | None:
    main, _, sub = name.encode().partition(b" ")
    found = find(main)
    return (found.subs or {}).get(sub) if found and sub else found


def _group(typed: bytes, commands: Commands, width: int) -> Pieces:
    name = typed.decode("utf-8", "replace").lower().replace("-", "_")
    rows = [(each.name, summary(each)) for _, found in sorted(commands.items())
            for each in ([found, *(sub for _, sub in sorted((found.subs or {}).items()))])
            if each.group.replace("-", "_") == name and not each.subs]  # fmt: skip
    if rows:
        return _table(rows, width)
    groups = {found.group.encode() for found in commands.values() if found.group}
    near = nearest(name.encode(), groups)
    meant = f"; did you mean @{near.decode()}?" if near else ": " + " ".join(f"@{g.decode()}" for g in sorted(groups))
    return [("error", f"no group is called '{shown(typed)}'{meant}\n")]


def _table(rows: Sequence[tuple[str, str]], width: int) -> Pieces:
    """Names in one column, what they do in the next."""
    out: Pieces = []
    column = max((len(name) for name, _ in rows), default=0) + 2
    for name, text in rows:
        lines = textwrap.wrap(text, max(width - column, 20)) or [""]
        out += [("command", f"{name:<{column}}"), ("", ("\n" + " " * column).join(lines) + "\n")]
    return out


def _filled(text: str, width: int, indent: str) -> str:
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"
