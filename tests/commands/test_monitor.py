"""MONITOR: which commands are shown, when and how, on all three; streams inside this process."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from redtool.backends.embedded import open_store
from redtool.errors import StoreError
from redtool.resp import Status
from redtool.session import Session
from tests import party

OK = b"OK"
KEYS = "-ERR Replica can't interact with the keyspace"


def shown(text: bytes, db: int = 0) -> bytes:
    return b"[%d addr] %b" % (db, text)


def seen(text: bytes, reply: Any = OK, db: int = 0) -> dict[str, list[Any]]:
    """a ran it, m saw it."""
    return {"a": [reply], "m": [shown(text, db)]}


TABLES: dict[str, list[tuple[str, Any]]] = {
    "lines": [
        ("m MONITOR", OK),
        ("a PING", seen(b'"PING"', b"PONG")),
        ("a SELECT 3", seen(b'"SELECT" "3"', db=3)),
        ('a set k "a\\xe9\\n\\"\\\\\\a\\x00"', seen(b'"set" "k" "a\\xe9\\n\\"\\\\\\a\\x00"', db=3)),
        ('a ECHO ""', seen(b'"ECHO" ""', b"", 3)),
        ("a APPEND k \xfc", seen(b'"APPEND" "k" "\\xc3\\xbc"', 9, 3)),
        ("a INCR k", seen(b'"INCR" "k"', "-ERR value is not an integer or out of range", 3)),
        ("a CLIENT ID", {"a": [...], "m": [shown(b'"CLIENT" "ID"', 3)]}),
        ("m QUIT", {"m": [OK, party.CLOSED]}),
        ("a PING", b"PONG"),
        ("n MONITOR", OK),
        ("a QUIT", {"a": [OK, party.CLOSED], "n": [shown(b'"QUIT"', 3)]}),
    ],
    "not shown": [
        ("m MONITOR", OK),
        ("a NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("a GET", "-ERR wrong number of arguments for 'get' command"),
        ("a CONFIG GET maxmemory", ...),
        ("a CLIENT LIST ID 999999", b""),
        ("a CLIENT KILL ID 999999", 0),
        ("a EXEC", {"a": ["-ERR EXEC without MULTI"], "m": [shown(b'"EXEC"')]}),
    ],
    "secrets": [
        ("m MONITOR", OK),
        ("a AUTH foo", {"a": [...], "m": [shown(b'"AUTH" "(redacted)"')]}),
        ("a AUTH default foo", seen(b'"AUTH" "(redacted)" "(redacted)"')),
        ("a HELLO 2 AUTH default foo SETNAME z",
         {"a": [...], "m": [shown(b'"HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "z"')]}),
    ],
    "transactions": [
        ("m MONITOR", OK),
        ("a MULTI", seen(b'"MULTI"')),
        ("a SET x 1", b"QUEUED"),
        ("a GET x", b"QUEUED"),
        ("b SET x 0", {"b": [OK], "m": [shown(b'"SET" "x" "0"')]}),
        ("a EXEC", {"a": [[OK, b"1"]], "m": [shown(b'"SET" "x" "1"'), shown(b'"GET" "x"'), shown(b'"EXEC"')]}),
        ("a MULTI", seen(b'"MULTI"')),
        ("a SET x 1", b"QUEUED"),
        ("a DISCARD", seen(b'"DISCARD"')),
    ],
    "commands that wait are shown as they come": [
        ("m MONITOR", OK),
        ("b BLPOP l 0", {"m": [shown(b'"BLPOP" "l" "0"')]}),
        ("a RPUSH l 1", {"a": [1], "b": [[b"l", b"1"]], "m": [shown(b'"RPUSH" "l" "1"')]}),
    ],
    "commands that are put off are shown as they run": [
        ("m MONITOR", OK),
        ("a CLIENT PAUSE 100000 WRITE", OK),
        ("b SET k 1", {}),
        ("a PING", seen(b'"PING"', b"PONG")),
        ("a CLIENT UNPAUSE", {"a": [OK], "b": [OK], "m": [shown(b'"SET" "k" "1"')]}),
    ],
    "a monitor's own commands": [
        ("m MONITOR", OK),
        ("m PING", {"m": [b"PONG", shown(b'"PING"')]}),
        ("m MONITOR", {}),
        ("n MONITOR", OK),
        ("m CLIENT REPLY OFF", {"n": [shown(b'"CLIENT" "REPLY" "OFF"')]}),
        ("a PING", {"a": [b"PONG"], "n": [shown(b'"PING"')]}),
        ("m CLIENT REPLY ON", {"m": [OK, shown(b'"CLIENT" "REPLY" "ON"')], "n": [shown(b'"CLIENT" "REPLY" "ON"')]}),
        ("m RESET", {"m": [b"RESET"], "n": [shown(b'"RESET"')]}),
        ("a PING", {"a": [b"PONG"], "n": [shown(b'"PING"')]}),
        ("m SET k 1", {"m": [OK], "n": [shown(b'"SET" "k" "1"')]}),
    ],
    "not inside a transaction": [
        ("a MULTI", OK),
        ("a MONITOR", b"QUEUED"),
        ("a EXEC", ["-ERR MONITOR isn't allowed for DENY BLOCKING client"]),
        ("b PING", b"PONG"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(clients: party.Party, name: str) -> None:
    party.table(clients, TABLES[name])


def test_scripts(clients: party.Party) -> None:
    """A script is shown before what it runs."""
    line = b'"EVAL" "return redis.call(\'set\',\'k\',\'1\')" "0"'
    inner = b'[0 lua] "set" "k" "1"'
    party.table(clients, [
        ("m MONITOR", OK),
        ("""a EVAL "return redis.call('set','k','1')" 0""", {"a": [OK], "m": [shown(line), inner]}),
        ("a MULTI", seen(b'"MULTI"')),
        ("""a EVAL "return redis.call('set','k','1')" 0""", b"QUEUED"),
        ("a EXEC", {"a": [[OK]], "m": [shown(line), inner, shown(b'"EXEC"')]}),
    ])  # fmt: skip


def test_a_monitor_has_no_keys(clients: party.Party) -> None:
    """Through a socket; the one session of an embedded store must be able to do both."""
    allowed: list[tuple[str, Any]] = [("m MONITOR", OK), ("m SET k 1", {"m": [OK, shown(b'"SET" "k" "1"')]})]
    party.table(clients, allowed if isinstance(clients, party.Embedded) else [
        ("m MONITOR", OK),
        ("m GET k", KEYS),
        ("m SET k 1", KEYS),
        ("m MULTI", {"m": [OK, shown(b'"MULTI"')]}),
        ("m GET k", KEYS),
        ("m EXEC", {"m": ["-EXECABORT Transaction discarded because of previous errors.", shown(b'"EXEC"')]}),
    ])  # fmt: skip


def test_time_and_address() -> None:
    clients = party.Embedded()
    session = clients._meet("m")
    clients.ns += 123_456_789
    party.table(clients, [("m MONITOR", OK)])
    session.deliver = session.inbox.append
    clients._meet("a").peer = ("127.0.0.1:60866", "127.0.0.1:6379", 9)
    clients._meet("b").peer = ("/run/redis.sock:0", "/run/redis.sock:0", 9)
    for name in "abm":
        party.run(clients, name, "PING")
    stamp = b"%d.123456 [0 " % party.SECONDS
    assert list(session.inbox) == [
        stamp + b'127.0.0.1:60866] "PING"', stamp + b'unix:/run/redis.sock] "PING"', stamp + b'embedded:0] "PING"',
    ]  # fmt: skip


def test_messages_of_an_embedded_store_stream_what_another_thread_runs() -> None:
    with open_store(":memory:") as store:
        store.execute("MONITOR")
        lines = store.messages()

        def work() -> None:
            store.execute("SET", "k", "1")
            store.execute("RESET")

        other = threading.Thread(target=work)
        other.start()
        (line,) = list(lines)  # until RESET
        other.join()
        assert line[0] == b"monitor"
        assert isinstance(line[1], Status)
        assert line[1].endswith(b'[0 embedded:0] "SET" "k" "1"')


def test_messages_end_with_ctrl_c() -> None:
    with open_store(":memory:") as store:
        store.execute("MONITOR")
        store.execute("PING")
        store.stop_asked = lambda: True
        lines = store.messages()
        assert next(lines)[0] == b"monitor"
        with pytest.raises(KeyboardInterrupt):
            next(lines)
        store.stop_listening()
        store.execute("PING")
        assert list(store.messages()) == []


def test_the_wait_of_a_killed_session_ends() -> None:
    with open_store(":memory:") as store:
        other = Session(store.store)

        def kill() -> bool:
            store.store.execute(other, (b"CLIENT", b"KILL", b"ID", b"%d" % number))
            return False

        number, store.stop_asked = store.execute("CLIENT", "ID"), kill
        with pytest.raises(StoreError, match="CLIENT KILL"):
            store.execute("BLPOP", "l", "0")
        store.stop_asked = lambda: False
        assert store.execute("CLIENT", "ID") != number
        assert store.execute("RPUSH", "l", "1") == 1
