"""The man pages: redtool(1), a page a verb, redtool-commands(7), redtool.conf(5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redtool.cli.helptext import CODES, WAYS, merged
from redtool.commands.table import Command, load_all
from redtool.config import DEFAULTS
from redtool.options import VERBS
from redtool.parameters import PARAMETERS, parameter

# What a parameter of redtool.conf does, for those that an embedded store honours.
MEANINGS = {
    "aof-load-truncated": "cut an unfinished command from the end of the journal when opening; no: refuse to open",
    "appenddirname": "name of the directory that holds the journal's files",
    "appendfilename": "what the names of the journal's files begin with",
    "appendfsync": "when written commands are brought to the disk: always before the reply, everysec, or no (the system decides)",
    "appendonly": "keep a journal of every change; no: only what SAVE and BGSAVE write is kept",
    "auto-aof-rewrite-min-size": "bytes below which the journal is not rewritten by itself",
    "auto-aof-rewrite-percentage": "growth since the last rewrite that starts another; 0: never",
    "databases": "how many numbered databases there are",
    "dbfilename": "name of the snapshot that SAVE and BGSAVE write",
    "hash-max-listpack-entries": "most fields of a hash that OBJECT ENCODING calls listpack",
    "hash-max-listpack-value": "longest field or value of such a hash, in bytes",
    "hll-sparse-max-bytes": "size from which a HyperLogLog is kept in its dense form",
    "list-max-listpack-size": "most elements, or as -1 to -5 the size class, of a list that is called listpack",
    "proto-max-bulk-len": "longest string, in bytes",
    "requirepass": "password that AUTH expects",
    "set-max-intset-entries": "most members of a set of integers that is called intset",
    "set-max-listpack-entries": "most members of a set that is called listpack",
    "set-max-listpack-value": "longest member of such a set, in bytes",
    "stream-node-max-bytes": "size of a stream's nodes, in bytes",
    "stream-node-max-entries": "entries of a stream's nodes: what an approximate trim counts in",
    "zset-max-listpack-entries": "most members of a sorted set that is called listpack",
    "zset-max-listpack-value": "longest member of such a sorted set, in bytes",
}  # fmt: skip
GROUP_TITLES = {"sorted_set": "Sorted sets", "sorted-set": "Sorted sets", "hyperloglog": "HyperLogLog"}
FILES = (
    ("~/.local/share/redtool/default", "the store, where neither --store nor REDTOOL_STORE names another"),
    ("STORE/redtool.conf", "its configuration, see redtool.conf(5)"),
    ("STORE/appendonlydir/", "its journal: manifest, base and increments, as Redis 7 keeps them"),
    ("STORE/dump.rdb", "its last snapshot"),
    ("~/.config/redtool/config.toml", "named targets: [targets.NAME] with url, or store"),
    ("~/.local/state/redtool/history", "what was typed, without secrets"),
)
ENVIRONMENT = (
    ("REDTOOL_STORE", "the store's directory"),
    ("REDIS_URL", "a server to use instead of a store"),
    ("REDISCLI_AUTH", "the server's password"),
    ("REDTOOL_HISTFILE, REDISCLI_HISTFILE", "the history's file; /dev/null keeps none"),
    ("NO_COLOR, FORCE_COLOR, PAGER, LESS", "as usual"),
    ("XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME", "where the directories above lie"),
)


def pages(note: str) -> dict[str, str]:
    """Every page: name such as man1/redtool.1 -> its text."""
    from redtool.cli.app import tree

    out = {"man1/redtool.1": main_page(note), "man5/redtool.conf.5": conf_page(note),
           "man7/redtool-commands.7": commands_page(note)}  # fmt: skip
    for name, command in tree().commands.items():
        out[f"man1/redtool-{name}.1"] = verb_page(name, command, note)
    return out


def escape(text: str) -> str:
    """Text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return "\\&" + text if text[:1] in (".", "'") else text


def head(name: str, section: int, about: str, note: str) -> list[str]:
    title = name.upper()
    return [f'.\\" {note}', f'.TH "{escape(title)}" {section} "" "redtool" "redtool"', ".SH NAME",
            f"{escape(name)} \\- {escape(about)}"]  # fmt: skip


def entries(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Tagged paragraphs."""
    return [line for tag, text in rows for line in (".TP", f".B {escape(tag)}", escape(text))]


def example(lines: Iterable[str]) -> list[str]:
    return [".nf", *(escape(line) for line in lines), ".fi"]


def text_of(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line) + "\n"


def main_page(note: str) -> str:
    lines = head("redtool", 1, "a terminal for Redis that brings its own Redis", note)
    lines += [".SH SYNOPSIS", ".nf", ".B redtool \\fR[\\fIoptions\\fR] [\\fIWORD\\fR ...]", ".fi", ".SH DESCRIPTION"]
    lines += ["Runs Redis commands on a store of its own, a directory on disk that is opened by the process itself,",
              "or on a server. A word in capitals is always the Redis command; in lower case a verb wins where",
              "there is one. After \\fB\\-\\-\\fR what follows is always the command."]  # fmt: skip
    lines += entries(WAYS)
    lines += [".SH VERBS", *entries(VERBS.items()), ".SH OPTIONS"]
    lines += entries((", ".join(names) + (f" {metavar}" if metavar else ""), text) for names, metavar, text in merged())
    lines += [".SH EXIT STATUS", *entries(CODES), ".SH FILES", *entries(FILES)]
    lines += [".SH ENVIRONMENT", *entries(ENVIRONMENT), ".SH SEE ALSO"]
    others = [f"redtool-{name}(1)" for name in VERBS if name != "help"]
    lines += [escape(", ".join([*others, "redtool.conf(5)", "redtool-commands(7)"]))]
    return text_of(lines)


def verb_page(name: str, command: Any, note: str) -> str:
    """A verb's page, those of its subverbs included."""
    lines = head(f"redtool-{name}", 1, VERBS.get(name, ""), note)
    parts = [(f"{name} {sub}", node) for sub, node in getattr(command, "commands", {}).items()] or [(name, command)]
    lines += [".SH SYNOPSIS", ".nf"]
    lines += [f".B redtool {escape(' '.join([path, *arguments(node), '[options]']))}" for path, node in parts]
    lines += [".fi", ".SH DESCRIPTION", *paragraphs(command.help)]
    for path, node in parts:
        if node is not command:
            lines += [f".SS {escape(path)}", *paragraphs(node.help)]
        lines += entries((", ".join(param.opts) + (f" {param.metavar}" if param.metavar else ""), param.help or "")
                         for param in node.params if param.param_type_name == "option" and "--help" not in param.opts)  # fmt: skip
    examples = [line for node in {id(n): n for n in (command, *(n for _, n in parts))}.values()
                for line in (node.epilog or "").strip("\n").split("\n") if line]  # fmt: skip
    lines += [".SH EXAMPLES", *example(dict.fromkeys(examples))]
    lines += [".SH SEE ALSO", escape("redtool(1), redtool-commands(7)")]
    return text_of(lines)


def arguments(node: Any) -> list[str]:
    return [str(param.metavar or param.name.upper()) for param in node.params if param.param_type_name == "argument"]


def paragraphs(text: str | None) -> list[str]:
    blocks = (text or "").strip().split("\n\n")
    return [line for block in blocks if block for line in (".PP", escape(" ".join(block.split())))]


def flat(commands: dict[bytes, Command]) -> list[Command]:
    """Commands and, in place of a container, its subcommands."""
    found: list[Command] = []
    for command in commands.values():
        found += command.subs.values() if command.subs else [command]
    return sorted(found, key=lambda command: command.name)


def commands_page(note: str) -> str:
    lines = head("redtool-commands", 7, "the Redis commands of redtool's own store", note)
    lines += [".SH DESCRIPTION", "[x] may be left out, a | b is a choice, ... repeats, words in capitals are typed as they are."]
    groups: dict[str, list[Command]] = {}
    for command in flat(load_all()):
        groups.setdefault(command.group, []).append(command)
    for group, members in sorted(groups.items()):
        title = GROUP_TITLES.get(group, group.replace("_", " ").capitalize())
        lines += [f'.SH "{escape(title.upper())}"']
        for command in members:
            lines += [".TP", f".B {escape(command.line)}", escape(command.doc.partition(chr(10))[0]),
                      escape(f"Since {command.since}, {command.complexity}.")]  # fmt: skip
    return text_of([*lines, ".SH SEE ALSO", "redtool(1)"])


def conf_page(note: str) -> str:
    lines = head("redtool.conf", 5, "configuration of a redtool store", note)
    lines += [".SH DESCRIPTION", "The file redtool.conf in a store's directory has the syntax of redis.conf: a parameter and its",
              "value a line, # before a comment, quotes as on redtool's command line. CONFIG SET and redtool config set",
              "write it at once and leave comments and order as they are.",
              ".SH PARAMETERS"]  # fmt: skip
    lines += entries((f"{name} {shown(name)}".rstrip(), text) for name, text in MEANINGS.items())
    others = sorted({*PARAMETERS, *DEFAULTS} - set(MEANINGS))
    lines += [".SH KEPT WITHOUT EFFECT",
              "These are known to Redis and Valkey, are checked, kept and answered, and change nothing in an embedded store:",
              escape(", ".join(others) + ".")]  # fmt: skip
    return text_of([*lines, ".SH SEE ALSO", escape("redtool(1), redtool-config(1), redtool-policy(1)")])


def shown(name: str) -> str:
    """The default as redis.conf writes it."""
    return parameter(name).show(DEFAULTS[name] if name in DEFAULTS else PARAMETERS[name].default)
