"""Clients that list, name, pause, mute and close each other: the same on all three."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.engine.uses import Recency
from tests import party
from tests.commands.test_connection import FIELDS, fields
from tests.party import CLOSED

OK = b"OK"
SYNTAX = "-ERR syntax error"
NO_CLIENT = "-ERR No such client"


def arity(name: str) -> str:
    return f"-ERR wrong number of arguments for 'client|{name}' command"


FILTERS: list[tuple[str, Any]] = [
    ("TYPE", SYNTAX),
    ("TYPE foo", "-ERR Unknown client type 'foo'"),
    ("NOT-TYPE foo", "-ERR Unknown client type 'foo'"),
    ("ID x", SYNTAX),
    ("ID 999999 x", SYNTAX),
    ("ID 0", "-ERR client-id should be greater than 0"),
    ("ID -1 2", "-ERR client-id should be greater than 0"),
    ("NOT-ID x", SYNTAX),
    ("USER nobody", "-ERR No such user 'nobody'"),
    ("NOT-USER nobody", "-ERR No such user 'nobody'"),
    ("SKIPME maybe", SYNTAX),
    ("NOT-SKIPME yes", SYNTAX),
    ("MAXAGE x", "-ERR maxage is not an integer or out of range"),
    ("MAXAGE 0", "-ERR maxage should be greater than 0"),
    ("MAXAGE -1", "-ERR maxage should be greater than 0"),
    ("NOT-MAXAGE 1", SYNTAX),
    ("IDLE x", "-ERR idle is not an integer or out of range"),
    ("IDLE 0", "-ERR idle should be greater than 0"),
    ("NOT-IDLE 1", SYNTAX),
    ("FLAGS tZQ", "-ERR Unknown flags found in the provided filter: tZQ"),
    ("NOT-FLAGS Q", "-ERR Unknown flags found in the NOT-FLAGS filter: Q"),
    ("DB x", "-ERR DB is not an integer or out of range"),
    ("DB 16", "-ERR DB number should be between 0 and 15"),
    ("NOT-DB -1", "-ERR NOT-DB number should be between 0 and 15"),
    ("CAPA q", "-ERR Unknown capa found in the provided filter: q"),
    ("NOT-CAPA q", "-ERR Unknown capa found in the NOT-CAPA filter: q"),
    ("NOT-DB x", "-ERR NOT-DB is not an integer or out of range"),
    ("NOT-ID 0", "-ERR client-id should be greater than 0"),
    ("NAME", SYNTAX),
    ("FOO x", SYNTAX),
]


@pytest.mark.parametrize("verb", ["LIST", "KILL"])
def test_filters_refuse(clients: party.Party, verb: str) -> None:
    rows = [(f"a CLIENT {verb} SKIPME yes {words}", reply) for words, reply in FILTERS]
    party.table(clients, [*rows, (f"a CLIENT {verb} ID 999999", b"" if verb == "LIST" else 0)])


TABLES: dict[str, list[tuple[str, Any]]] = {
    "kill refuses": [
        ("a CLIENT KILL", arity("kill")),
        ("a CLIENT KILL foo", NO_CLIENT),
        ("a CLIENT KILL 127.0.0.1:0", NO_CLIENT),
        ("a CLIENT KILL ID", NO_CLIENT),
        ("a CLIENT KILL ID 999999", 0),
        ("a CLIENT KILL ID 999998 999999", 0),
        ("a CLIENT KILL SKIPME no FOO", SYNTAX),
        ("a CLIENT KILL TYPE pubsub", 0),
        ("a CLIENT KILL ADDR foo", 0),
    ],
    "kill by number": [
        ("a CLIENT KILL ID {b}", {"a": [1], "b": [CLOSED]}),
        ("a CLIENT KILL ID {c} {d}", {"a": [2], "c": [CLOSED], "d": [CLOSED]}),
        ("a CLIENT KILL ID {a}", 0),
        ("a CLIENT KILL ID {a} SKIPME yes", 0),
        ("a CLIENT KILL ID {a} SKIPME no", {"a": [1, CLOSED]}),
    ],
    "kill by other filters": [
        (r'b CLIENT SETNAME "a\x00 b"', OK),
        ("b CLIENT SETNAME bob", OK),
        ("c SELECT 7", OK),
        ("d CLIENT SETINFO lib-name dlib", OK),
        ("e CLIENT CAPA redirect", OK),
        ("f CLIENT TRACKING on BCAST", OK),
        ("g MULTI", OK),
        ("a CLIENT KILL NAME bob DB 7", 0),
        ("a CLIENT KILL NAME bob DB 0", {"a": [1], "b": [CLOSED]}),
        ("a CLIENT KILL DB 7", {"a": [1], "c": [CLOSED]}),
        ("a CLIENT KILL LIB-NAME dlib", {"a": [1], "d": [CLOSED]}),
        ("a CLIENT KILL CAPA r", {"a": [1], "e": [CLOSED]}),
        ("a CLIENT KILL FLAGS tB", {"a": [1], "f": [CLOSED]}),
        ("a CLIENT KILL NOT-FLAGS x NOT-ID {a} {h} NOT-NAME bob NOT-DB 7 FLAGS x", 0),
        ("a CLIENT KILL FLAGS x", {"a": [1], "g": [CLOSED]}),
        ("a CLIENT KILL MAXAGE 100000", 0),
        ("a CLIENT KILL USER default ID {h}", {"a": [1], "h": [CLOSED]}),
    ],
    "the killed leave nothing behind": [
        ("b WATCH k", OK),
        ("c BLPOP l 0", {}),
        ("d MONITOR", OK),
        ("a CLIENT KILL ID {d}", {"a": [1], "d": [CLOSED]}),
        ("a CLIENT KILL ID {b} {c}", {"a": [2], "b": [CLOSED], "c": [CLOSED]}),
        ("a RPUSH l 1", 1),
        ("a LPOP l", b"1"),
        ("a CLIENT UNBLOCK {c}", 0),
    ],
    "kill in a transaction ends after it": [
        ("a MULTI", OK),
        ("a SET k 1", b"QUEUED"),
        ("a CLIENT KILL ID {a} SKIPME no", b"QUEUED"),
        ("a EXEC", {"a": [[OK, 1], CLOSED]}),
        ("b GET k", b"1"),
    ],
    "quit": [
        ("a MULTI", OK),
        ("a QUIT", {"a": [OK, CLOSED]}),
        ("b QUIT with words", {"b": [OK, CLOSED]}),
    ],
    "muted": [
        ("a CLIENT REPLY maybe", SYNTAX),
        ("a MULTI", OK),
        ("a CLIENT REPLY off", ...),
        ("a EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("a CLIENT REPLY on", OK),
        ("a CLIENT REPLY skip", {}),
        ("a SET k 1", {}),
        ("a GET k", b"1"),
        ("a CLIENT REPLY skip", {}),
        ("a CLIENT REPLY skip", {}),
        ("a NOSUCH", {}),
        ("a CLIENT REPLY skip", {}),
        ("a CLIENT REPLY on", OK),
        ("a CLIENT REPLY off", {}),
        ("a CLIENT REPLY skip", {}),
        ("a INCR k", {}),
        ("a INCR k", {}),
        ("a CLIENT REPLY foo", {}),
        ("b GET k", b"3"),
        ("a CLIENT REPLY on", OK),
        ("a GET k", b"3"),
        ("a CLIENT REPLY off", {}),
        ("a RESET", b"RESET"),
        ("a PING", b"PONG"),
    ],
    "claims": [
        ("a CLIENT CAPA", arity("capa")),
        ("a CLIENT CAPA foo redirect", OK),
        ("a CLIENT CAPA bar", OK),
        ("a CLIENT IMPORT-SOURCE off", OK),
        ("a CLIENT IMPORT-SOURCE on", "-ERR Server is not in import mode"),
        ("a CLIENT IMPORT-SOURCE foo", "-ERR Server is not in import mode"),
    ],
    "pauses refuse": [
        ("a CLIENT PAUSE", arity("pause")),
        ("a CLIENT PAUSE x", "-ERR timeout is not an integer or out of range"),
        ("a CLIENT PAUSE 99999999999999999999", "-ERR timeout is not an integer or out of range"),
        ("a CLIENT PAUSE -1", "-ERR timeout is negative"),
        ("a CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range"),
        ("a CLIENT PAUSE 10 FOO", "-ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ("a CLIENT PAUSE 0", OK),
        ("a PING", b"PONG"),
        ("a CLIENT UNPAUSE", OK),
        ("a CLIENT UNPAUSE x", arity("unpause")),
    ],
    "a pause holds what writes": [
        ("a SET k 1", OK),
        ("a CLIENT PAUSE 100000 WRITE", OK),
        ("b SET k 2", {}),
        ("c PFCOUNT h", {}),
        ("d INCR n", {}),
        ("e XREADGROUP GROUP g c STREAMS s >", {}),
        ("f BLPOP l 0", {}),
        ("a GET k", b"1"),
        ("a PING", b"PONG"),
        ("a MULTI", OK),
        ("a GET k", b"QUEUED"),
        ("a EXEC", [b"1"]),
        ("a CLIENT UNBLOCK {b}", 0),
        ("a CLIENT UNBLOCK {f}", 0),
        ("a GET", "-ERR wrong number of arguments for 'get' command"),
        ("a SET k", "-ERR wrong number of arguments for 'set' command"),
        ("a CLIENT UNPAUSE", {"a": [OK], "b": [OK], "c": [0], "d": [1], "e": [
            "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"]}),
        ("a GET k", b"2"),
        ("a CLIENT UNBLOCK {f}", {"a": [1], "f": [None]}),
    ],
    "a pause and transactions": [
        ("a MULTI", OK),
        ("a CLIENT PAUSE 100000 WRITE", b"QUEUED"),
        ("a SET k 1", b"QUEUED"),
        ("a EXEC", [OK, OK]),
        ("a SET k 2", {}),
        ("b CLIENT UNPAUSE", {"a": [OK], "b": [OK]}),
        ("a MULTI", OK),
        ("a SET k 3", b"QUEUED"),
        ("b CLIENT PAUSE 100000 WRITE", OK),
        ("a GET k", b"QUEUED"),
        ("a EXEC", {}),
        ("c MULTI", OK),
        ("c SET k 4", {}),
        ("b CLIENT UNPAUSE", {"a": [[OK, b"3"]], "b": [OK], "c": [b"QUEUED"]}),
        ("c DISCARD", OK),
    ],
    "the stricter pause holds": [
        ("a CLIENT PAUSE 100000 WRITE", OK),
        ("a CLIENT PAUSE 1 WRITE", OK),
        ("b SET k 1", {}),
        ("a CLIENT UNPAUSE", {"a": [OK], "b": [OK]}),
    ],
    "muted clients wait": [
        ("a CLIENT REPLY skip", {}),
        ("a BLPOP l 0", {}),
        ("b CLIENT UNBLOCK {a} ERROR", 1),
        ("a PING", b"PONG"),
        ("a CLIENT REPLY skip", {}),
        ("a BLPOP l 0", {}),
        ("b RPUSH l 1", 1),
        ("a PING", b"PONG"),
    ],
    "quitting is put off too": [
        ("a MULTI", OK),
        ("a SET k 1", b"QUEUED"),
        ("a CLIENT KILL ID {a} SKIPME no", b"QUEUED"),
        ("b CLIENT PAUSE 100000 WRITE", OK),
        ("a EXEC", {}),
        ("b CLIENT UNPAUSE", {"a": [[OK, 1], CLOSED], "b": [OK]}),
    ],
    "waiters are not served in a pause": [
        ("b BLPOP l 0", {}),
        ("a CLIENT PAUSE 100000 WRITE", OK),
        ("c RPUSH l 1", {}),
        ("a LLEN l", 0),
        ("a CLIENT UNPAUSE", {"a": [OK], "b": [[b"l", b"1"]], "c": [1]}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(clients: party.Party, name: str) -> None:
    party.table(clients, TABLES[name])


def listed(clients: party.Party, words: str) -> list[str]:
    """The names of the clients that a list has."""
    (text,) = party.run(clients, "a", f"CLIENT LIST {words}")["a"]
    return [fields(line)["name"] for line in text.splitlines() if fields(line)["name"]]


def facts(clients: party.Party, name: str) -> dict[str, str]:
    """A client's line of CLIENT LIST, as client a sees it."""
    (text,) = party.run(clients, "a", f"CLIENT LIST ID {clients.number(name)}")["a"]
    found = fields(text.removesuffix(b"\n"))
    assert [key for key in found if key.encode() in FIELDS] == [key.decode() for key in FIELDS]
    found["flags"] = found["flags"].replace("U", "") or "N"
    return found


def test_lists(clients: party.Party) -> None:
    for name in "abcd":
        clients.number(name)
    party.table(clients, [(f"{name} CLIENT SETNAME {name}", OK) for name in "abcd"])
    party.table(clients, [
        ("b SELECT 7", OK),
        ("b CLIENT SETINFO LIB-NAME blib", OK),
        ("b CLIENT SETINFO LIB-VER 9", OK),
        ("c CLIENT NO-EVICT on", OK),
        ("c CLIENT NO-TOUCH on", OK),
        ("d MULTI", OK),
        ("d CLIENT CAPA redirect", b"QUEUED"),
        ("d EXEC", [OK]),
        ("d BLPOP l 0", {}),
    ])  # fmt: skip
    own = facts(clients, "a")["addr"]
    rows = {
        "": "abcd", "ID {a} {c}": "ac", "ID {c} NAME b": "", "NAME b": "b", "NOT-NAME b": "acd", 'NAME ""': "",
        "DB 7": "b", "NOT-DB 7": "acd", "DB 7 NAME b TYPE normal USER default": "b", "SKIPME yes": "bcd",
        "SKIPME no": "abcd", "TYPE normal": "abcd", "TYPE pubsub": "", "NOT-TYPE pubsub": "abcd", "TYPE master": "",
        "TYPE primary": "", "TYPE replica": "", "TYPE slave": "", "USER default": "abcd", "NOT-USER default": "",
        "LIB-NAME blib": "b", "NOT-LIB-NAME blib": "acd", "LIB-VER 9": "b", "NOT-LIB-VER 9": "acd", "FLAGS eT": "c",
        "FLAGS b": "d", "NOT-FLAGS b": "abc", "FLAGS e NOT-FLAGS T": "", 'FLAGS ""': "abcd", "CAPA r": "d",
        "NOT-CAPA r": "abc", "MAXAGE 100000": "", "IDLE 100000": "", "IP 9.9.9.9": "", "NOT-IP 9.9.9.9": "abcd",
        f"ADDR {own}": "abcd", f"LADDR {own}": "abcd", f"NOT-ADDR {own}": "", "ADDR x": "", "NOT-LADDR x": "abcd",
        "NAME b NAME c": "c", "TYPE pubsub TYPE normal NAME c": "c",
    }  # fmt: skip
    for words, names in rows.items():
        assert listed(clients, words) == list(names), words


def test_lines(clients: party.Party) -> None:
    """What each state shows: flags, counts, the last command."""
    for name in "abc":
        clients.number(name)
    steps: list[tuple[str, str, dict[str, str]]] = [
        ("b", "CLIENT ID", {"cmd": "client|id", "flags": "N", "multi": "-1", "user": "default", "resp": "2"}),
        ("b", "get k", {"cmd": "get", "db": "0", "sub": "0", "psub": "0", "ssub": "0", "watch": "0", "redir": "-1"}),
        ("b", "NOSUCH", {"cmd": "NULL"}),
        ("b", "OBJECT ENCODING k", {"cmd": "object|encoding"}),
        ("b", "WATCH x y", {"cmd": "watch", "watch": "2", "flags": "N"}),
        ("b", "MULTI", {"cmd": "multi", "flags": "x", "multi": "0", "watch": "2"}),
        ("b", "SET k 1", {"cmd": "set", "flags": "x", "multi": "1"}),
        ("c", "SET x 1", {"flags": "xd", "watch": "0"}),
        ("b", "DISCARD", {"cmd": "discard", "flags": "N", "watch": "0"}),
        ("b", "CLIENT TRACKING on BCAST", {"flags": "tB", "redir": "0", "cmd": "client|tracking"}),
        ("b", "CLIENT TRACKING on BCAST REDIRECT {c} PREFIX x", {"flags": "tB", "redir": "0"}),
        ("b", "CLIENT TRACKING off", {"flags": "N", "redir": "-1"}),
        ("b", "HELLO 3 SETNAME bob", {"resp": "3", "name": "bob", "cmd": "hello"}),
        ("b", "CLIENT NO-EVICT on", {"flags": "e"}),
        ("b", "CLIENT NO-TOUCH on", {"flags": "eT"}),
        ("b", "CLIENT SETINFO LIB-VER 2", {"lib-ver": "2", "lib-name": ""}),
        ("b", "SELECT 5", {"db": "5"}),
        ("b", "RESET", {"flags": "N", "db": "0", "resp": "2", "name": "", "lib-ver": "2", "cmd": "reset"}),
        ("b", "BLPOP l 0", {"flags": "b", "cmd": "blpop"}),
        ("c", "RPUSH l 1", {"flags": "N", "cmd": "blpop"}),
        ("b", "MONITOR", {"flags": "O", "cmd": "monitor"}),
        ("b", "RESET", {"flags": "N", "cmd": "reset"}),
    ]  # fmt: skip
    for name, line, wanted in steps:
        party.run(clients, name, line)
        found = facts(clients, "b")
        if found["multi"] == "0" and "x" not in found["flags"]:
            found["multi"] = "-1"  # Valkey shows what is left of an earlier transaction
        assert {key: found[key] for key in wanted} == wanted, line


def test_subscribers(clients: party.Party) -> None:
    """Their type, letters and counts; a pause holds PUBLISH; RESET and CLIENT KILL end subscriptions."""
    names = {name: clients.number(name) for name in "abcd"}
    party.table(clients, [
        ("b SUBSCRIBE x y", {"b": [[b"subscribe", b"x", 1], [b"subscribe", b"y", 2]]}),
        ("b PSUBSCRIBE p*", [b"psubscribe", b"p*", 3]),
        ("c SSUBSCRIBE s", [b"ssubscribe", b"s", 1]),
    ])  # fmt: skip
    for name, counts in {"a": ("N", "0", "0", "0"), "b": ("P", "2", "1", "0"), "c": ("P", "0", "0", "1")}.items():
        found = facts(clients, name)
        assert (found["flags"], found["sub"], found["psub"], found["ssub"]) == counts
    for words, wanted in {"TYPE pubsub": "bc", "FLAGS P": "bc", "NOT-TYPE pubsub": "ad", "TYPE normal": "ad"}.items():
        (text,) = party.run(clients, "a", f"CLIENT LIST {words}")["a"]
        numbers = {int(fields(line)["id"]) for line in text.splitlines()}
        assert numbers & {*names.values()} == {names[name] for name in wanted}
    party.table(clients, [
        ("a CLIENT PAUSE 100000 WRITE", OK),
        ("d PUBLISH x hi", {}),
        ("a CLIENT UNPAUSE", {"a": [OK], "b": [[b"message", b"x", b"hi"]], "d": [1]}),
        ("b RESET", b"RESET"),
        ("a PUBLISH x hi", 0),
        ("a CLIENT KILL TYPE pubsub", {"a": [1], "c": [CLOSED]}),
        ("a SPUBLISH s hi", 0),
    ])  # fmt: skip


def test_a_list_in_a_transaction_is_run_by_exec(clients: party.Party) -> None:
    party.table(clients, [("a MULTI", OK), ("a CLIENT INFO", b"QUEUED")])
    ((line,),) = party.run(clients, "a", "EXEC")["a"]
    assert fields(line)["cmd"] == "exec"


def test_a_pause_of_everything_ends_by_itself() -> None:
    """In time that the test sets: nothing runs, nobody can end it, no key expires, waits end."""
    clients = party.Embedded()
    party.table(clients, [
        ("a SET k 1 PX 50", OK),
        ("b BLPOP l 0.1", {}),
        ("a CLIENT PAUSE 5000", OK),
        ("a PING", {}),
        ("c CLIENT UNPAUSE", {}),
        ("d QUIT", {}),
    ])  # fmt: skip
    clients.advance(1000)
    assert clients.received() == {}
    assert len(clients.store.databases[0]) == 1
    clients.advance(4000)
    assert clients.received() == {"a": [b"PONG"], "c": [OK], "d": [OK, CLOSED]}
    clients.advance(200)
    assert len(clients.store.databases[0]) == 0
    assert clients.store.pause is None
    assert not clients.store.guarded


def test_a_pause_that_ends_early_ends_no_wait() -> None:
    clients = party.Embedded()
    party.table(clients, [
        ("a CLIENT PAUSE 1000 WRITE", OK),
        ("b BLPOP l 5", {}),
        ("a CLIENT UNPAUSE", OK),
    ])  # fmt: skip
    ((waiter,),) = clients.store.databases[0].blocked.values()
    clients.advance(1500)
    clients.store.waiting.overdue(waiter)  # as a timer that was set for the pause would
    assert clients.received() == {}
    clients.advance(4000)
    clients.store.waiting.overdue(waiter)
    assert clients.received() == {"b": [None]}


def test_keys_do_not_expire_in_a_pause() -> None:
    clients = party.Embedded()
    party.table(clients, [("a SET k 1 PX 50", OK), ("a SET k2 2", OK), ("a CLIENT PAUSE 5000 WRITE", OK)])
    clients.advance(1000)
    party.table(clients, [
        ("a GET k", None),
        ("a EXISTS k k2", 1),
        ("a TTL k", -2),
        ("a KEYS *", [b"k2"]),
        ("a RANDOMKEY", b"k2"),
        ("a DBSIZE", 2),
        ("a CLIENT UNPAUSE", OK),
        ("a GET k", None),
        ("a DBSIZE", 1),
    ])  # fmt: skip


def test_a_longer_pause_is_kept() -> None:
    clients = party.Embedded()
    party.table(clients, [
        ("a CLIENT PAUSE 1000 WRITE", OK),
        ("b SET k 1", {}),
        ("a CLIENT PAUSE 3000 WRITE", OK),
        ("a CLIENT PAUSE 10 ALL", OK),
        ("a PING", {}),
    ])  # fmt: skip
    clients.advance(2000)
    assert clients.received() == {}
    clients.advance(1000)
    assert clients.received() == {"a": [b"PONG"], "b": [OK]}


def test_age_and_idle() -> None:
    clients = party.Embedded()
    clients.number("b")
    clients.advance(100_000)
    party.table(clients, [("a CLIENT SETNAME a", OK), ("b CLIENT SETNAME b", OK)])
    clients.advance(30_000)
    party.table(clients, [("a PING", b"PONG")])
    found = facts(clients, "b")
    assert (found["age"], found["idle"]) == ("130", "30")
    assert listed(clients, "MAXAGE 130") == ["b"]
    assert listed(clients, "MAXAGE 131") == []
    assert listed(clients, "IDLE 30") == ["b"]
    assert listed(clients, "IDLE 31") == []


def test_no_touch_leaves_access_times() -> None:
    clients = party.Embedded()
    for db in clients.store.databases:
        db.uses = Recency(db.clock)
    party.table(clients, [("a SET k 1", OK), ("b CLIENT NO-TOUCH on", OK)])
    clients.advance(10_000)
    party.table(clients, [("b GET k", b"1"), ("b STRLEN k", 1), ("b OBJECT IDLETIME k", 10)])
    party.table(clients, [("b TOUCH k", 1), ("b OBJECT IDLETIME k", 0)])
    clients.advance(10_000)
    party.table(clients, [
        ("b MULTI", OK),
        ("b GET k", b"QUEUED"),
        ("b EXEC", [b"1"]),
        ("a OBJECT IDLETIME k", 10),
        ("b CLIENT NO-TOUCH off", OK),
        ("b GET k", b"1"),
        ("a OBJECT IDLETIME k", 0),
    ])  # fmt: skip
