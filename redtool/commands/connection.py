"""What belongs to a connection: PING, ECHO, SELECT, QUIT, RESET, HELLO, AUTH, CLIENT.

A session inside this process has no socket: CLIENT INFO shows ``embedded:0`` as its address and -1 as its
descriptor, and its buffers are empty.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.commands.transactions import leave
from redtool.numeric import to_int
from redtool.resp import OK, Status, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Waiter

command = group("connection")

SERVER_VERSION = "7.4.0"  # the Redis whose commands and replies these are
CLIENT_TYPES = (b"normal", b"master", b"replica", b"slave", b"pubsub")
EVERYWHERE = "noscript loading stale fast no_auth allow_busy"


@command("PING [message]", "fast")
def ping(c: Session, *message: bytes) -> Reply:
    """Answer PONG, or the message."""
    return message[0] if message else Status(b"PONG")


@command("ECHO message", "loading stale fast")
def echo(c: Session, message: bytes) -> Reply:
    """Answer the message."""
    return message


@command("SELECT index", "loading stale fast allow_busy")
def select(c: Session, index: bytes) -> Reply:
    """Make another numbered database the session's own."""
    c.db = c.database(index)
    return OK


@command("QUIT", EVERYWHERE, arity=-1)
def quit_(c: Session, *ignored: bytes) -> Reply:
    """End the session; whoever runs it closes it after this reply."""
    c.end()
    return OK


@command("RESET", EVERYWHERE, since="6.2.0")
def reset(c: Session) -> Reply:
    """Put the session back to how it began: database 0, no name, no transaction."""
    leave(c)
    c.db = c.store.databases[0]
    c.switch(2)
    c.name = b""
    c.labels.clear()
    if c.store.acl is not None:
        from redtool.acl import welcome

        welcome(c.store, c)
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
    """Log in with a password, or as a user."""
    if len(words) > 2:
        raise errors.SyntaxError_
    if len(words) == 1 and (not c.config["requirepass"] if c.store.acl is None else c.store.acl.default.nopass):
        raise errors.NoPasswordSet
    authenticate(c, words[0] if len(words) == 2 else b"default", words[-1], b"AUTH")
    return OK


@command("HELLO [protover [AUTH username password] [SETNAME clientname]]", EVERYWHERE, since="6.0.0")
def hello(c: Session, *words: bytes) -> Reply:
    """Choose RESP2 or RESP3, log in and name the session; answer what the server is."""
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
    """Raise ``error`` unless the text can stand in a line of CLIENT LIST."""
    if any(not 33 <= byte <= 126 for byte in text):
        raise error(*parts)


# -- CLIENT


@command("CLIENT ID", "noscript loading stale allow_busy", since="5.0.0")
def client_id(c: Session) -> Reply:
    """Give the number of this session; later sessions have higher ones."""
    return c.id


@command("CLIENT GETNAME", "noscript loading stale allow_busy", since="2.6.9")
def client_getname(c: Session) -> Reply:
    """Give the name set by CLIENT SETNAME, nil when there is none."""
    return c.name or None


@command("CLIENT SETNAME connection-name", "noscript loading stale allow_busy", since="2.6.9")
def client_setname(c: Session, name: bytes) -> Reply:
    """Name the session; an empty text takes the name away."""
    check_label(name, errors.BadClientName)
    c.name = name
    return OK


@command("CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>", "noscript loading stale allow_busy", since="7.2.0")
def client_setinfo(c: Session, attribute: bytes, value: bytes) -> Reply:
    """Note the client library's name or version, to be seen in CLIENT LIST."""
    shown = attribute.decode("utf-8", "surrogateescape")
    label = shown.lower()
    if label not in ("lib-name", "lib-ver"):
        raise errors.UnrecognizedOption(shown)
    check_label(value, errors.BadClientInfo, shown)
    c.labels[label] = value
    return OK


@command("CLIENT NO-EVICT <ON | OFF>", "admin noscript loading stale allow_busy", since="7.0.0")
def client_no_evict(c: Session, mode: bytes) -> Reply:
    """Keep this session when clients are dropped to free memory."""
    return switch(c, "no-evict", mode)


@command("CLIENT NO-TOUCH <ON | OFF>", "noscript loading stale allow_busy", since="7.2.0")
def client_no_touch(c: Session, mode: bytes) -> Reply:
    """Let this session's commands leave the keys' access times alone."""
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
    return OK


@command("CLIENT INFO", "noscript loading stale", since="6.2.0")
def client_info(c: Session) -> Reply:
    """Describe this session in one line."""
    return Verbatim(line_of(c, c, "client|info"))


@command("CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
         "admin noscript loading stale", since="2.4.0", complexity="O(N) sessions")  # fmt: skip
def client_list(c: Session, *words: bytes) -> Reply:
    """List the sessions, a line each: this one, and those that wait for data."""
    found = sorted(sessions(c), key=lambda session: session.id)
    kind = words[0].upper() if words else b""
    if kind == b"TYPE" and len(words) == 2:
        if words[1].lower() not in CLIENT_TYPES:
            raise errors.UnknownClientType(words[1].decode("utf-8", "surrogateescape"))
        found = found if words[1].lower() == b"normal" else []
    elif kind == b"ID" and len(words) > 1:
        wanted = {to_int(word, errors.InvalidClientId) for word in words[1:]}
        if min(wanted) < 1:
            raise errors.InvalidClientId
        found = [session for session in found if session.id in wanted]
    elif words:
        raise errors.SyntaxError_
    return Verbatim(b"".join(line_of(c, session, "client|list") for session in found))


def waiters(c: Session) -> Iterator[Waiter]:
    """Everyone who waits for data, each once."""
    seen: set[int] = set()
    for db in c.store.databases:
        for line in db.blocked.values():
            for waiter in line:
                if id(waiter) not in seen:
                    seen.add(id(waiter))
                    yield waiter


def sessions(c: Session) -> set[Session]:
    """The sessions that are known here: the one that asks and those that wait."""
    return {c, *(waiter.session for waiter in waiters(c))}


def line_of(c: Session, session: Session, running: str) -> bytes:
    """A session as a line of CLIENT LIST; ``running`` is what the asking session runs."""
    waiting = next((w for w in waiters(c) if w.session is session), None)
    flags = "b" if waiting else ""
    flags += "x" if session.queue is not None else ""
    flags += "d" if session.dirty else ""
    flags += "".join(flag for label, flag in (("no-evict", "e"), ("no-touch", "T")) if label in session.labels)
    age = (c.clock.ns - session.since) // 1_000_000_000
    verb = waiting.argv[0].decode("ascii", "replace").lower() if waiting else running
    fields = {
        "id": session.id, "addr": "embedded:0", "laddr": "embedded:0", "fd": -1, "name": _ascii(session.name),
        "age": age, "idle": 0, "flags": flags or "N", "db": session.db.index, "sub": 0, "psub": 0, "ssub": 0,
        "multi": -1 if session.queue is None else len(session.queue), "watch": len(session.watching),
        "qbuf": 0, "qbuf-free": 0, "argv-mem": 0, "multi-mem": 0, "rbs": 0, "rbp": 0, "obl": 0, "oll": 0, "omem": 0,
        "tot-mem": 0, "events": "", "cmd": verb, "user": "default", "redir": -1, "resp": session.proto,
        "lib-name": _ascii(session.labels.get("lib-name", b"")), "lib-ver": _ascii(session.labels.get("lib-ver", b"")),
    }  # fmt: skip
    return " ".join(f"{name}={value}" for name, value in fields.items()).encode() + b"\n"


def _ascii(text: bytes) -> str:
    return text.decode("ascii")


@command("CLIENT UNBLOCK client-id [TIMEOUT | ERROR]", "admin noscript loading stale", since="5.0.0",
         complexity="O(N) waiting sessions")  # fmt: skip
def client_unblock(c: Session, number: bytes, *reason: bytes) -> Reply:
    """End the wait of a session, by timeout or error; gives 1 when it did wait."""
    mode = reason[0].upper() if reason else b"TIMEOUT"
    if mode not in (b"TIMEOUT", b"ERROR"):
        raise errors.UnblockReason
    wanted = to_int(number)
    for waiter in waiters(c):
        if waiter.session.id == wanted:
            c.store.unpark(waiter)
            waiter.wake(errors.Unblocked() if mode == b"ERROR" else None)
            return 1
    return 0


@command("CLIENT HELP", "loading stale", since="5.0.0")
def client_help(c: Session) -> Reply:
    """List the subcommands."""
    from redtool.commands.help import lines

    return lines(b"CLIENT")
