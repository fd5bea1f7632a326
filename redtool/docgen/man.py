"""The man pages: redtool(1), a page a verb, redtool-commands(7), redtool.conf(5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redtool.cli.helptext import WAYS, merged
from redtool.commands.table import Command, load_all
from redtool.docgen.facts import CODES, CONF, ENVIRONMENT, FILES, MEANINGS, OUTPUT, QUOTING, TARGETS
from redtool.docgen.serving import DIRECTIVES, SERVED, SERVING
from redtool.options import SECTIONS, VERBS
from redtool.parameters import ALIASES, PARAMETERS, parameter

GROUP_TITLES = {
    "bitmap": "Bitmaps", "generic": "Keys", "hash": "Hashes", "hyperloglog": "HyperLogLog", "list": "Lists",
    "module": "Vector sets", "set": "Sets", "sorted_set": "Sorted sets", "stream": "Streams", "string": "Strings",
}  # fmt: skip


def pages(note: str) -> dict[str, str]:
    """Every page: name such as man1/redtool.1 -> its text."""
    from redtool.cli.app import tree

    out = {"man1/redtool.1": main_page(note), "man5/redtool.conf.5": conf_page(note),
           "man7/redtool-commands.7": commands_page(note)}  # fmt: skip
    for name, command in tree().commands.items():
        out[f"man1/redtool-{name}.1"] = verb_page(name, command, note)
    return out


# -- roff


def escape(text: str) -> str:
    """Text that roff prints as it is."""
    for char, sign in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti"),
                       ("…", "...")):  # fmt: skip
        text = text.replace(char, sign)
    return "\\&" + text if text[:1] == "." else text


def argument(text: str) -> str:
    """Text as the one argument of a macro, which takes double quotes for its own."""
    return '"' + escape(text).replace('"', "\\(dq") + '"'


def head(name: str, section: int, about: str, note: str) -> list[str]:
    return [f'.\\" {note}', f".TH {argument(name.upper())} {section} \"\" redtool redtool", ".SH NAME",
            f"{escape(name)} \\- {escape(about)}"]  # fmt: skip


def entries(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Tagged paragraphs."""
    return [line for tag, text in rows for line in (".TP", f".B {argument(tag)}", escape(text))]


def example(lines: Iterable[str]) -> list[str]:
    return [".PP", ".nf", ".RS 4", *(escape(line) for line in lines), ".RE", ".fi"]


def transcript(lines: Iterable[str]) -> list[str]:
    """An example under a tagged paragraph, as typed and answered."""
    shown = list(lines)
    return [".IP", ".nf", *(escape(line) for line in shown), ".fi"] if shown else []


def paragraphs(text: str | None) -> list[str]:
    blocks = (text or "").strip().split("\n\n")
    return [line for block in blocks if block for line in (".PP", escape(" ".join(block.split())))]


def text_of(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line) + "\n"


def see(*names: str) -> list[str]:
    """The last section: other pages, redis-server's aside, which may not be there."""
    return [".SH SEE ALSO", ",\n".join(escape(name) for name in names)]


# -- pages


def main_page(note: str) -> str:
    """redtool(1): every option, exit code, file and variable."""
    lines = head("redtool", 1, "a terminal for Redis that brings its own Redis", note)
    lines += [".SH SYNOPSIS", ".B redtool", "[\\fIoptions\\fR] [\\fIWORD\\fR ...]", ".SH DESCRIPTION"]
    lines += paragraphs(
        "redtool runs Redis commands on a store of its own, a directory that this process opens, without a server; or "
        "on a Redis or Valkey server. A word in capitals is always the Redis command. In lower case a verb of redtool "
        "wins where there is one; after -- it is the command again."
    )
    lines += entries(WAYS)
    lines += [".SH VERBS", *entries((f"redtool {name}", about) for name, about in VERBS.items()), ".SH OPTIONS"]
    lines += paragraphs("They stand before the command. After a verb they may also stand behind it.")
    for names, metavar, text in merged():
        if names[0] in SECTIONS:
            lines += [f".SS {argument(SECTIONS[names[0]])}"]
        lines += entries([(f"{', '.join(names)} {metavar}".rstrip(), text)])
    lines += [".SH OUTPUT", *paragraphs(OUTPUT), ".SH QUOTING", *paragraphs(QUOTING)]
    lines += [".SH TARGETS", *paragraphs(TARGETS[0]), *example(TARGETS[1:])]
    lines += [".SH EXIT STATUS", *entries((str(code), text) for code, text in CODES.items())]
    lines += [".SH FILES", *entries(FILES), ".SH ENVIRONMENT", *entries(ENVIRONMENT)]
    others = sorted(f"redtool-{name}(1)" for name in VERBS if name != "help")
    return text_of(lines + see(*others, "redtool.conf(5)", "redtool-commands(7)"))


def verb_page(name: str, command: Any, note: str) -> str:
    """A verb's page, those of its subverbs included."""
    lines = head(f"redtool-{name}", 1, VERBS[name], note)
    parts = [(f"{name} {sub}", node) for sub, node in getattr(command, "commands", {}).items()]
    alone = not parts or getattr(command, "invoke_without_command", False)
    lines += [".SH SYNOPSIS", ".nf"]
    for path, node in [(name, command)] * alone + parts:
        lines += [f".B {argument(' '.join(['redtool', path, *operands(node), '[options]']))}"]
    lines += [".fi", ".SH DESCRIPTION", *paragraphs(command.help), *parameters(command)]
    for path, node in parts:
        lines += [f".SS {argument(f'redtool {path}')}", *paragraphs(node.help), *parameters(node)]
    lines += paragraphs("The options of redtool(1) that say where and how to print (--store, -u, --json, ...) may "
                        "stand before or after the verb.")  # fmt: skip
    nodes = [command, *(node for _, node in parts)]
    examples = [line for node in nodes for line in (node.epilog or "").strip("\n").split("\n") if line]
    lines += [".SH EXAMPLES", *example(dict.fromkeys(examples))]
    return text_of(lines + see("redtool(1)", "redtool-commands(7)"))


def operands(node: Any) -> list[str]:
    return [str(param.metavar or param.name.upper()) for param in node.params if param.param_type_name == "argument"]


def parameters(node: Any) -> list[str]:
    """A verb's own arguments and options."""
    rows = []
    for param in node.params:
        if param.name == "help":
            continue
        option = param.param_type_name == "option"
        names = ", ".join(sorted(param.opts, key=len)) if option else ""
        value = "" if option and param.is_flag else param.metavar or param.name.upper()
        rows.append((f"{names} {value}".strip(), param.help or ""))
    return entries(rows)


def flat(commands: dict[bytes, Command]) -> list[Command]:
    """Commands, and instead of a container that does nothing by itself its subcommands."""
    found: list[Command] = []
    for command in commands.values():
        found += [command] if command.handler is not None else []
        found += (command.subs or {}).values()
    return sorted(found, key=lambda command: command.name)


def commands_page(note: str) -> str:
    """redtool-commands(7): every command of the table, by group."""
    lines = head("redtool-commands", 7, "the Redis commands of redtool's own store", note)
    lines += [".SH DESCRIPTION"]
    lines += paragraphs("Words in capitals are typed as they are, in any case; [x] may be left out; a | b is a choice; "
                        "... repeats. Options may stand in any order. A server has the commands that it has: redtool "
                        "asks it.")  # fmt: skip
    groups: dict[str, list[Command]] = {}
    for command in flat(load_all()):
        groups.setdefault(command.group, []).append(command)
    for group, members in sorted(groups.items()):
        title = title_of(group)
        lines += [f".SH {argument(title.upper())}"]
        for command in members:
            lines += [".TP", f".B {argument(command.line)}", escape(command.summary),
                      escape(f"Since {command.since}; {command.complexity.rstrip('.')}."),
                      *transcript(command.example)]  # fmt: skip
    return text_of(lines + see("redtool(1)"))


def title_of(group: str) -> str:
    return GROUP_TITLES.get(group, group.replace("_", " ").capitalize())


def conf_page(note: str) -> str:
    """redtool.conf(5): what is honoured, what is kept without effect, and other names."""
    lines = head("redtool.conf", 5, "configuration of a redtool store", note)
    lines += [".SH DESCRIPTION", *paragraphs(CONF), ".SH PARAMETERS"]
    lines += entries((f"{name} {shown(name)}", text) for name, text in MEANINGS.items())
    lines += [".SH OF A SERVER", *paragraphs(SERVED), *entries(DIRECTIVES.items())]
    lines += entries((f"{name} {shown(name)}", text) for name, text in SERVING.items())
    others = sorted(set(PARAMETERS) - set(MEANINGS) - set(SERVING))
    lines += [".SH KEPT WITHOUT EFFECT"]
    lines += paragraphs("Redis or Valkey know these. They are checked, kept and answered by CONFIG GET; nothing "
                        "is done with them.")  # fmt: skip
    lines += [".PP", escape(", ".join(others) + ".")]
    lines += [".SH OTHER NAMES", *paragraphs("The older names of some parameters are understood too.")]
    lines += entries((old, f"is {name}.") for old, name in sorted(ALIASES.items()) if old.replace("-", "_") != name)
    return text_of(lines + see("redtool(1)", "redtool-config(1)", "redtool-policy(1)"))


def shown(name: str) -> str:
    """The default as redis.conf writes it."""
    found = parameter(name)
    return found.show(found.default) or '""'
