"""SLOWLOG: the commands that took longer than slowlog-log-slower-than, newest first."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.session import Argv, Session


def note(c: Session, command: Command, argv: Argv, took: int) -> None:
    """Keep a command that took ``took`` ns, if the configuration says so."""
