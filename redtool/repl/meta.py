"""The words that the REPL itself understands, declared like commands so that they complete, hint and check alike."""

from __future__ import annotations

from collections.abc import Mapping

from redtool.commands.table import Command


def _declare(line: str, summary: str) -> Command:
    def here(*words: bytes) -> None:
        raise RuntimeError("the shell runs this itself")

    here.__doc__ = summary
    return Command(line.split(" ")[0], line, here, "", "repl", "", "")


META: dict[bytes, Command] = {
    command.name.encode(): command
    for command in (
        _declare("HELP [topic [subcommand]]", "Explain a command, a @group of commands, or this REPL."),
        _declare("CLEAR", "Clear the screen."),
        _declare("CONNECT <host port | address>", "Go to another server or store: host and port, URL, name, path."),
        _declare("EXIT", "Leave; Ctrl-D does too."),
        _declare("QUIT", "Leave; Ctrl-D does too."),
    )
}


def vocabulary(commands: Mapping[bytes, Command]) -> dict[bytes, Command]:
    """The commands of a target with the REPL's own words; these win."""
    return {**commands, **META}
