"""CLIENT: what a client says of itself, how it is answered, and what it learns and does of the others.

Tracking and pauses are modules of their own.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.connection import check_label
from redtool.commands.roster import BY, chosen, filters, line_of, waiters
from redtool.commands.table import declare_help, group
from redtool.numeric import to_int
from redtool.resp import NO_REPLY, OK, Verbatim

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
    shown = attribute.partition(b"\0")[0].decode("utf-8", "surrogateescape")
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


@command("CLIENT REPLY <ON | OFF | SKIP>", f"{FREELY} no_multi", since="3.2.0")
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


@command("CLIENT CAPA capability [capability ...]", FREELY, since="8.0.0")
def client_capa(c: Session, *names: bytes) -> Reply:
    """Claim capabilities of the client: redirect; unknown ones are ignored.

    > CLIENT CAPA redirect
    OK
    """
    claimed = {name.lower() for name in names}
    if b"redirect" in claimed:
        c.labels["capa"] = b"r"
    if b"redtool" in claimed and c.on_attach is not None:
        c.on_attach()
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


@command("CLIENT INFO", "noscript loading stale", since="6.2.0")
def client_info(c: Session) -> Reply:
    """Describe this session in one line.

    > CLIENT INFO
    id=… addr=… cmd=client|info user=default redir=-1 resp=2 …
    """
    return Verbatim(line_of(c, c, "client|info"))


@command("CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]] [USER username] "
         "[ADDR ip:port] [LADDR ip:port] [SKIPME <YES | NO>] [MAXAGE maxage] [NAME name] [IDLE idle] [FLAGS flags] "
         "[LIB-NAME lib-name] [LIB-VER lib-ver] [DB db] [CAPA capa] [IP ip] "
         "[NOT-TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [NOT-ID not-client-id [not-client-id ...]] "
         "[NOT-USER not-username] [NOT-ADDR ip:port] [NOT-LADDR ip:port] [NOT-NAME not-name] [NOT-FLAGS not-flags] "
         "[NOT-LIB-NAME not-lib-name] [NOT-LIB-VER not-lib-ver] [NOT-DB not-db] [NOT-CAPA not-capa] [NOT-IP not-ip]",
         "admin noscript loading stale", since="2.4.0", complexity="O(N) clients")  # fmt: skip
def client_list(c: Session, *words: bytes) -> Reply:
    """List the clients, a line each, or those that pass filters.

    > CLIENT SETNAME billing
    OK
    > CLIENT LIST NAME billing DB 0
    id=… name=billing … db=0 …
    """
    return Verbatim(b"".join(line_of(c, session, "client|list") for session in chosen(c, filters(c, words).values())))


KILL = ("[ID client-id [client-id ...]] | [TYPE <NORMAL | MASTER | PRIMARY | SLAVE | REPLICA | PUBSUB>] | "
        "[USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage] | [NAME name] | "
        "[IDLE idle] | [FLAGS flags] | [LIB-NAME lib-name] | [LIB-VER lib-ver] | [DB db] | [CAPA capa] | [IP ip] | "
        "[NOT-TYPE <NORMAL | MASTER | PRIMARY | SLAVE | REPLICA | PUBSUB>] | "
        "[NOT-ID not-client-id [not-client-id ...]] | [NOT-USER not-username] | [NOT-ADDR ip:port] | "
        "[NOT-LADDR ip:port] | [NOT-NAME not-name] | [NOT-FLAGS not-flags] | [NOT-LIB-NAME not-lib-name] | "
        "[NOT-LIB-VER not-lib-ver] | [NOT-DB not-db] | [NOT-CAPA not-capa] | [NOT-IP not-ip]")  # fmt: skip


@command(f"CLIENT KILL <ip:port | <{KILL}> [<{KILL}> ...]>", "admin noscript loading stale", since="2.4.0",
         complexity="O(N) clients", arity=-3)  # fmt: skip
def client_kill(c: Session, *words: bytes) -> Reply:
    """Close the client at an address, or those that pass filters.

    With filters, this one is spared unless SKIPME NO is among them.

    > CLIENT KILL TYPE pubsub
    (integer) 0
    > CLIENT KILL USER default SKIPME YES MAXAGE 86400
    (integer) 0
    """
    if len(words) == 1:  # the old form
        victims = chosen(c, [BY[b"ADDR"](c, words[0], "ADDR")])[:1]
        if not victims:
            raise errors.NoSuchClient
    else:
        tests = filters(c, words)
        tests.setdefault(b"SKIPME", lambda session: session is not c)
        victims = chosen(c, tests.values())
    for session in victims:
        if session is c:
            c.end()  # once the reply has left
        else:
            kill(c, session)
    return OK if len(words) == 1 else len(victims)


def kill(c: Session, session: Session) -> None:
    """Close another client at once: it waits for nothing, and is on no list."""
    for waiter in [waiter for waiter in (*waiters(c), *c.store.waiting.postponed) if waiter.session is session]:
        c.store.waiting.unpark(waiter)
    session.end()
    session.close()


@command("CLIENT UNBLOCK client-id [TIMEOUT | ERROR]", "admin noscript loading stale", since="5.0.0",
         complexity="O(N) waiting clients")  # fmt: skip
def client_unblock(c: Session, number: bytes, *reason: bytes) -> Reply:
    """End a client's wait for data, as a timeout or with an error.

    > CLIENT UNBLOCK 4711
    (integer) 0
    """
    mode = reason[0].upper() if reason else b"TIMEOUT"
    if mode not in (b"TIMEOUT", b"ERROR"):
        raise errors.UnblockReason
    wanted = to_int(number)
    for waiter in waiters(c):
        if waiter.session.id == wanted:
            c.store.waiting.answer(waiter, errors.Unblocked() if mode == b"ERROR" else waiter.session.no_array)
            return 1
    return 0


declare_help(command, "CLIENT", since="5.0.0")


# The other subcommands are in the table once this module is there.
for _module in ("pause", "tracking"):
    __import__(f"redtool.commands.{_module}")
