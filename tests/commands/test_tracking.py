"""Client tracking: who is told of which change, and in what order with replies, on all three."""

from __future__ import annotations

from typing import Any

import pytest

from tests import party
from tests.party import PUSH

OK = b"OK"
SYNTAX = "-ERR syntax error"
BCAST = (
    "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with "
    "a different mode."
)
OPT = BCAST.replace("BCAST mode on/off", "OPTIN/OPTOUT mode")
CACHING = (
    "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)
CHANNEL = b"__redis__:invalidate"


def told(*keys: bytes) -> list[Any]:
    return [PUSH, b"invalidate", list(keys)]


def overlap(prefix: str, which: str, other: str) -> str:
    return (f"-ERR Prefix '{prefix}' overlaps with {which} prefix '{other}'. "
            "Prefixes for a single client must not overlap.")  # fmt: skip


def info(flags: list[bytes], redirect: int, *prefixes: bytes) -> list[Any]:
    return [b"flags", flags, b"redirect", redirect, b"prefixes", list(prefixes)]


EMPTIED = [PUSH, b"invalidate", None]
TABLES: dict[str, list[tuple[str, Any]]] = {
    "a change tells those who have read the key, once": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("a MGET x y", [None, None]),
        ("b SET k 1", {"a": [told(b"k")], "b": [OK]}),
        ("b SET k 2", OK),
        ("b MSET x 1 y 2 z 3", {"a": [told(b"x"), told(b"y")], "b": [OK]}),
        ("a EXISTS x", 1),
        ("a STRLEN y", 1),
        ("b RENAME x y", {"a": [told(b"x"), told(b"y")], "b": [OK]}),
        ("a SET k 3", OK),
        ("b SET k 4", OK),
        ("a LRANGE l 0 -1", []),
        ("b RPUSH l 1", {"a": [told(b"l")], "b": [1]}),
        ("a LLEN l", 1),
        ("b LPOP l", {"a": [told(b"l")], "b": [b"1"]}),
        ("a LLEN l", 0),
        ("b INCR l", {"a": [told(b"l")], "b": [1]}),
        ("a LLEN l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("b INCR l", {"a": [told(b"l")], "b": [2]}),
        ("a ZUNION 2 z1 z2", []),
        ("b ZADD z2 1 m", {"a": [told(b"z2")], "b": [1]}),
    ],
    "one's own change comes after the reply": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("a SET k 1", {"a": [OK, told(b"k")]}),
        ("a GET k", b"1"),
        ("a SELECT 1", OK),
        ("a SET k 1", {"a": [OK, told(b"k")]}),
    ],
    "transactions": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a MULTI", OK),
        ("a GET k", b"QUEUED"),
        ("a GET k2", b"QUEUED"),
        ("a SET k 1", b"QUEUED"),
        ("b SET k2 0", OK),
        ("a EXEC", {"a": [[None, b"0", OK], told(b"k")]}),
        ("b SET k2 1", {"a": [told(b"k2")], "b": [OK]}),
        ("b SET k 1", OK),
        ("a GET k", b"1"),
        ("b MULTI", OK),
        ("b SET k 1", b"QUEUED"),
        ("b SET k 2", b"QUEUED"),
        ("b EXEC", {"a": [told(b"k")], "b": [[OK, OK]]}),
    ],
    "optin": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on OPTIN", OK),
        ("a GET k", None),
        ("b SET k 1", OK),
        ("a CLIENT CACHING yes", OK),
        ("a CLIENT ID", ...),
        ("a GET k", b"1"),
        ("a GET k2", None),
        ("b SET k2 1", OK),
        ("b SET k 2", {"a": [told(b"k")], "b": [OK]}),
        ("a CLIENT CACHING yes", OK),
        ("a NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("a GET k", b"2"),
        ("b SET k 3", OK),
        ("a CLIENT CACHING yes", OK),
        ("a MULTI", OK),
        ("a GET k", b"QUEUED"),
        ("a GET k2", b"QUEUED"),
        ("a EXEC", [b"3", b"1"]),
        ("a GET k3", None),
        ("b MSET k 1 k2 2 k3 3", {"a": [told(b"k"), told(b"k2")], "b": [OK]}),
        ("a CLIENT CACHING no", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."),
        ("a CLIENT CACHING maybe", SYNTAX),
    ],
    "optout": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on OPTOUT", OK),
        ("a CLIENT CACHING yes", "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."),
        ("a CLIENT CACHING no", OK),
        ("a GET k", None),
        ("a GET k2", None),
        ("b MSET k 1 k2 2", {"a": [told(b"k2")], "b": [OK]}),
    ],
    "noloop": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on NOLOOP", OK),
        ("a GET k", None),
        ("a SET k 1", OK),
        ("b SET k 1", OK),
        ("a GET k", b"1"),
        ("b SET k 2", {"a": [told(b"k")], "b": [OK]}),
    ],
    "emptied databases": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("b FLUSHDB", {"a": [EMPTIED], "b": [OK]}),
        ("b SET k 1", OK),
        ("b FLUSHALL", {"a": [EMPTIED], "b": [OK]}),
        ("a FLUSHALL", {"a": [OK, EMPTIED]}),
        ("a SWAPDB 0 1", OK),
    ],
    "prefixes": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on BCAST PREFIX foo PREFIX bar", OK),
        ("b MSET foo2 1 foo1 2 bar 3 x 4 foo1 5", {"a": [told(b"bar"), told(b"foo1", b"foo2")], "b": [OK]}),
        ("a GET x", b"4"),
        ("b SET x 5", OK),
        ("a SET foo 1", {"a": [OK, told(b"foo")]}),
        ("b DEL foo foo1 nope", {"a": [told(b"foo", b"foo1")], "b": [2]}),
        ("b DEL foo", 0),
        ("a CLIENT TRACKING on BCAST", OK),
        ("b SET food 1", {"a": [told(b"food"), told(b"food")], "b": [OK]}),
        ("a CLIENT TRACKING off", OK),
        ("b SET food 2", OK),
        ("a CLIENT TRACKING on BCAST NOLOOP", OK),
        ("a SET q 1", OK),
        ("b SET q 1", {"a": [told(b"q")], "b": [OK]}),
        ("b MULTI", OK),
        ("b SET q 1", b"QUEUED"),
        ("b SET p 1", b"QUEUED"),
        ("b EXEC", {"a": [told(b"p", b"q")], "b": [[OK, OK]]}),
        ("b FLUSHALL", {"a": [EMPTIED], "b": [OK]}),
    ],
    "prefixes must not overlap": [
        ("a CLIENT TRACKING on BCAST PREFIX foo PREFIX foob", overlap("foo", "another provided", "foob")),
        ("a CLIENT TRACKING on BCAST PREFIX foo PREFIX foo", overlap("foo", "another provided", "foo")),
        ("a CLIENT TRACKING on BCAST PREFIX fob PREFIX fa PREFIX f", overlap("fob", "another provided", "f")),
        ("a CLIENT TRACKINGINFO", info([b"off"], -1)),
        ("a CLIENT TRACKING on BCAST PREFIX foo PREFIX bar", OK),
        ("a CLIENT TRACKING on BCAST PREFIX foob", overlap("foob", "an existing", "foo")),
        ("a CLIENT TRACKING on BCAST PREFIX zap NOLOOP", OK),
        ("a CLIENT TRACKINGINFO", info([b"on", b"bcast", b"noloop"], 0, b"bar", b"foo", b"zap")),
        ("a CLIENT TRACKING on BCAST", OK),
        ("a CLIENT TRACKING on BCAST PREFIX zip", overlap("zip", "an existing", "")),
        ("a CLIENT TRACKINGINFO", info([b"on", b"bcast"], 0, b"", b"bar", b"foo", b"zap")),
    ],
    "refusals": [
        ("a CLIENT TRACKING maybe", SYNTAX),
        ("a CLIENT TRACKING on REDIRECT", SYNTAX),
        ("a CLIENT TRACKING on FOO", SYNTAX),
        ("a CLIENT TRACKING off FOO", SYNTAX),
        ("a CLIENT TRACKING on REDIRECT x", "-ERR value is not an integer or out of range"),
        ("a CLIENT TRACKING on REDIRECT 999999", "-ERR The client ID you want redirect to does not exist"),
        ("a CLIENT TRACKING on REDIRECT {b} REDIRECT {b}", "-ERR A client can only redirect to a single other client"),
        ("a CLIENT TRACKING on PREFIX foo", "-ERR PREFIX option requires BCAST mode to be enabled"),
        ("a CLIENT TRACKING on BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST"),
        ("a CLIENT TRACKING on OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode"),
        ("a CLIENT CACHING yes", CACHING),
        ("a CLIENT CACHING maybe", CACHING),
        ("a CLIENT TRACKING on", OK),
        ("a CLIENT TRACKING on BCAST", BCAST),
        ("a CLIENT TRACKING on OPTIN", OK),
        ("a CLIENT TRACKING on OPTOUT", OPT),
        ("a CLIENT TRACKING on", OK),
        ("a CLIENT CACHING no", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."),
        ("a CLIENT TRACKING off OPTIN BCAST PREFIX x", OK),
        ("a CLIENT TRACKING off", OK),
    ],
    "what is said of it": [
        ("a CLIENT GETREDIR", -1),
        ("a CLIENT TRACKINGINFO", info([b"off"], -1)),
        ("a CLIENT TRACKING on OPTIN NOLOOP", OK),
        ("a CLIENT GETREDIR", 0),
        ("a CLIENT CACHING yes", OK),
        ("a CLIENT TRACKINGINFO", info([b"on", b"optin", b"caching-yes", b"noloop"], 0)),
        ("a PING", b"PONG"),
        ("a CLIENT TRACKINGINFO", info([b"on", b"optin", b"noloop"], 0)),
        ("a CLIENT TRACKING off", OK),
        ("a CLIENT TRACKING on OPTOUT", OK),
        ("a CLIENT CACHING no", OK),
        ("a CLIENT TRACKINGINFO", info([b"on", b"optout", b"caching-no"], 0)),
    ],
    "RESP2 hears nothing": [
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("b SET k 1", OK),
        ("a GET k", b"1"),
        ("a HELLO 3", ...),
        ("b SET k 1", {"a": [told(b"k")], "b": [OK]}),
    ],
    "reset ends it": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on BCAST PREFIX k", OK),
        ("a RESET", b"RESET"),
        ("a CLIENT TRACKINGINFO", info([b"off"], -1)),
        ("a HELLO 3", ...),
        ("b SET k 1", OK),
    ],
    "quit ends it": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on BCAST PREFIX k", OK),
        ("a GET k", None),
        ("a QUIT", {"a": [OK, party.CLOSED]}),
        ("b SET k 1", OK),
    ],
    "muted clients are told": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("a CLIENT REPLY off", {}),
        ("b SET k 1", {"a": [told(b"k")], "b": [OK]}),
    ],
    "served waiters change keys": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a LRANGE to 0 -1", []),
        ("b BLMOVE from to LEFT LEFT 0", {}),
        ("c RPUSH from 1", {"a": [told(b"to")], "b": [b"1"], "c": [1]}),
    ],
    "what was put off is answered first": [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("a GET k", None),
        ("b CLIENT PAUSE 100000 WRITE", OK),
        ("a SET k 1", {}),
        ("b CLIENT UNPAUSE", {"a": [OK, told(b"k")], "b": [OK]}),
    ],
    "redirected": [
        ("a HELLO 3", ...),
        ("b HELLO 3", ...),
        ("a CLIENT TRACKING on REDIRECT {b}", OK),
        ("a GET k", None),
        ("c SET k 1", {"b": [told(b"k")], "c": [OK]}),
        ("a GET k", b"1"),
        ("a SET k 2", {"a": [OK], "b": [told(b"k")]}),
        ("a GET k", b"2"),
        ("b QUIT", {"b": [OK, party.CLOSED]}),
        ("c SET k 3", {"a": [[PUSH, b"tracking-redir-broken", ...]], "c": [OK]}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(clients: party.Party, name: str) -> None:
    rows = TABLES[name]
    if name == "redirected":
        number = clients.number("b")
        rows = [*rows[:-1], ("c SET k 3", {"a": [[PUSH, b"tracking-redir-broken", number]], "c": [OK]})]
    party.table(clients, rows)


def test_redirected_to_a_subscriber(clients: party.Party) -> None:
    """RESP2 gets messages of a channel, whichever it is subscribed to."""
    heard = [b"message", CHANNEL, [b"k"]]
    party.table(clients, [
        ("b SUBSCRIBE other", [b"subscribe", b"other", 1]),
        ("a CLIENT TRACKING on REDIRECT {b}", OK),
        ("a GET k", None),
        ("c SET k 1", {"b": [heard], "c": [OK]}),
        ("c FLUSHALL", {"b": [[b"message", CHANNEL, None]], "c": [OK]}),
        ("b UNSUBSCRIBE other", [b"unsubscribe", b"other", 0]),
        ("a GET k", None),
        ("c SET k 1", OK),
    ])  # fmt: skip


def test_a_broken_redirection_is_shown(clients: party.Party) -> None:
    number = clients.number("b")
    party.table(clients, [
        ("a CLIENT TRACKING on REDIRECT {b}", OK),
        ("a CLIENT GETREDIR", number),
        ("a GET k", None),
        ("c CLIENT KILL ID {b}", {"b": [party.CLOSED], "c": [1]}),
        ("c SET k 1", OK),
        ("a CLIENT TRACKINGINFO", info([b"on", b"broken_redirect"], number)),
    ])  # fmt: skip


SCRIPTS: list[tuple[str, Any]] = [
    ("a HELLO 3", ...),
    ("a CLIENT TRACKING on", OK),
    ("""a EVAL "return redis.call('get','k')" 0""", None),
    ("b SET k 1", {"a": [told(b"k")], "b": [OK]}),
    ("""a EVAL_RO "return redis.call('get','k')" 1 z""", b"1"),
    ("b MSET z 1 k 2", {"a": [told(b"k")], "b": [OK]}),
    ("a GET k", b"2"),
    ("""a EVAL "return redis.call('set','k','3')" 0""", {"a": [OK, told(b"k")]}),
]


def test_scripts(clients: party.Party) -> None:
    party.table(clients, SCRIPTS)


def test_expiry_and_the_limit_of_the_table() -> None:
    """What comes by itself, in time that the test sets."""
    clients = party.Embedded()
    party.table(clients, [
        ("a HELLO 3", ...),
        ("a CLIENT TRACKING on", OK),
        ("b CLIENT TRACKING on BCAST", OK),
        ("b HELLO 3", ...),
        ("b SET k v PX 50", {"b": [OK, told(b"k")]}),
        ("a GET k", b"v"),
    ])  # fmt: skip
    clients.advance(200)
    assert clients.received() == {"a": [told(b"k")], "b": [told(b"k")]}
    party.table(clients, [
        ("b CONFIG SET tracking-table-max-keys 2", OK),
        ("a GET k1", None),
        ("a GET k2", None),
        ("a GET k3", {"a": [None, told(b"k1")]}),
        ("b INFO stats", ...),
    ])  # fmt: skip
    trackers = clients.store.trackers
    assert trackers is not None
    assert (len(trackers.table), trackers.items, len(trackers.prefixes), trackers.count()) == (2, 2, 1, 2)
    clients.close()
    assert (trackers.count(), len(trackers.prefixes)) == (0, 0)


def test_info_counts(clients: party.Party) -> None:
    party.table(clients, [
        ("b SET k 1", OK),
        ("a CLIENT TRACKING on", OK),
        ("c CLIENT TRACKING on", OK),
        ("d CLIENT TRACKING on BCAST PREFIX x PREFIX y", OK),
        ("a FLUSHALL", OK),
        ("a MGET k1 k2", [None, None]),
        ("c GET k1", None),
    ])  # fmt: skip
    (facts,) = party.run(clients, "b", "INFO stats")["b"]
    (more,) = party.run(clients, "b", "INFO clients")["b"]
    for line in (b"tracking_total_keys:2", b"tracking_total_items:3", b"tracking_total_prefixes:2"):
        assert line in facts.split(b"\r\n")
    assert b"tracking_clients:3" in more.split(b"\r\n")
