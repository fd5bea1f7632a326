"""Help texts, made from the tables: OPTIONS and VERBS, typer's command tree, the command table."""

from __future__ import annotations

import os
from textwrap import wrap
from typing import Any

from redtool.options import OPTIONS, SECTIONS, VERBS

INDENT = 26  # where the explanation of an option begins
WAYS = (
    ("redtool", "an interactive terminal on a store of your own: no server needed"),
    ('redtool SET greeting "hello" EX 60', "one Redis command"),
    ("redtool < commands.txt", "a script, one command a line; also: redtool run commands.txt"),
    ("redtool -u redis://host:6379 INFO", "any of these on a real server"),
)
CODES = (
    ("0", "ok"), ("1", "an error reply; with --test also nil, 0, false or empty"), ("2", "wrong usage or quoting"),
    ("3", "cannot connect, authenticate or open the store"), ("130", "Ctrl-C"),
)  # fmt: skip


def width() -> int:
    """Columns to fill: those of the terminal, but not more than are read with ease."""
    try:
        return max(40, min(os.get_terminal_size(1).columns, 100))
    except OSError:
        return 80


def program() -> str:
    """``redtool --help``."""
    blocks = ["redtool, a terminal for Redis that brings its own Redis\n"]
    widest = max(len(line) for line, _ in WAYS)
    blocks.append("".join(entry(line, text, widest + 4) for line, text in WAYS))
    blocks.append("Verbs (a word in capitals is always the Redis command; redtool VERB --help)\n" + rows(VERBS.items()))
    blocks += options()
    blocks.append("Exit codes\n" + rows(CODES))
    blocks.append(fill("The store is a directory: --store, else $REDTOOL_STORE, else ~/.local/share/redtool/default. "
                       "$REDIS_URL names a server to use instead. A real redis-server can open the directory too."))
    return "\n".join(blocks)


def options() -> list[str]:
    """The shared options, a block a section, those of one purpose together."""
    blocks: list[list[str]] = []
    hidden = {name for names, _ in TOGETHER.values() for name in names}
    spellings = {OPTIONS[names[0]][0]: (names, metavar, text) for names, metavar, text in merged()}
    for name, (names, metavar, text) in spellings.items():
        if names[0] in SECTIONS:
            blocks.append([f"{SECTIONS[names[0]]}\n"])
        if name in TOGETHER:
            group, text = TOGETHER[name]
            shown = " ".join(f"{spellings[each][0][0]} {spellings[each][1]}".rstrip() for each in group)
            blocks[-1].append(entry(shown, text, INDENT))
        elif name not in hidden:
            blocks[-1].append(entry(f"{', '.join(names)} {metavar}".rstrip(), text, INDENT))
    return ["".join(lines) for lines in blocks]


# Options that ``program`` shows in one entry: name of the first -> (names, what they are for)
TOGETHER = {
    "askpass": (("askpass", "password_file", "password_command"), "where else the password comes from"),
    "tls": (("tls", "cacert", "cert", "key", "sni", "insecure"), "TLS, and how"),
    "resp2": (("resp2", "resp3"), "protocol to speak (default: RESP3 where the server has it)"),
}


def merged() -> list[tuple[list[str], str, str]]:
    """OPTIONS with the spellings of one option together: (spellings, value, explanation)."""
    found: dict[str, tuple[list[str], str, str]] = {}
    for option, (name, metavar, text) in OPTIONS.items():
        found.setdefault(name, ([], metavar, text))[0].append(option)
    return list(found.values())


def verb(path: list[str], command: Any) -> str:
    """The help of a verb, from typer's command."""
    if hasattr(command, "commands"):
        return _group(path, command)
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    own = [param for param in command.params if param.param_type_name == "option" and param.name != "help"]
    usage = " ".join(["redtool", *path, *(param.metavar or param.name.upper() for param in arguments)])
    blocks = [f"{usage}{' [options]' if own else ''}\n", paragraphs(command.help or "")]
    if arguments:
        blocks.append(rows((param.metavar or param.name.upper(), param.help or "") for param in arguments))
    if own:
        blocks.append(rows((spelled(param), param.help or "") for param in own))
    blocks.append(fill("Options that say where and how to print (--store, -u, --json, …) may stand before or after "
                       "the verb: redtool --help."))
    blocks.append(_examples(command))
    return "\n".join(blocks)


def spelled(param: Any) -> str:
    """An option's spellings and its value."""
    names = ", ".join(sorted(param.opts, key=len))
    return names if param.is_flag else f"{names} {param.metavar or param.name.upper()}"


def _group(path: list[str], command: Any) -> str:
    subs = [(" ".join([*path, name]), summary(sub)) for name, sub in command.commands.items()]
    return "\n".join([f"redtool {' '.join(path)} SUBVERB …\n", paragraphs(command.help or ""), rows(subs),
                      _examples(command)])  # fmt: skip


def summary(command: Any) -> str:
    """The first line of a verb's help."""
    text: str = (command.help or "").strip().partition("\n")[0]
    return text


def _examples(command: Any) -> str:
    lines = [line.strip() for line in (command.epilog or "").strip().splitlines()]
    return "Examples\n" + "".join(f"  {line}\n" for line in lines)


def redis_command(words: list[str]) -> str:
    """What the table says of a Redis command; empty when there is none of that name."""
    from redtool.commands.table import load_all

    command = load_all().get(words[0].upper().encode("utf-8", "surrogateescape"))
    if command is None:
        return ""
    if command.subs and len(words) > 1:
        command = command.subs.get(words[1].upper().encode("utf-8", "surrogateescape"))
        if command is None:
            return ""
    shown = [fold(command.line), *([paragraphs(command.prose)] if command.prose else [])]
    complexity = "" if command.handler is None else command.complexity
    facts = [("group", command.group.replace("_", " ")), ("since", command.since), ("complexity", complexity)]
    shown.append(rows(fact for fact in facts if fact[1]))
    if command.example:
        shown.append("Example\n" + "".join(f"  {line}".rstrip() + "\n" for line in command.example))
    if command.subs:
        fits = width() - 4
        shown.append(rows((sub.line if len(sub.line) <= fits else f"{sub.name} …", sub.summary)
                          for sub in command.subs.values()))  # fmt: skip
    return "\n".join(shown)


def rows(pairs: Any) -> str:
    """Two columns, indented."""
    known = list(pairs)
    widest = max((len(left) for left, _ in known if len(left) < INDENT), default=0)
    return "".join(entry(left, right, max(widest + 4, 12)) for left, right in known)


def entry(left: str, right: str, column: int) -> str:
    """One entry: the right part starts at ``column`` and is folded there; on the next line when the left is long."""
    lines = wrap(right, max(width() - column, 20)) or [""]
    head = f"  {left}"
    if len(head) > column - 2:
        lines.insert(0, "")
    first, *rest = lines
    return f"{head:<{column}}{first}".rstrip() + "\n" + "".join(f"{'':<{column}}{line}\n" for line in rest)


def fold(line: str) -> str:
    """A syntax line, folded under the name's end."""
    indent = " " * min(len(line.partition(" ")[0]) + 1, 12)
    return "\n".join(wrap(line, width(), subsequent_indent=indent, break_on_hyphens=False)) + "\n"


def fill(text: str) -> str:
    return "".join(f"{line}\n" for line in wrap(text, width()))


def paragraphs(text: str) -> str:
    """A docstring, its paragraphs folded anew."""
    parts = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n".join(fill(part) for part in parts if part)
