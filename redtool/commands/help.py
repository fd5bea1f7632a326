"""The HELP subcommand of every container, made from the table: syntax line and summary of each subcommand."""

from __future__ import annotations

from redtool.commands.table import TABLE
from redtool.resp import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply


def lines(container: bytes) -> Reply:
    """The reply of ``container HELP``: simple strings, as servers send them."""
    name = container.decode()
    text = [f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for sub in sorted((TABLE[container].subs or {}).values(), key=lambda sub: (sub.name.endswith(" HELP"), sub.name)):
        text.append(sub.line.partition(" ")[2])
        text.append(f"    {sub.summary}")
    return [Status(line.encode()) for line in text]
