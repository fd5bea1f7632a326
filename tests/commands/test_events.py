"""Keyspace events: which, of which keys, in which order, inside this process, served, on Valkey and on Redis 7."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from redtool.commands import notify
from redtool.commands.notify import publish
from redtool.conffile import read
from redtool.config import Config
from redtool.resp import Push
from redtool.session import Session
from redtool.store import Store
from tests import party
from tests.servers import RealServer

EVERY = "EAmn"


def tables() -> dict[str, list[tuple[str, dict[str, str]]]]:
    """events.txt: the rows of each table, with what is told, by server; "" is the usual."""
    found: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for line in Path(__file__).with_name("events.txt").read_text().splitlines():
        if line.startswith("# "):
            rows = found[line[2:]] = []
        elif " =>" in line:
            text, _, told = line.rpartition(" =>")
            usual, *others = told.split(" | ")
            parts = [other.partition(":") for other in others]
            rows.append((text, {"": usual.strip(), **{name: events.strip() for name, _, events in parts}}))
    return found


TABLES = tables()


def told(received: party.Received) -> str:
    """The events that the listening client received."""
    out = []
    for _, _, channel, key in received.get("w", ()):
        number, _, event = channel.removeprefix(b"__keyevent@").partition(b"__:")
        out.append((event + b":" + key + (b"" if number == b"0" else b"@" + number)).decode())
    return " ".join(out)


def run(clients: party.Party, line: str) -> str:
    name, text = (line[0], line[2:]) if line[1] == " " else ("a", line)
    return told(party.run(clients, name, text))


def check(clients: party.Party, server: str, rows: list[tuple[str, dict[str, str]]]) -> None:
    party.run(clients, "a", f"CONFIG SET notify-keyspace-events {EVERY}")
    party.run(clients, "w", "PSUBSCRIBE __keyevent@*")
    for name in "bc":
        clients.number(name)
    try:
        for line, events in rows:
            assert (line, run(clients, line)) == (line, events.get(server, events[""]))
    finally:
        party.run(clients, "z", 'CONFIG SET notify-keyspace-events ""')


@pytest.mark.parametrize("name", TABLES)
def test_table(clients: party.Party, request: pytest.FixtureRequest, name: str) -> None:
    check(clients, "valkey" if "valkey" in request.node.callspec.params["clients"] else "", TABLES[name])


@pytest.mark.parametrize("name", [name for name in TABLES if not name.startswith("newer")])
def test_table_of_redis_7(redis7: RealServer, name: str) -> None:
    redis7.flush()
    clients = party.Sockets(redis7.socket)
    try:
        check(clients, "redis7", TABLES[name])
    finally:
        clients.close()


CLASSES: list[tuple[str, str, list[list[bytes]]]] = [
    ("", "SET k v", []),
    ("A", "SET k v", []),
    ("K", "SET k v", []),
    ("KA", "SET k v", [[b"__keyspace@0__:k", b"set"]]),
    ("EA", "SET k v", [[b"__keyevent@0__:set", b"k"]]),
    ("KEA", "SET k v", [[b"__keyspace@0__:k", b"set"], [b"__keyevent@0__:set", b"k"]]),
    ("E$", "SET k v EX 100", [[b"__keyevent@0__:set", b"k"]]),
    ("Eg", "SET k v EX 100", [[b"__keyevent@0__:expire", b"k"]]),
    ("El", "LPUSH l 1", [[b"__keyevent@0__:lpush", b"l"]]),
    ("El", "LPOP full", [[b"__keyevent@0__:lpop", b"full"]]),
    ("Eg", "LPOP full", [[b"__keyevent@0__:del", b"full"]]),
    ("El", "SORT full ALPHA STORE d", [[b"__keyevent@0__:sortstore", b"d"]]),
    ("Es", "SADD s a", [[b"__keyevent@0__:sadd", b"s"]]),
    ("Eh", "HSET h f v", [[b"__keyevent@0__:hset", b"h"]]),
    ("Ez", "ZADD z 1 a", [[b"__keyevent@0__:zadd", b"z"]]),
    ("Ez", "GEOADD g 1 1 a", [[b"__keyevent@0__:zadd", b"g"]]),
    ("Et", "XADD t 1-1 f v", [[b"__keyevent@0__:xadd", b"t"]]),
    ("E$", "PFADD p a", [[b"__keyevent@0__:pfadd", b"p"]]),
    ("E$", "SETBIT b 1 1", [[b"__keyevent@0__:setbit", b"b"]]),
    ("Eshzt$lxed", "DEL full", []),
    ("EA", "GET none", []),
    ("Em", "GET none", [[b"__keyevent@0__:keymiss", b"none"]]),
    ("Km", "GET none", [[b"__keyspace@0__:none", b"keymiss"]]),
    ("Em", "SET none v", []),
    ("En", "SET none v", [[b"__keyevent@0__:new", b"none"]]),
    ("En", "RPUSH full v", []),
    ("EA", "FLUSHALL", []),
    ("EA", "FLUSHDB", []),
    ("EA", "SWAPDB 0 1", []),
    ("Eg", 'RPUSH full ""', []),
    ("KEg", r'RENAME full "\x00\xff"', [
        [b"__keyspace@0__:full", b"rename_from"], [b"__keyevent@0__:rename_from", b"full"],
        [b"__keyspace@0__:\x00\xff", b"rename_to"], [b"__keyevent@0__:rename_to", b"\x00\xff"]]),
]  # fmt: skip


@pytest.mark.parametrize(("classes", "line", "expected"), CLASSES)
def test_classes(clients: party.Party, classes: str, line: str, expected: list[list[bytes]]) -> None:
    party.run(clients, "a", "RPUSH full x")
    party.run(clients, "w", "PSUBSCRIBE __key*")
    party.run(clients, "a", f'CONFIG SET notify-keyspace-events "{classes}"')
    try:
        received = party.run(clients, "a", line).get("w", [])
        assert [message[2:] for message in received] == expected
    finally:
        party.run(clients, "a", 'CONFIG SET notify-keyspace-events ""')


SHOWN = [("", ""), ("KEA", "AKE"), ("KEAmn", "AKEm"), ("gKmn", "gnKm"), ("mnEKgl", "glnKEm"), ("KE$lg$lshzxetd", "AKE"),
         ("xE", "xE"), ("A", "A"), ("dK", "dK")]  # fmt: skip


@pytest.mark.parametrize(("given", "shown"), SHOWN)
def test_config_get_shows_classes_in_its_order(clients: party.Party, given: str, shown: str) -> None:
    party.table(clients, [
        (f'a CONFIG SET notify-keyspace-events "{given}"', b"OK"),
        ("a CONFIG GET notify-keyspace-events", [b"notify-keyspace-events", shown.encode()]),
        ('a CONFIG SET notify-keyspace-events ""', b"OK"),
    ])  # fmt: skip


def test_a_class_that_there_is_not_is_refused(clients: party.Party) -> None:
    text = ("-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class "
            "character. Use 'Ag$lshzxeKEtmdn'.")  # fmt: skip
    party.table(clients, [("a CONFIG SET notify-keyspace-events Kq", text)])


# -- time


class Watched:
    """A store whose clock stands still and a client that listens to every event."""

    def __init__(self, classes: str = EVERY) -> None:
        self.clients = party.Embedded()
        self.run(f"CONFIG SET notify-keyspace-events {classes}")
        party.run(self.clients, "w", "PSUBSCRIBE __keyevent@*")

    def run(self, line: str) -> str:
        return run(self.clients, line)

    def later(self, ms: int, notice: bool = True) -> str:
        """What is told when time passes; ``notice``: the store keeps house."""
        if notice:
            self.clients.advance(ms)
        else:
            self.clients.ns += ms * 1_000_000
        return told(self.clients.received())


LATE: list[tuple[str, str]] = [  # as on Redis 7.0 and Valkey 9.1 with DEBUG SET-ACTIVE-EXPIRE 0
    ("GET k", "expired:k keymiss:k"),
    ("EXISTS k", "expired:k keymiss:k"),
    ("TTL k", "expired:k keymiss:k"),
    ("STRLEN k", "expired:k keymiss:k"),
    ("SET k v", "expired:k new:k set:k"),
    ("SETNX k v", "expired:k new:k set:k"),
    ("DEL k", "expired:k"),
    ("INCR k", "expired:k new:k incrby:k"),
    ("EXPIRE k 100", "expired:k"),
    ("PERSIST k", "expired:k"),
    ("RENAME k l", "expired:k"),
    ("LPUSH k 1", "expired:k new:k lpush:k"),
    ("KEYS *", ""),
    ("OBJECT ENCODING k", "expired:k"),
    ("MSET k v", "expired:k new:k set:k"),
    ("SETEX k 10 v", "expired:k new:k set:k expire:k"),
    ("SET k v KEEPTTL", "expired:k new:k set:k"),
    ("SET k v EX 10", "expired:k new:k set:k expire:k"),
    ("GETSET k v", "expired:k keymiss:k new:k set:k"),
    ("RENAME other k", "expired:k new:k rename_from:other rename_to:k"),
    ("RENAMENX other k", "expired:k new:k rename_from:other rename_to:k"),
    ("COPY other k", "expired:k new:k copy_to:k"),
    ("COPY other k REPLACE", "expired:k new:k copy_to:k"),
    ("SORT none STORE k", "keymiss:none del:k"),
    ("SINTERSTORE k set", "expired:k new:k sinterstore:k"),
    ("SUNIONSTORE k none", "keymiss:none del:k"),
    ("ZUNIONSTORE k 1 none", "keymiss:none del:k"),
    ("BITOP NOT k other", "expired:k new:k set:k"),
    ("GETDEL k", "expired:k keymiss:k"),
    ("GETEX k PERSIST", "expired:k keymiss:k"),
    ("MOVE k 3", "expired:k"),
    ("TOUCH k", "expired:k keymiss:k"),
    ("APPEND k x", "expired:k new:k append:k"),
    ("MSETNX k v", "expired:k new:k set:k"),
    ("SCAN 0", "expired:k"),
    ("DUMP k", "expired:k keymiss:k"),
    ("HSET k f v", "expired:k new:k hset:k"),
    ("MGET k k", "expired:k keymiss:k keymiss:k"),
]


@pytest.mark.parametrize(("line", "expected"), LATE)
def test_a_key_past_its_deadline_is_told_of_when_it_is_met(line: str, expected: str) -> None:
    watched = Watched()
    assert watched.run("DEBUG SET-ACTIVE-EXPIRE 0") == ""
    watched.run("SET other v")
    watched.run("SADD set a")
    assert watched.run("SET k v PX 1000") == "new:k set:k expire:k"
    assert watched.later(999) == ""
    assert watched.later(1, notice=False) == ""
    assert watched.run(line) == expected


def test_keys_past_their_deadline_are_told_of_as_the_store_notices() -> None:
    watched = Watched("Ex")
    for line in ("SET a v PX 2000", "SELECT 3", "SET b v PX 1000", "SET c v PX 3000", "SELECT 0"):
        watched.run(line)
    assert watched.later(1000) == "expired:b@3"
    assert watched.later(1000) == "expired:a"
    assert watched.run("DBSIZE") == ""
    assert watched.later(100_000) == "expired:c@3"


def test_fields_past_their_deadline() -> None:
    watched = Watched()
    assert watched.run("HSET h f v g v") == "new:h hset:h"
    assert watched.run("HPEXPIRE h 1000 FIELDS 1 f") == "hexpire:h"
    assert watched.later(1000) == "hexpired:h"
    assert watched.run("HPEXPIRE h 1000 FIELDS 1 g") == "hexpire:h"
    assert watched.later(1000) == "hexpired:h del:h"


# -- who hears


def test_nobody_listens() -> None:
    store = Store(Config())
    session = Session(store)
    store.execute(session, (b"CONFIG", b"SET", b"notify-keyspace-events", b"KEA"))
    store.execute(session, (b"SET", b"k", b"v"))
    assert store.hub is None


def test_the_configuration_a_store_opens_with(tmp_path: Path) -> None:
    path = tmp_path / "redtool.conf"
    path.write_text("notify-keyspace-events Ex\n")
    config = Config()
    read(config, str(path))
    now = party.SECONDS * 1_000_000_000
    store = Store(config, time_ns=lambda: now)
    listener, other = Session(store), Session(store)
    store.execute(listener, (b"SUBSCRIBE", b"__keyevent@0__:expired"))
    store.execute(other, (b"SET", b"k", b"v", b"PX", b"1000"))
    now += 1_000_000_000
    store.tick()
    assert list(listener.inbox) == [Push([b"message", b"__keyevent@0__:expired", b"k"])]


def test_every_event_has_a_class() -> None:
    assert all(event.encode() in notify.CLASSES for line in events_of_table() for event in line)


def events_of_table() -> list[list[str]]:
    return [[event.partition(":")[0] for event in events[""].split()] for rows in TABLES.values() for _, events in rows]


def test_what_has_no_class_is_not_published() -> None:
    watched: Any = Watched()
    publish(watched.clients.store, watched.clients.store.databases[0], b"k", b"nosuch")
    assert told(watched.clients.received()) == ""
