"""Channels, patterns and shard channels: who receives what and when, inside this process, served, and on Valkey.

Valkey sends a publisher its own messages behind the reply of the command, Redis 7.0 before it; ours are Valkey's.
"""

from __future__ import annotations

from typing import Any

import pytest

from redtool.backends.embedded import open_store
from redtool.commands.pubsub import Hub
from redtool.config import Config
from redtool.resp import OK as DONE
from redtool.resp import Push, Replies
from redtool.session import Session
from redtool.store import Store
from tests import party
from tests.served import Served

OK, QUEUED = b"OK", b"QUEUED"


def only(name: str) -> str:
    return (f"-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
            "this context")  # fmt: skip


def said(verb: str, *names_and_counts: Any) -> list[Any]:
    """Confirmations in RESP2: said("subscribe", "a", 1, "b", 2)."""
    pairs = zip(names_and_counts[::2], names_and_counts[1::2], strict=True)
    return [[verb.encode(), name if name is None else name.encode(), int(count)] for name, count in pairs]


def pushed(verb: str, *names_and_counts: Any) -> list[Any]:
    """The same in RESP3."""
    return [[party.PUSH, *line] for line in said(verb, *names_and_counts)]


def message(channel: str, text: str, *mark: str) -> list[Any]:
    return [*mark, b"message", channel.encode(), text.encode()]


def pmessage(pattern: str, channel: str, text: str, *mark: str) -> list[Any]:
    return [*mark, b"pmessage", pattern.encode(), channel.encode(), text.encode()]


def smessage(channel: str, text: str, *mark: str) -> list[Any]:
    return [*mark, b"smessage", channel.encode(), text.encode()]


TABLES: dict[str, list[tuple[str, Any]]] = {
    "confirmations": [
        ("a UNSUBSCRIBE", {"a": said("unsubscribe", None, 0)}),
        ("a SUNSUBSCRIBE", {"a": said("sunsubscribe", None, 0)}),
        ("a PUNSUBSCRIBE x y", {"a": said("punsubscribe", "x", 0, "y", 0)}),
        ("a SUBSCRIBE a b a", {"a": said("subscribe", "a", 1, "b", 2, "a", 2)}),
        ("a PSUBSCRIBE p* p*", {"a": said("psubscribe", "p*", 3, "p*", 3)}),
        ("a SSUBSCRIBE s1 s1", {"a": said("ssubscribe", "s1", 1, "s1", 1)}),
        ("a SUNSUBSCRIBE q", {"a": said("sunsubscribe", "q", 1)}),
        ("a UNSUBSCRIBE zz a a", {"a": said("unsubscribe", "zz", 3, "a", 2, "a", 2)}),
        ("a UNSUBSCRIBE", {"a": said("unsubscribe", "b", 1)}),
        ("a UNSUBSCRIBE", {"a": said("unsubscribe", None, 1)}),
        ("a PUNSUBSCRIBE", {"a": said("punsubscribe", "p*", 0)}),
        ("a SUNSUBSCRIBE", {"a": said("sunsubscribe", "s1", 0)}),
        ("a GET k", None),
    ],
    "confirmations in RESP3": [
        ("a HELLO 3", ...),
        ("a SUBSCRIBE a b", {"a": pushed("subscribe", "a", 1, "b", 2)}),
        ("a PSUBSCRIBE a*", {"a": pushed("psubscribe", "a*", 3)}),
        ("a SSUBSCRIBE a", {"a": pushed("ssubscribe", "a", 1)}),
        ("a GET k", None),
        ("a PING", b"PONG"),
        ("a UNSUBSCRIBE a", {"a": pushed("unsubscribe", "a", 2)}),
        ("a UNSUBSCRIBE", {"a": pushed("unsubscribe", "b", 1)}),
        ("a UNSUBSCRIBE", {"a": pushed("unsubscribe", None, 1)}),
    ],
    "what a listening client may say": [
        ("a SUBSCRIBE c", {"a": said("subscribe", "c", 1)}),
        ("a GET k", only("get")),
        ("a set k v", only("set")),
        ("a CONFIG GET x", only("config|get")),
        ("a HELLO 3", only("hello")),
        ("a CLIENT REPLY ON", only("client|reply")),
        ("a MULTI", only("multi")),
        ("a PUBLISH c x", only("publish")),
        ("a PUBSUB NUMPAT", only("pubsub|numpat")),
        ("a EXEC", "-EXECABORT Transaction discarded because of: " + only("exec").removeprefix("-ERR ")),
        ("a DISCARD", only("discard")),
        ("a UNWATCH", only("unwatch")),
        ("a NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: "),
        ("a GET", "-ERR wrong number of arguments for 'get' command"),
        ("a PING", {"a": [[b"pong", b""]]}),
        ("a PING hi", {"a": [[b"pong", b"hi"]]}),
        ("a PING a b", "-ERR wrong number of arguments for 'ping' command"),
        ("a RESET", b"RESET"),
        ("a GET k", None),
        ("b PUBLISH c x", 0),
        ("a SSUBSCRIBE c", {"a": said("ssubscribe", "c", 1)}),
        ("a GET k", only("get")),
        ("a PING", {"a": [[b"pong", b""]]}),
        ("a QUIT", {"a": [OK, party.CLOSED]}),
        ("b SPUBLISH c x", 0),
    ],
    "from RESP3 back to RESP2": [
        ("a HELLO 3", ...),
        ("a SUBSCRIBE c", {"a": pushed("subscribe", "c", 1)}),
        ("a HELLO 2", ...),
        ("a GET k", only("get")),
        ("b PUBLISH c x", {"a": [message("c", "x")], "b": [1]}),
    ],
    "messages": [
        ("a SUBSCRIBE news sport", {"a": said("subscribe", "news", 1, "sport", 2)}),
        ("b PSUBSCRIBE news sport", {"b": said("psubscribe", "news", 1, "sport", 2)}),
        ("f PSUBSCRIBE n* n*", {"f": said("psubscribe", "n*", 1, "n*", 1)}),
        ("c HELLO 3", ...),
        ("c SUBSCRIBE news", {"c": pushed("subscribe", "news", 1)}),
        ("c PSUBSCRIBE n*", {"c": pushed("psubscribe", "n*", 2)}),
        ("d SSUBSCRIBE news", {"d": said("ssubscribe", "news", 1)}),
        ("e PUBLISH news rain", {
            "a": [message("news", "rain")],
            "b": [pmessage("news", "news", "rain")],
            "f": [pmessage("n*", "news", "rain")],
            "c": [message("news", "rain", party.PUSH), pmessage("n*", "news", "rain", party.PUSH)],
            "e": [5]}),
        ("e SPUBLISH news snow", {"d": [smessage("news", "snow")], "e": [1]}),
        ('e PUBLISH nothing ""', {
            "c": [pmessage("n*", "nothing", "", party.PUSH)],
            "e": [2],
            "f": [pmessage("n*", "nothing", "")]}),
        ("c PUNSUBSCRIBE", {"c": pushed("punsubscribe", "n*", 1)}),
        ("e PUBLISH nil x", {"e": [1], "f": [pmessage("n*", "nil", "x")]}),
        ("b RESET", b"RESET"),
        ("f PUNSUBSCRIBE", {"f": said("punsubscribe", "n*", 0)}),
        ("a QUIT", {"a": [OK, party.CLOSED]}),
        ("e PUBLISH news x", {"c": [message("news", "x", party.PUSH)], "e": [1]}),
        ("e SELECT 5", OK),
        ("e PUBLISH news y", {"c": [message("news", "y", party.PUSH)], "e": [1]}),
    ],
    "own messages follow the reply": [
        ("a HELLO 3", ...),
        ("a SUBSCRIBE c", {"a": pushed("subscribe", "c", 1)}),
        ("a PSUBSCRIBE c*", {"a": pushed("psubscribe", "c*", 2)}),
        ("a PUBLISH c x", {"a": [2, message("c", "x", party.PUSH), pmessage("c*", "c", "x", party.PUSH)]}),
        ("a SSUBSCRIBE s", {"a": pushed("ssubscribe", "s", 1)}),
        ("a SPUBLISH s y", {"a": [1, smessage("s", "y", party.PUSH)]}),
        ("a PUNSUBSCRIBE", {"a": pushed("punsubscribe", "c*", 1)}),
        ('a EVAL "return {redis.call(\'publish\', KEYS[1], 1), redis.call(\'spublish\', \'s\', 2)}" 1 c',
         {"a": [[1, 1], message("c", "1", party.PUSH), smessage("s", "2", party.PUSH)]}),
        ("a BLPOP l 0", {}),
        ("b PUBLISH c while", {"a": [message("c", "while", party.PUSH)], "b": [1]}),
        ("b LPUSH l 1", {"a": [[b"l", b"1"]], "b": [1]}),
    ],
    "in MULTI": [
        ("a HELLO 3", ...),
        ("a SUBSCRIBE a", {"a": pushed("subscribe", "a", 1)}),
        ("a MULTI", OK),
        ("a PUBLISH a 1", QUEUED),
        ("a SET k v", QUEUED),
        ("a PUBLISH a 2", QUEUED),
        ("a EXEC", {"a": [[1, OK, 1], message("a", "1", party.PUSH), message("a", "2", party.PUSH)]}),
        ("a MULTI", OK),
        ("a SSUBSCRIBE s1", QUEUED),
        ("a SUNSUBSCRIBE", QUEUED),
        ("a EXEC", {"a": [["-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client",
                           *pushed("sunsubscribe", None, 0)]]}),
        ("b MULTI", OK),
        ("b SUBSCRIBE a", QUEUED),
        ("b PUBLISH a 3", QUEUED),
        ("b GET k", QUEUED),
        ("b PING", QUEUED),
        ("b EXEC", {"a": [message("a", "3", party.PUSH)],
                    "b": [[*said("subscribe", "a", 1), 2, b"v", [b"pong", b""]], message("a", "3")]}),
        ("b GET k", only("get")),
        ("b RESET", b"RESET"),
        ("b WATCH k", OK),
        ("b MULTI", OK),
        ("b SUBSCRIBE a", QUEUED),
        ("a SET k 1", OK),
        ("b EXEC", None),
        ("b PUBSUB NUMSUB a", [b"a", 1]),
    ],
    "muted": [
        ("a CLIENT REPLY OFF", {}),
        ("a SUBSCRIBE c", {"a": said("subscribe", "c", 1)}),
        ("a PING", {}),
        ("b PUBLISH c x", {"a": [message("c", "x")], "b": [1]}),
        ("a GET k", {}),
        ("a UNSUBSCRIBE", {"a": said("unsubscribe", "c", 0)}),
        ("a CLIENT REPLY ON", OK),
        ("a HELLO 3", ...),
        ("a CLIENT REPLY SKIP", {}),
        ("a SUBSCRIBE c d", {"a": pushed("subscribe", "c", 1, "d", 2)}),
        ("a CLIENT REPLY OFF", {}),
        ("a PUBLISH c y", {"a": [message("c", "y", party.PUSH)]}),
        ("a CLIENT REPLY ON", OK),
    ],
    "in scripts": [
        ('a EVAL "return redis.call(\'subscribe\', \'c\')" 0', ...),
        ("a PUBSUB NUMSUB c", [b"c", 0]),
        ("b SUBSCRIBE c", {"b": said("subscribe", "c", 1)}),
        ('a EVAL "redis.call(\'publish\', \'c\', 1) return redis.call(\'publish\', \'c\', 2)" 0',
         {"a": [1], "b": [message("c", "1"), message("c", "2")]}),
        ('a EVAL_RO "return redis.call(\'publish\', \'c\', 3)" 0', ...),  # an error, of several wordings
        ('a EVAL_RO "return redis.call(\'pubsub\', \'numpat\')" 0', 0),
    ],
    "PUBSUB": [
        ("a PUBSUB CHANNELS", []),
        ("a PUBSUB NUMPAT", 0),
        ("a PUBSUB NUMSUB", []),
        ("a PUBSUB SHARDNUMSUB", []),
        ("b SUBSCRIBE c1 d", {"b": said("subscribe", "c1", 1, "d", 2)}),
        ("c SUBSCRIBE c1", {"c": said("subscribe", "c1", 1)}),
        ("b PSUBSCRIBE x* y*", {"b": said("psubscribe", "x*", 3, "y*", 4)}),
        ("c PSUBSCRIBE x*", {"c": said("psubscribe", "x*", 2)}),
        ("c SSUBSCRIBE s1", {"c": said("ssubscribe", "s1", 1)}),
        ("a PUBSUB CHANNELS c?", [b"c1"]),
        ("a PUBSUB CHANNELS x*", []),
        ("a PUBSUB NUMPAT", 2),
        ("a PUBSUB NUMSUB c1 none d c1 x*", [b"c1", 2, b"none", 0, b"d", 1, b"c1", 2, b"x*", 0]),
        ("a PUBSUB SHARDCHANNELS", [b"s1"]),
        ("a PUBSUB SHARDCHANNELS t*", []),
        ("a PUBSUB SHARDNUMSUB s1 c1 s1", [b"s1", 1, b"c1", 0, b"s1", 1]),
        ("a HELLO 3", ...),
        ("a PUBSUB NUMSUB c1 d", [b"c1", 2, b"d", 1]),
        ("b UNSUBSCRIBE d", {"b": said("unsubscribe", "d", 3)}),
        ("b UNSUBSCRIBE", {"b": said("unsubscribe", "c1", 2)}),
        ("a PUBSUB CHANNELS", [b"c1"]),
        ("a PUBSUB CHANNELS a b",
         "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."),
        ("a PUBSUB SHARDCHANNELS a b",
         "-ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB HELP."),
        ("a PUBSUB NUMPAT x", "-ERR wrong number of arguments for 'pubsub|numpat' command"),
        ("a PUBSUB HELP x", "-ERR wrong number of arguments for 'pubsub|help' command"),
        ("a PUBSUB nosuch", "-ERR unknown subcommand 'nosuch'. Try PUBSUB HELP."),
        ("a PUBSUB", "-ERR wrong number of arguments for 'pubsub' command"),
        ("a PUBLISH a", "-ERR wrong number of arguments for 'publish' command"),
        ("a SUBSCRIBE", "-ERR wrong number of arguments for 'subscribe' command"),
    ],
    "clients that listen": [
        ("b SUBSCRIBE c", {"b": said("subscribe", "c", 1)}),
        ("a CLIENT KILL TYPE pubsub", {"a": [1], "b": [party.CLOSED]}),
        ("a PUBLISH c x", 0),
        ("a PUBSUB CHANNELS", []),
        ("c PSUBSCRIBE *", {"c": said("psubscribe", "*", 1)}),
        ("d SSUBSCRIBE *", {"d": said("ssubscribe", "*", 1)}),
        ("a CLIENT KILL TYPE pubsub ID {c} {d}", {"a": [2], "c": [party.CLOSED], "d": [party.CLOSED]}),
        ("a PUBSUB NUMPAT", 0),
        ("a PUBSUB SHARDCHANNELS", []),
    ],
    "all are left in the order of subscribing": [
        ("a SUBSCRIBE h g f e d c b a", {"a": said("subscribe", *"h1g2f3e4d5c6b7a8")}),
        ("a UNSUBSCRIBE", {"a": said("unsubscribe", *"h7g6f5e4d3c2b1a0")}),
    ],
    "names and texts of any bytes": [
        ('a SUBSCRIBE "" "\\x00\\xff"', {"a": [[b"subscribe", b"", 1], [b"subscribe", b"\0\xff", 2]]}),
        ('a PSUBSCRIBE "" "\\x00*"', {"a": [[b"psubscribe", b"", 3], [b"psubscribe", b"\0*", 4]]}),
        ('b PUBLISH "\\x00\\xff" "\\r\\n"',
         {"a": [[b"message", b"\0\xff", b"\r\n"], [b"pmessage", b"\0*", b"\0\xff", b"\r\n"]], "b": [2]}),
        ('b PUBLISH "" ""', {"a": [message("", ""), pmessage("", "", "")], "b": [2]}),
        ('b PUBSUB NUMSUB "\\x00\\xff"', [b"\0\xff", 1]),
        ('b PUBSUB CHANNELS ""', [b""]),
    ],
    "patterns": [
        ("a PSUBSCRIBE h?llo", {"a": said("psubscribe", "h?llo", 1)}),
        ("c PSUBSCRIBE h[ae]llo", {"c": said("psubscribe", "h[ae]llo", 1)}),
        ('d PSUBSCRIBE "h\\\\*llo" [^h]', {"d": said("psubscribe", "h\\*llo", 1, "[^h]", 2)}),
        ("b PUBLISH hello 1",
         {"a": [pmessage("h?llo", "hello", "1")], "b": [2], "c": [pmessage("h[ae]llo", "hello", "1")]}),
        ("b PUBLISH h*llo 2",
         {"a": [pmessage("h?llo", "h*llo", "2")], "b": [2], "d": [pmessage("h\\*llo", "h*llo", "2")]}),
        ("b PUBLISH i 3", {"b": [1], "d": [pmessage("[^h]", "i", "3")]}),
        ("b PUBLISH h 4", 0),
        ("b PUBLISH HELLO 5", 0),
    ],
    "HELLO 2 inside EXEC": [
        ("a HELLO 3", ...),
        ("a SUBSCRIBE c", {"a": pushed("subscribe", "c", 1)}),
        ("a MULTI", OK),
        ("a HELLO 2", QUEUED),
        ("a GET k", QUEUED),
        ("a EXEC", ...),
        ("a GET k", only("get")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_tables(clients: party.Party, name: str) -> None:
    party.table(clients, TABLES[name])


def test_client_list_counts_subscriptions(clients: party.Party) -> None:
    party.run(clients, "a", "HELLO 3")
    party.run(clients, "a", "SUBSCRIBE x y")
    party.run(clients, "a", "PSUBSCRIBE z*")
    party.run(clients, "a", "SSUBSCRIBE x y z")
    party.run(clients, "b", "SUBSCRIBE x")
    party.run(clients, "c", "PING")
    (text,) = party.run(clients, "c", "CLIENT LIST TYPE pubsub")["c"]
    found = [dict(word.split(b"=", 1) for word in line.split()) for line in text.splitlines()]
    counts = [[line[name] for name in (b"sub", b"psub", b"ssub")] for line in found]
    assert counts == [[b"2", b"1", b"3"], [b"1", b"0", b"0"]]
    assert all(line[b"flags"].rstrip(b"U") == b"P" for line in found)  # U: through a unix socket


def test_users_hear_and_speak_on_their_channels_alone(clients: party.Party) -> None:
    party.run(clients, "a", "ACL SETUSER ear on nopass +@all ~* resetchannels &news.* &raw")
    denied = "-NOPERM No permissions to access a channel"
    try:
        party.table(clients, [
            ("b AUTH ear x", OK),
            ("b SUBSCRIBE sport", denied),
            ("b SUBSCRIBE news.a sport", denied),
            ("b PSUBSCRIBE *", denied),
            ("b PSUBSCRIBE news.a*", denied),
            ("b SSUBSCRIBE sport", denied),
            ("b PUBLISH sport x", denied),
            ("b SPUBLISH sport x", denied),
            ("b PUBLISH news.a x", 0),
            ("b PUBSUB NUMSUB sport", [b"sport", 0]),
            ("b PSUBSCRIBE news.* raw", {"b": said("psubscribe", "news.*", 1, "raw", 2)}),
            ("b SUBSCRIBE news.a raw", {"b": said("subscribe", "news.a", 3, "raw", 4)}),
            ("b UNSUBSCRIBE sport", {"b": said("unsubscribe", "sport", 4)}),
            ("a PUBLISH raw x", {"a": [2], "b": [message("raw", "x"), pmessage("raw", "raw", "x")]}),
            ("a ACL SETUSER ear &more", OK),
            ("a PUBLISH news.b x", {"a": [1], "b": [pmessage("news.*", "news.b", "x")]}),
            ("a ACL SETUSER ear resetchannels &news.*", {"a": [OK], "b": [party.CLOSED]}),
            ("a PUBLISH raw x", 0),
        ])  # fmt: skip
    finally:
        party.run(clients, "a", "ACL DELUSER ear")


def test_a_lost_connection_hears_no_more(served: Served) -> None:
    client = served.client()
    for line in (b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE"):
        client.call(line, b"c")
    assert served.call("PUBSUB", "NUMSUB", "c") == [b"c", 1]
    client.close()
    while served.store.hub is not None and (served.store.hub.channels or served.store.hub.shards):
        served.call("PING")
    assert served.call("PUBLISH", "c", "x") == 0
    assert served.call("PUBSUB", "NUMPAT") == 0


def test_many_subscriptions_leave_with_their_client() -> None:
    store = Store(Config())
    listener, other = Session(store), Session(store)
    listener.proto = 3
    many = [b"c%d" % n for n in range(100_000)]
    store.execute(listener, (b"SUBSCRIBE", *many))
    store.execute(listener, (b"PSUBSCRIBE", *[b"x%d*" % n for n in range(100)]))
    assert store.execute(other, (b"PUBLISH", many[-1], b"hi")) == 1
    assert list(listener.inbox) == [Push([b"message", many[-1], b"hi"])]
    assert len(store.execute(other, (b"PUBSUB", b"CHANNELS"))) == len(many)  # type: ignore[arg-type]
    left = store.execute(listener, (b"UNSUBSCRIBE",))
    assert left[-1] == [b"unsubscribe", many[-1], 100]  # type: ignore[index]
    store.execute(listener, (b"SUBSCRIBE", *many))
    listener.close()
    hub = store.hub
    assert isinstance(hub, Hub) and not (hub.channels or hub.patterns or hub.shards or hub.matchers)


def test_a_confirmation_inside_exec_is_a_reply_like_any_other() -> None:
    """On the wire it looks the same; who reads values must not find a list around it."""
    session = Session(Store(Config()))
    for line in (b"MULTI", b"SUBSCRIBE c", b"UNSUBSCRIBE", b"PING"):
        session.store.execute(session, tuple(line.split()))
    confirmed = [Push([b"subscribe", b"c", 1]), Push([b"unsubscribe", b"c", 0])]
    assert session.store.execute(session, (b"EXEC",)) == [*confirmed, b"PONG"]


# -- a store opened by this process


def test_messages_of_a_store() -> None:
    with open_store(":memory:") as store:
        other = Session(store.store)
        confirmed = store.execute("SUBSCRIBE", "a", "b")
        assert isinstance(confirmed, Replies)
        assert confirmed == said("subscribe", "a", 1, "b", 2)
        messages = store.messages()
        for text in (b"1", b"2"):
            store.store.execute(other, (b"PUBLISH", b"a", text))
            assert next(messages) == message("a", text.decode())
        assert store.execute("UNSUBSCRIBE") == said("unsubscribe", "a", 1, "b", 0)
        assert list(messages) == []


def test_keys_that_end_while_nothing_else_happens() -> None:
    with open_store(":memory:") as store:
        now = store.store.time_ns()
        store.store.time_ns = lambda: now
        store.execute("CONFIG", "SET", "notify-keyspace-events", "Ex")
        store.execute("SET", "k", "v", "PX", "1000")
        store.execute("PSUBSCRIBE", "__keyevent@*")
        now += 1_000_000_000
        assert next(store.messages()) == pmessage("__keyevent@*", "__keyevent@0__:expired", "k")


def test_messages_end_with_the_subscription_and_with_the_store() -> None:
    with open_store(":memory:") as store:
        store.execute("SUBSCRIBE", "a")
        store.stop_listening()
        assert list(store.messages()) == []
        assert store.execute("SET", "k", "v") == DONE  # in RESP2, where a client that listens may not
        assert not store.session.guarded
        store.execute("SUBSCRIBE", "a")
        killer = Session(store.store)
        store.store.execute(killer, (b"CLIENT", b"KILL", b"TYPE", b"pubsub"))
        assert list(store.messages()) == []
        store.execute("SUBSCRIBE", "a")
        store.close()
        assert list(store.messages()) == []
