"""The clients of a store: a line each, and the filters of CLIENT LIST and KILL that choose among them.

A session inside this process has no socket: its address is ``embedded:0``, its descriptor -1, and it has no buffers
and no events.
"""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import find
from redtool.numeric import is_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from redtool.session import Argv, Session
    from redtool.store import Store
    from redtool.waiting import Waiter

    Test = Callable[[Session], bool]

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


def type_of(session: Session) -> bytes:
    """The kind of a client, as TYPE filters it: a monitor is a normal one."""
    return b"pubsub" if session.listens else b"normal"


def flags_of(session: Session, waiting: bool) -> str:
    """The letters of a client's state, in a server's order."""
    wants = session.tracking
    facts = {
        "O": session in session.store.monitors, "P": session.listens, "x": session.queue is not None, "b": waiting,
        "t": wants is not None, "R": wants is not None and wants.broken, "B": wants is not None and wants.bcast,
        "d": session.dirty, "c": session.ended, "U": session.peer[2] >= 0 and session.peer[0].endswith(":0"),
        "e": "no-evict" in session.labels, "T": "no-touch" in session.labels,
    }  # fmt: skip
    return "".join(letter for letter, holds in facts.items() if holds) or "N"


def waits(c: Session, session: Session) -> Waiter | None:
    """What a client waits for: data, or the end of a pause."""
    everyone = (*waiters(c), *c.store.waiting.postponed)
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
        "lib-name": "", "lib-ver": "",
    }  # fmt: skip
    # What SETINFO said, and what a server's socket has to hold.
    fields.update((label, _text(value)) for label, value in session.labels.items() if label in fields)
    if session.buffers is not None:
        held = session.buffers()
        fields.update(held, **{"tot-mem": held["tot-mem"] + argv_mem + multi_mem})
    return " ".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "surrogateescape") + b"\n"


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


# -- filters


def by_type(c: Session, word: bytes, option: str) -> Test:
    kind = TYPES.get(word.lower())
    if kind is None:
        raise errors.UnknownClientType(_text(word))
    return lambda session: type_of(session) == kind


def by_user(c: Session, word: bytes, option: str) -> Test:
    users = c.store.acl.users if c.store.acl is not None else {b"default": None}
    if word not in users:
        raise errors.FilterNoUser(_text(word))
    return lambda session: (b"default" if session.user is None else session.user.name) == word


def by_skipme(c: Session, word: bytes, option: str) -> Test:
    if word.upper() not in (b"YES", b"NO"):
        raise errors.SyntaxError_
    return (lambda session: session is not c) if word.upper() == b"YES" else (lambda session: True)


def by_age(c: Session, word: bytes, option: str) -> Test:
    least = number("maxage", word)
    return lambda session: (c.clock.ns - session.since) // SECOND >= least


def by_idle(c: Session, word: bytes, option: str) -> Test:
    least = number("idle", word)
    return lambda session: session is not c and (c.clock.ns - session.seen) // SECOND >= least


def by_flags(c: Session, word: bytes, option: str) -> Test:
    if not FLAGS.issuperset(word):
        raise errors.UnknownFilterFlags(_place(option), _text(word))
    wanted = set(_text(word))
    return lambda session: wanted <= set(flags_of(session, waits(c, session) is not None))


def by_capa(c: Session, word: bytes, option: str) -> Test:
    if word.strip(b"r"):
        raise errors.UnknownFilterCapa(_place(option), _text(word))
    return lambda session: not word or "capa" in session.labels


def by_db(c: Session, word: bytes, option: str) -> Test:
    if not is_int(word):
        raise errors.FilterNotInteger(option)
    last = len(c.store.databases) - 1
    if not 0 <= int(word) <= last:
        raise errors.FilterDb(option, last)
    return lambda session: session.db.index == int(word)


def _place(option: str) -> str:
    return option if option.startswith("NOT-") else "provided"


def number(name: str, word: bytes) -> int:
    """A number of seconds; the error text has the name of the filter."""
    if not is_int(word):
        raise errors.FilterNotInteger(name)
    if int(word) <= 0:
        raise errors.FilterNotPositive(name)
    return int(word)


def same(field: Callable[[Session], object]) -> Callable[[Session, bytes, str], Test]:
    """A filter by a text that must be equal; nobody has an empty one."""
    return lambda c, word, option: lambda session: bool(word) and field(session) == _text(word)


def title(session: Session) -> str:
    return _text(session.name)


BY: dict[bytes, Callable[[Session, bytes, str], Test]] = {
    b"TYPE": by_type,
    b"USER": by_user,
    b"ADDR": same(lambda session: session.peer[0]),
    b"LADDR": same(lambda session: session.peer[1]),
    b"SKIPME": by_skipme,
    b"MAXAGE": by_age,
    b"NAME": same(title),
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
            test = BY[filter_](c, words[at + 1], option.decode())
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
