"""The completion scripts of bash, zsh and fish: a template each, filled with tables.

The tables are the options, the verbs and their options from typer's tree, and the commands' grammar as a state
machine (``automaton``), so a shell completes all but key names without starting Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from redtool.cli.rdb_keys import ORDERS
from redtool.commands.categories import CATEGORIES
from redtool.commands.info import SECTIONS as INFO_SECTIONS
from redtool.commands.table import Command, load_all
from redtool.docgen.automaton import Machine
from redtool.options import OPTIONS, VERBS
from redtool.parameters import PARAMETERS, POLICIES

TEMPLATES = Path(__file__).parent / "templates"
TYPES = ("string", "hash", "list", "set", "zset", "stream")
# Metavar -> what a shell offers: letters as in automaton.KINDS, f a file, r a named target, or words between bars.
VALUES = {
    "DIR": "f", "FILE": "f", "PATH": "f", "WHEN": "auto|always|never", "TYPE": "|".join(TYPES), "KEY…": "k",
    "POLICY": "|".join(sorted(POLICIES)), "PARAMETER…": "p", "PARAMETER VALUE…": "p", "[schedule]": "schedule|",
    "[DIR]": "f", "[PATH]": "f", "[WORD…]": "f", "BY": "|".join(ORDERS),
    "[FILE]": "f", "YES|NO": "yes|no", "LEVEL": "debug|verbose|notice|warning",
}  # fmt: skip
# The options that say which store or server: they go along when the shell asks for key names.
WHERE = list(OPTIONS)[: list(OPTIONS).index("--raw")]
Tables = dict[str, dict[str, tuple[str, str]]]  # table -> name -> (value, what it is for)


class Verb:
    """A verb or subverb: its words, those that may follow, options and arguments with what to offer."""

    def __init__(self, path: str, node: Any) -> None:
        self.path = path
        self.about = VERBS.get(path) or (node.help or "").partition("\n")[0]
        self.subs: dict[str, str] = {}
        self.options: list[tuple[str, str, str]] = []  # name, what to offer, help
        self.arguments = ""
        for param in getattr(node, "params", ()):
            kind = VALUES.get(param.metavar or "", "x")
            if param.param_type_name == "argument":
                self.arguments = self.arguments.strip("x") or kind  # of several the first that is known
            else:
                kind = "" if param.is_flag else kind
                self.options += [(name, kind, param.help or "") for name in param.opts if name != "--help"]

    def words(self) -> list[str]:
        """The edges in the scripts' notation: =SUB, OPTION or OPTION:KIND, @KINDS."""
        words = [f"={name}" for name in self.subs]
        words += [f"{name}:{kind}" if kind else name for name, kind, _ in self.options]
        return words + ([f"@{self.arguments}"] if self.arguments.strip("x") else [])


def verbs() -> dict[str, Verb]:
    """Every verb and subverb by its words, ``help`` included."""
    from redtool.cli.app import tree

    found: dict[str, Verb] = {}

    def visit(path: str, node: Any) -> None:
        found[path] = verb = Verb(path, node)
        for name, sub in getattr(node, "commands", {}).items():
            visit(f"{path} {name}", sub)
            verb.subs[name] = found[f"{path} {name}"].about

    commands = tree().commands
    for name in VERBS:
        if name in commands:
            visit(name, commands[name])
    found["help"] = helping = Verb("help", None)
    helping.subs = {name: about for name, about in VERBS.items() if name != "help"}
    helping.arguments = "c"
    return found


def value_of(option: str) -> str:
    """What to offer for an option's value; empty when it takes none."""
    name, metavar, _ = OPTIONS[option]
    return "r" if name == "target" else VALUES.get(metavar, "x") if metavar else ""


def lists() -> dict[str, list[str]]:
    """The words of each kind of argument that has a fixed set of them."""
    return {"p": sorted(PARAMETERS), "s": [*map(str.lower, INFO_SECTIONS), "all", "default", "everything"],
            "t": list(TYPES), "a": list(CATEGORIES)}


def edges(machine: Machine) -> Iterator[str]:
    """Each state in the scripts' notation, from state 1 on: WORD[!GROUP]=STATE, and @KINDS=STATE for any word."""
    for state in machine.states:
        yield " ".join(
            (f"@{more}" if word == "?" else f"{word}!{more}" if more else word) + f"={to + 1}"
            for (word, more), to in state.items()
        )


def summary(command: Command) -> str:
    """The first line of a command's documentation without its full stop."""
    if command.subs is not None and command.handler is None:
        return ", ".join(name.decode() for name in command.subs if name != b"HELP")
    return command.summary.rstrip(".")


def filled(template: str, tables: dict[str, str]) -> str:
    """A template with each ``@name@`` replaced."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for name, table in tables.items():
        text = text.replace(f"@{name}@", table)
    return text


def quoted(text: str) -> str:
    """A word in single quotes, as bash, zsh and fish read it."""
    return "'" + text.replace("'", "\u2019") + "'"


def scripts(note: str) -> dict[str, str]:
    """File name -> text of the three scripts."""
    table = dict(sorted(load_all().items()))
    machine = Machine(table.values())
    tables = Tables(
        options={name: (value_of(name), about) for name, (_, _, about) in OPTIONS.items()},
        verbs={path: (" ".join(verb.words()), verb.about) for path, verb in verbs().items()},
        verb_options={f"{path} {name}": (kind, about) for path, verb in verbs().items()
                      for name, kind, about in verb.options},
        commands={name: (str(at + 1), summary(table[name.encode()])) for name, at in machine.starts.items()},
    )  # fmt: skip
    states = "\n".join(map(quoted, edges(machine)))
    common = {"note": note, "where": " ".join(WHERE), "states": states}
    about = {name: about for rows in tables.values() for name, (_, about) in rows.items()}
    about |= {f"verb {path}": verb_about for path, (_, verb_about) in tables["verbs"].items()}
    pairs = {name: _pairs({row: value for row, (value, _) in rows.items()}) for name, rows in tables.items()}
    pairs["lists"] = _pairs({kind: " ".join(words) for kind, words in lists().items()})
    return {
        "redtool.bash": filled("redtool.bash", common | pairs),
        "_redtool": filled("_redtool", common | pairs | {"about": _pairs(about)}),
        "redtool.fish": filled("redtool.fish", common | {"tables": _fish(tables, machine)}),
    }


def _pairs(rows: dict[str, str]) -> str:
    return "\n".join(f"[{name if name.isalpha() else quoted(name)}]={quoted(value)}" for name, value in rows.items())


def _fish(tables: Tables, machine: Machine) -> str:
    """Variables of fish: three lists a table."""
    found = {"where": WHERE, "states": list(edges(machine))}
    for name, rows in tables.items():
        found[f"{name}_names"] = list(rows)
        found[f"{name}_values"] = [value for value, _ in rows.values()]
        found[f"{name}_abouts"] = [about for _, about in rows.values()]
    found |= {f"list_{kind}": words for kind, words in lists().items()}
    return "\n".join(f"set -g __redtool_{name} {' '.join(map(quoted, words))}" for name, words in found.items())
