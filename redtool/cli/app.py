"""All verbs as one typer application, and how a command line reaches one of them.

``run_verb(options)`` runs one; ``tree()`` gives typer's command tree, from which help, man pages and completions
are made. The shared options (redtool/options.py) are taken out of a verb's words before typer sees them.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.main import get_command

from redtool import exits, oneshot
from redtool.cli import aof, backup, bgsave, config, copy, demo, diff, memory, policy, rdb, repl, run, scan, serve
from redtool.cli import open as opening
from redtool.cli.directives import arrange
from redtool.errors import UsageError
from redtool.options import OPTIONS, VERBS, Options, extract, take

# Verbs of several words that are Redis commands too: a word that is no subverb makes it the command
ALSO_COMMANDS = frozenset({"config", "memory"})
ARRANGED = {"serve": arrange}  # verbs whose words typer cannot read as they are typed

app = typer.Typer(rich_markup_mode=None, add_completion=False)
for _module in (demo, repl, opening, run, serve, scan, bgsave, backup, copy, diff):
    _settings = getattr(_module, "SETTINGS", None)
    app.command(_module.NAME, epilog=_module.EXAMPLES, context_settings=_settings)(_module.verb)
for _group in (memory, policy, config, aof, rdb):
    app.add_typer(_group.app, name=_group.NAME, help=_group.HELP, epilog=_group.EXAMPLES)

# What typer raises for a command line that is wrong, whichever click it brings along
Misuse: Any = typer.BadParameter.__base__


def tree() -> Any:
    """typer's command tree: ``.commands`` by name, each with ``.params``, ``.help`` and ``.epilog`` (the examples)."""
    return get_command(app)


def run_verb(options: Options) -> int:
    """Run the verb that ``options.words`` begin with, or show help; gives the exit code. Raises UsageError."""
    words = list(options.words)
    if words[:1] == ["help"] and not options.forced:
        options.flags["help"] = "yes"
        del words[0]
    if not words or options.forced or words[0] not in VERBS or words[0] == "help":
        return _help(words)
    command, path, rest = descend(words, options.flags)
    if path and path[0] in ARRANGED:
        rest = ARRANGED[path[0]](rest, own_options(command))
    rest = extract(rest, own_options(command), options.flags, operands_of(command))
    family = hasattr(command, "commands")
    if "help" in options.flags:
        return _help([*path, *rest] if family else path)
    return _family(command, path, rest, options) if family else _invoke(path, rest, options)


def descend(words: list[str], flags: dict[str, str]) -> tuple[Any, list[str], list[str]]:
    """The command that the first words name, those words, and the rest; shared options between them go to ``flags``."""
    command: Any = tree()
    path: list[str] = []
    while hasattr(command, "commands") and words:
        if path and words[0] in OPTIONS:
            words = words[take(words, 0, flags) :]
        elif words[0] in command.commands:
            command = command.commands[words[0]]
            path.append(words[0])
            words = words[1:]
        else:
            break
    return command, path, words


def own_options(command: Any) -> dict[str, bool]:
    """A verb's own options, and whether they take a value."""
    return {name: not getattr(param, "is_flag", False) for param in command.params for name in param.opts
            if param.param_type_name == "option"}  # fmt: skip


def operands_of(command: Any) -> int:
    """How many words a verb takes before what follows is another command's; 0: it is all its own."""
    return 0 if command.context_settings.get("allow_interspersed_args", True) else 1


def _family(command: Any, path: list[str], rest: list[str], options: Options) -> int:
    """A verb of several words without a known second one: the Redis command, the default subverb, or wrong."""
    name = path[0]
    if rest and name in ALSO_COMMANDS and rest[0][:1] != "-":
        return oneshot.run(options.with_words([*path, *rest]))
    if not rest and command.callback is not None and getattr(command, "invoke_without_command", False):
        return _invoke(path, rest, options)
    known = ", ".join(command.commands)
    if rest:
        raise UsageError(f"there is no 'redtool {name} {rest[0]}', only {known}; see redtool {name} --help")
    raise UsageError(f"what about it? redtool {name} takes {known}; see redtool {name} --help")


def _invoke(path: list[str], rest: list[str], options: Options) -> int:
    """Let typer parse a verb's own words and call it."""
    command = tree()
    try:
        # Not command.main(), which turns a closed pipe and Ctrl-C into exits of its own
        with command.make_context("redtool", [*path, *rest], obj=options) as context:
            code = command.invoke(context)
    except Misuse as error:
        raise UsageError(f"{_plain(error.format_message())}; see redtool {' '.join(path)} --help") from None
    return code if isinstance(code, int) else exits.OK


def _plain(message: str) -> str:
    """typer's message as the tail of a line of ours."""
    message = message.strip().rstrip(".")
    return message[:1].lower() + message[1:]


def _help(path: list[str]) -> int:
    """Print the help of the program, a verb or a Redis command on stdout."""
    from redtool.cli import helptext

    if not path:
        text = helptext.program()
    elif path[0] in VERBS and path[0] != "help":
        command, known, rest = descend(path, {})
        if rest and (path[0] not in ALSO_COMMANDS or not (found := helptext.redis_command(path))):
            raise UsageError(f"there is no verb '{' '.join(path)}'; see redtool {' '.join(known)} --help")
        text = found if rest else helptext.verb(known, command)
    elif not (text := helptext.redis_command(path)):
        raise UsageError(f"there is no verb or Redis command '{path[0]}'; see redtool --help")
    oneshot.write(text.encode("utf-8", "surrogateescape"))
    return exits.OK
