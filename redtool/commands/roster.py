"""CLIENT LIST, INFO and KILL: the clients of a store, a line each, and the filters that choose among them.

A session inside this process has no socket: its address is ``embedded:0``, its descriptor -1, and it has no buffers
and no events.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import find, group
from redtool.numeric import is_int, to_int
from redtool.resp import OK, Verbatim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store, Waiter

    Test = Callable[[Session], bool]

command = group("connection")

TYPES = {b"normal": b"normal", b"master": b"master", b"primary": b"master", b"replica": b"replica",
         b"slave": b"replica", b"pubsub": b"pubsub"}  # fmt: skip
FLAGS = frozenset(b"NOSMPxbtRBdcuAUreTiEI")  # letters that a server may show
SECOND = 1_000_000_000


# -- who is there


def clients(store: Store) -> Iterator[Session]:
    """The clients of a store by number, without those that are being closed."""
    return iter([session for session in store.sessions.values() if not session.ended])


def waiters(c: Session) -> Iterator[Waiter]:
    """Everyone who waits for data, each once."""
    seen: set[int] = set()
    for db in c.store.databases:
        for line in db.blocked.values():
            for waiter in line:
                if id(waiter) not in seen:
                    seen.add(id(waiter))
                    yield waiter


def listening(session: Session) -> bool:
    """Whether a client is subscribed to anything."""
    return bool(session.channels or session.patterns or session.shards)


def type_of(session: Session) -> bytes:
    """The kind of a client, as TYPE filters it: a monitor is a normal one."""
    return b"pubsub" if listening(session) else b"normal"


def flags_of(session: Session, waiting: bool) -> str:
    """The letters of a client's state, in a server's order."""
    wants = session.tracking
    facts = {
        "O": session in session.store.monitors, "P": listening(session), "x": session.queue is not None, "b": waiting,
        "t": wants is not None, "R": wants is not None and wants.broken, "B": wants is not None and wants.bcast,
        "d": session.dirty, "c": session.ended, "U": session.peer[2] >= 0 and session.peer[0].endswith(":0"),
        "e": "no-evict" in session.labels, "T": "no-touch" in session.labels,
    }  # fmt: skip
    return "".join(letter for letter, holds in facts.items() if holds) or "N"


def waits(c: Session, session: Session) -> Waiter | None:
    """What a client waits for: data, or the end of a pause."""
    everyone = (*waiters(c), *c.store.postponed)
    return next((waiter for waiter in everyone if waiter.session is session), None)


def name_of(argv: Argv) -> str:
    """The full name of the command of a line: get, client|list; NULL when there is none."""
    found = find(argv[0]) if argv else None
    if found is not None and found.subs and len(argv) > 1:
        found = found.subs.get(argv[1].upper())
    return "NULL" if found is None else found.name.lower().replace(" ", "|")


def line_of(c: Session, session: Session, running: str) -> bytes:
    """A client as a line of CLIENT LIST; ``running`` is what the asking one runs."""
    waiting = waits(c, session)
    if waiting is not None:
        running = name_of(waiting.argv)
    elif session is not c:
        running = name_of(session.last)
    elif session.deny_block:
        running = "exec"
    queue = session.queue
    argv_mem = 0 if session.peer[2] < 0 else sum(map(len, session.last))
    multi_mem = sum(len(word) for argv in queue or () for word in argv)
    wants = session.tracking
    user = "default" if session.user is None else session.user.name.decode("utf-8", "surrogateescape")
    fields = {
        "id": session.id, "addr": session.peer[0], "laddr": session.peer[1], "fd": session.peer[2],
        "name": _text(session.name), "age": (c.clock.ns - session.since) // SECOND,
        "idle": 0 if session is c else max(c.clock.ns - session.seen, 0) // SECOND,
        "flags": flags_of(session, waiting is not None), "db": session.db.index, "sub": len(session.channels),
        "psub": len(session.patterns), "ssub": len(session.shards), "multi": -1 if queue is None else len(queue),
        "watch": 0 if session.dirty else len(session.watching), "qbuf": 0, "qbuf-free": 0, "argv-mem": argv_mem,
        "multi-mem": multi_mem, "rbs": 0, "rbp": 0, "obl": 0, "oll": 0, "omem": 0, "tot-mem": argv_mem + multi_mem,
        "events": "r" if session.peer[2] >= 0 else "", "cmd": running, "user": user,
        "redir": -1 if wants is None else wants.redirect, "resp": session.proto,
        "lib-name": _text(session.labels.get("lib-name", b"")), "lib-ver": _text(session.labels.get("lib-ver", b"")),
    }  # fmt: skip
    return " ".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "surrogateescape") + b"\n"


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


# -- filters


def by_type(c: Session, word: bytes) -> Test:
    kind = TYPES.get(word.lower())
    if kind is None:
        raise errors.UnknownClientType(_text(word))
    return lambda session: type_of(session) == kind


def by_user(c: Session, word: bytes) -> Test:
    users = c.store.acl.users if c.store.acl is not None else {b"default": None}
    if word not in users:
        raise errors.FilterNoUser(_text(word))
    return lambda session: (b"default" if session.user is None else session.user.name) == word


def by_skipme(c: Session, word: bytes) -> Test:
    if word.upper() not in (b"YES", b"NO"):
        raise errors.SyntaxError_
    return (lambda session: session is not c) if word.upper() == b"YES" else (lambda session: True)


def by_age(c: Session, word: bytes) -> Test:
    least = number("maxage", word)
    return lambda session: (c.clock.ns - session.since) // SECOND >= least


def by_idle(c: Session, word: bytes) -> Test:
    least = number("idle", word)
    return lambda session: session is not c and (c.clock.ns - session.seen) // SECOND >= least


def by_flags(c: Session, word: bytes) -> Test:
    if not FLAGS.issuperset(word):
        raise errors.UnknownFilterFlags(_text(word))
    wanted = set(_text(word))
    return lambda session: wanted <= set(flags_of(session, waits(c, session) is not None))


def by_capa(c: Session, word: bytes) -> Test:
    if word.strip(b"r"):
        raise errors.UnknownFilterCapa(_text(word))
    return lambda session: not word or "capa" in session.labels


def by_db(c: Session, word: bytes) -> Test:
    if not is_int(word):
        raise errors.FilterNotInteger("DB")
    last = len(c.store.databases) - 1
    if not 0 <= int(word) <= last:
        raise errors.FilterDb(last)
    return lambda session: session.db.index == int(word)


def number(name: str, word: bytes) -> int:
    """A number of seconds; the error text has the name of the filter."""
    if not is_int(word):
        raise errors.FilterNotInteger(name)
    if int(word) <= 0:
        raise errors.FilterNotPositive(name)
    return int(word)


def same(field: Callable[[Session], object]) -> Callable[[Session, bytes], Test]:
    """A filter by a text that must be equal; nobody has an empty one."""
    return lambda c, word: lambda session: bool(word) and field(session) == _text(word)


BY: dict[bytes, Callable[[Session, bytes], Test]] = {
    b"TYPE": by_type,
    b"USER": by_user,
    b"ADDR": same(lambda session: session.peer[0]),
    b"LADDR": same(lambda session: session.peer[1]),
    b"SKIPME": by_skipme,
    b"MAXAGE": by_age,
    b"NAME": same(lambda session: _text(session.name)),
    b"IDLE": by_idle,
    b"FLAGS": by_flags,
    b"LIB-NAME": same(lambda session: _text(session.labels.get("lib-name", b""))),
    b"LIB-VER": same(lambda session: _text(session.labels.get("lib-ver", b""))),
    b"DB": by_db,
    b"CAPA": by_capa,
    b"IP": same(lambda session: session.peer[0].rpartition(":")[0]),
}
ONE_WAY = frozenset({b"SKIPME", b"MAXAGE", b"IDLE"})  # filters without a NOT- form


def numbers(words: Argv, at: int) -> set[int]:
    """The client numbers that follow a place, at least one."""
    found = set()
    for word in words[at:]:
        if not is_int(word):
            break
        if int(word) < 1:
            raise errors.ClientIdNotPositive
        found.add(int(word))
    if not found:
        raise errors.SyntaxError_
    return found


def filters(c: Session, words: Argv) -> dict[bytes, Test]:
    """Filter words -> tests that a client must pass, all of them; the same filter twice: the last one counts."""
    tests: dict[bytes, Test] = {}
    at = 0
    while at < len(words):
        option = words[at].upper()
        filter_ = option.removeprefix(b"NOT-")
        negated = filter_ != option
        if filter_ == b"ID":
            wanted = numbers(words, at + 1)
            test = _among(wanted)
            at += 1
            while at < len(words) and is_int(words[at]):
                at += 1
        elif filter_ in BY and at + 1 < len(words) and not (negated and filter_ in ONE_WAY):
            test = BY[filter_](c, words[at + 1])
            at += 2
        else:
            raise errors.SyntaxError_
        tests[option] = _unlike(test) if negated else test
    return tests


def _among(wanted: set[int]) -> Test:
    return lambda session: session.id in wanted


def _unlike(test: Test) -> Test:
    return lambda session: not test(session)


def chosen(c: Session, tests: Iterable[Test]) -> list[Session]:
    """The clients that pass every test."""
    tests = list(tests)
    return [session for session in clients(c.store) if all(test(session) for test in tests)]


# -- commands


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
        victims = chosen(c, [same(lambda session: session.peer[0])(c, words[0])])[:1]
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
    for waiter in [waiter for waiter in (*waiters(c), *c.store.postponed) if waiter.session is session]:
        c.store.unpark(waiter)
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
            c.store.unpark(waiter)
            waiter.wake(errors.Unblocked() if mode == b"ERROR" else None)
            return 1
    return 0
