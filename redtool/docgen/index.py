"""redtool/commands/index.py: which group module declares a command, read from the modules themselves."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

COMMANDS = Path(__file__).parent.parent / "commands"
NOT_GROUPS = {"table", "index"}


def command_index(note: str) -> str:
    """The text of the module: MODULES, command name -> module."""
    homes: dict[str, str] = {}
    for module in sorted(m.name for m in iter_modules([str(COMMANDS)]) if m.name not in NOT_GROUPS):
        loaded = import_module(f"redtool.commands.{module}")
        for value in vars(loaded).values():
            if type(value).__name__ == "Command" and value.handler.__module__ == loaded.__name__:
                homes.setdefault(value.name.partition(" ")[0], module)
    rows = "".join(f'    b"{name}": "{home}",\n' for name, home in sorted(homes.items()))
    return f'"""Command name -> the module of its group; {note}."""\n\nMODULES: dict[bytes, str] = {{\n{rows}}}\n'
