"""What belongs to a connection: PING, ECHO, SELECT, QUIT, RESET, HELLO, AUTH."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.commands.transactions import leave
from redtool.numeric import to_int
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("connection")

SERVER_VERSION = "7.4.0"  # the Redis whose commands and replies these are
EVERYWHERE = "noscript loading stale fast no_auth allow_busy"

PONG = Status(b"PONG")


@command("PING [message]", "fast")
def ping(c: Session, *message: bytes) -> Reply:
    """Answer PONG, or the message.

    > PING
    PONG
    > PING "anyone there?"
    "anyone there?"
    """
    if c.proto == 2 and c.listens:
        return [b"pong", *(message or (b"",))]
    return message[0] if message else PONG


@command("ECHO message", "loading stale fast")
def echo(c: Session, message: bytes) -> Reply:
    """Answer the message.

    > ECHO "good morning"
    "good morning"
    """
    return message


@command("SELECT index", "loading stale fast allow_busy")
def select(c: Session, index: bytes) -> Reply:
    """Make another numbered database the session's own.

    > SET city Vienna
    OK
    > SELECT 1
    OK
    > GET city
    (nil)
    """
    c.db = c.database(index)
    return OK


@command("QUIT", EVERYWHERE, arity=-1)
def quit_(c: Session, *ignored: bytes) -> Reply:
    """End the session; whoever runs it closes it after this reply.

    > QUIT
    OK
    """
    c.end()
    return OK


@command("RESET", EVERYWHERE, since="6.2.0")
def reset(c: Session) -> Reply:
    """Put the session back to how it began: RESP2, database 0, no name, no MULTI.

    > MULTI
    OK
    > RESET
    RESET
    """
    store = c.store
    leave(c)
    store.silence(c)
    if store.trackers is not None:
        store.trackers.leave(c)
    c.db = store.databases[0]
    c.switch(2)
    c.name, c.muted = b"", ""
    for label in ("no-evict", "no-touch"):  # what SETINFO said of the client's library stays
        c.labels.pop(label, None)
    if store.acl is not None:
        from redtool.acl import welcome

        welcome(store, c)
    c.review()
    return Status(b"RESET")


# -- who it is


def authenticate(c: Session, user: bytes, password: bytes, by: bytes) -> None:
    """Let a user in or raise WrongPass, which is noted in ACL LOG for the command ``by``."""
    if c.store.acl is None and user == b"default" and not c.config["requirepass"]:
        return  # there is no other user, and no password
    from redtool.acl import of

    as_sent = c.last[0] if c.last and c.last[0].upper() == by else by
    of(c.store).login(c, user, password, as_sent)


@command("AUTH [username] password", EVERYWHERE, arity=-2)
def auth(c: Session, *words: bytes) -> Reply:
    """Log in with a password, or as a user.

    > AUTH default opensesame
    OK
    """
    if len(words) > 2:
        raise errors.SyntaxError_
    if len(words) == 1 and (not c.config["requirepass"] if c.store.acl is None else c.store.acl.default.nopass):
        raise errors.NoPasswordSet
    authenticate(c, words[0] if len(words) == 2 else b"default", words[-1], b"AUTH")
    return OK


@command("HELLO [protover [AUTH username password] [SETNAME clientname]]", EVERYWHERE, since="6.0.0")
def hello(c: Session, *words: bytes) -> Reply:
    """Choose RESP2 or RESP3, log in and name the session; answer what the server is.

    > HELLO 3
    1# "server" => "…"
    …
    """
    proto = to_int(words[0], errors.ProtocolNotInteger) if words else c.proto
    if proto not in (2, 3):
        raise errors.NoProto
    name = login = None
    at = 1
    while at < len(words):
        word, left = words[at].upper(), len(words) - at - 1
        if word == b"AUTH" and left >= 2:
            login = words[at + 1], words[at + 2]
            at += 3
        elif word == b"SETNAME" and left:
            name = words[at + 1]
            check_label(name, errors.BadClientName)
            at += 2
        else:
            raise errors.HelloOption(words[at].decode("utf-8", "surrogateescape"))
    if login is not None:
        authenticate(c, *login, b"HELLO")
    if not c.authenticated or c.stranger:
        raise errors.HelloNoAuth
    if name is not None:
        c.name = name
    c.switch(proto)
    return {b"server": b"redis", b"version": SERVER_VERSION.encode(), b"proto": proto, b"id": c.id,
            b"mode": b"standalone", b"role": b"master", b"modules": []}  # fmt: skip


def check_label(text: bytes, error: type[errors.ReplyError], *parts: object) -> None:
    """Raise ``error`` unless the text can stand in a line of CLIENT LIST; a server looks as far as a NUL."""
    if any(not 33 <= byte <= 126 for byte in text.partition(b"\0")[0]):
        raise error(*parts)
