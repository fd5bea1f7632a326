"""MONITOR: every command that any client runs, a line each, as it is run."""

from __future__ import annotations

from redtool import errors
from redtool.commands.redact import redacted
from redtool.commands.table import group
from redtool.resp import NO_REPLY, OK, Status
from redtool.words import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Argv, Session

command = group("server")


@command("MONITOR", "admin noscript loading stale")
def monitor(c: Session) -> Reply:
    """Show every command that is run from now on, until RESET or QUIT.

    > MONITOR
    OK
    """
    if c.deny_block:
        raise errors.MonitorDenied
    monitors = c.store.monitors
    if c in monitors:
        return NO_REPLY  # as a server: nothing at all
    monitors[c] = None
    c.store.review()
    return OK


def show(session: Session, argv: Argv) -> None:
    """Show a command to those who monitor."""
    store, micros = session.store, session.clock.ns // 1000
    address = session.peer[0]
    if session.caller is not None:
        address = "lua"
    elif session.peer[2] >= 0 and address.endswith(":0"):
        address = f"unix:{address[:-2]}"
    place = f"{micros // 1_000_000}.{micros % 1_000_000:06d} [{session.db.index} {address}] "
    line = Status(place.encode("utf-8", "surrogateescape") + b" ".join(map(quote, redacted(argv))))
    for client in list(store.monitors):
        if client.muted != "off" and not client.ended:
            client.deliver(line)
