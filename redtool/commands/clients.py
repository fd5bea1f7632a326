"""CLIENT: what a client says of itself, and how it is answered. Lists, tracking and pauses are modules of their own."""

from __future__ import annotations

from redtool import errors
from redtool.commands.connection import check_label
from redtool.commands.table import group
from redtool.resp import NO_REPLY, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("connection")

FREELY = "noscript loading stale allow_busy"


@command("CLIENT ID", FREELY, since="5.0.0")
def client_id(c: Session) -> Reply:
    """Give the number of this session; later sessions have higher ones.

    > CLIENT ID
    (integer) …
    """
    return c.id


@command("CLIENT GETNAME", FREELY, since="2.6.9")
def client_getname(c: Session) -> Reply:
    """Give the name set by CLIENT SETNAME, nil when there is none.

    > CLIENT SETNAME billing
    OK
    > CLIENT GETNAME
    "billing"
    """
    return c.name or None


@command("CLIENT SETNAME connection-name", FREELY, since="2.6.9")
def client_setname(c: Session, name: bytes) -> Reply:
    """Name the session; an empty text takes the name away.

    > CLIENT SETNAME billing
    OK
    """
    check_label(name, errors.BadClientName)
    c.name = name
    return OK


@command("CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>", FREELY, since="7.2.0")
def client_setinfo(c: Session, attribute: bytes, value: bytes) -> Reply:
    """Note the client library's name or version, to be seen in CLIENT LIST.

    > CLIENT SETINFO LIB-NAME redis-py
    OK
    """
    shown = attribute.decode("utf-8", "surrogateescape")
    label = shown.lower()
    if label not in ("lib-name", "lib-ver"):
        raise errors.UnrecognizedOption(shown)
    check_label(value, errors.BadClientInfo, shown)
    c.labels[label] = value
    return OK


@command("CLIENT NO-EVICT <ON | OFF>", "admin noscript loading stale allow_busy", since="7.0.0")
def client_no_evict(c: Session, mode: bytes) -> Reply:
    """Keep this session when clients are dropped to free memory.

    > CLIENT NO-EVICT ON
    OK
    """
    return switch(c, "no-evict", mode)


@command("CLIENT NO-TOUCH <ON | OFF>", FREELY, since="7.2.0")
def client_no_touch(c: Session, mode: bytes) -> Reply:
    """Let this session's commands leave the keys' access times alone, but for TOUCH.

    > CLIENT NO-TOUCH ON
    OK
    """
    return switch(c, "no-touch", mode)


def switch(c: Session, label: str, mode: bytes) -> Reply:
    """Set or clear a label by ON or OFF."""
    word = mode.upper()
    if word not in (b"ON", b"OFF"):
        raise errors.SyntaxError_
    if word == b"ON":
        c.labels[label] = b"on"
    else:
        c.labels.pop(label, None)
    c.review()
    return OK


@command("CLIENT REPLY <ON | OFF | SKIP>", "noscript loading stale", since="3.2.0")
def client_reply(c: Session, mode: bytes) -> Reply:
    """Send no replies to this client: none, none to the next command, or all again.

    > CLIENT REPLY ON
    OK
    """
    word = mode.upper()
    if word == b"ON":
        c.muted = ""
    elif word == b"OFF":
        c.muted = "off"
    elif word == b"SKIP":
        c.muted = c.muted if c.muted == "off" else "skip next"
    else:
        raise errors.SyntaxError_
    c.review()
    return OK if word == b"ON" else NO_REPLY


@command("CLIENT CAPA capability [capability ...]", "noscript loading stale allow_busy", since="8.0.0")
def client_capa(c: Session, *names: bytes) -> Reply:
    """Claim capabilities of the client: redirect; unknown ones are ignored.

    > CLIENT CAPA redirect
    OK
    """
    if b"redirect" in {name.lower() for name in names}:
        c.labels["capa"] = b"r"
    return OK


@command("CLIENT IMPORT-SOURCE <ON | OFF>", "noscript loading stale", since="8.1.0")
def client_import_source(c: Session, mode: bytes) -> Reply:
    """Let this client see expired keys in import mode, which is off here.

    > CLIENT IMPORT-SOURCE OFF
    OK
    """
    if mode.upper() != b"OFF":
        raise errors.NotImporting
    return OK


@command("CLIENT HELP", "loading stale", since="5.0.0")
def client_help(c: Session) -> Reply:
    """List the subcommands.

    > CLIENT HELP
     1) CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
    …
    """
    from redtool.commands.help import lines

    return lines(b"CLIENT")


# The other subcommands are in the table once this module is there.
for _module in ("pause", "roster", "tracking"):
    __import__(f"redtool.commands.{_module}")
