"""A real cluster as a target: where commands go, what stays in order, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from redtool.backends import open_backend
from redtool.backends.cluster import Cluster
from redtool.backends.remote import Remote
from redtool.commands.cluster import slot_of
from redtool.errors import ConnectError, ReplyError, UsageError
from redtool.resp import OK, QUEUED, Push
from tests.clusters import LocalCluster, cluster
from tests.servers import RealServer


def run(c: Cluster, line: str) -> Any:
    """Run a line; an error is its text."""
    try:
        return c.execute(*line.split())
    except ReplyError as error:
        return error.message


# Lines run one after the other, and what they give; a, b and c are on three nodes
LINES: list[tuple[str, Any]] = [
    ("SET a 1", OK), ("GET a", b"1"), ("INCR a", 2), ("LPUSH {a}l x y", 2), ("LRANGE {a}l 0 -1", [b"y", b"x"]),
    ("MSET a 1 b 2 c 3", OK), ("MGET c b nope a c", [b"3", b"2", None, b"1", b"3"]),
    ("EXISTS a b c nope", 3), ("DBSIZE", 4), ("TOUCH a b", 2), ("DEL a b {a}l nope", 3), ("KEYS *", [b"c"]),
    ("RANDOMKEY", b"c"), ("UNLINK c", 1), ("RANDOMKEY", None),
    ("MSET a 1 b", "CROSSSLOT Keys in request don't hash to the same slot"),
    ("MSETNX a 1 b 2", "CROSSSLOT Keys in request don't hash to the same slot"),
    ("SINTER a b", "CROSSSLOT Keys in request don't hash to the same slot"),
    ("SET a", "ERR wrong number of arguments for 'set' command"),
    ("GET", "ERR wrong number of arguments for 'get' command"),
    ("NOSUCH a", "ERR unknown command 'NOSUCH', with args beginning with: 'a' "),
    ("SELECT 0", OK), ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
    ("SELECT", "ERR wrong number of arguments for 'select' command"),
    ("PING", b"PONG"), ("PING x", b"x"), ("ECHO x", b"x"), ("FLUSHALL", OK), ("WAIT 1 10000", 1),
    ("EVAL return(redis.call('incr',KEYS[1])) 1 b", 1), ("EVAL return(7) 0", 7),
    ("SCRIPT LOAD return(KEYS[1])", b"c25612b82607a58c0a27b966f5ea53f2556fcb4e"),
    ("EVALSHA c25612b82607a58c0a27b966f5ea53f2556fcb4e 1 a", b"a"),
    ("EVALSHA c25612b82607a58c0a27b966f5ea53f2556fcb4e 1 c", b"c"),
    ("SCRIPT EXISTS c25612b82607a58c0a27b966f5ea53f2556fcb4e 00", [1, 0]),
    ("CONFIG SET slowlog-max-len 77", OK), ("CONFIG GET slowlog-max-len", {b"slowlog-max-len": b"77"}),
    ("SLOWLOG RESET", OK), ("SLOWLOG LEN", 0), ("SLOWLOG GET", []), ("MEMORY PURGE", OK),
    ("CLUSTER KEYSLOT a", 15495), ("CLUSTER COUNTKEYSINSLOT 3300", 1), ("CLUSTER GETKEYSINSLOT 3300 9", [b"b"]),
    ("CLUSTER COUNTKEYSINSLOT 99999", "ERR Invalid slot"),
    ("OBJECT FREQ", "ERR wrong number of arguments for 'object|freq' command"),
    ("UNWATCH", OK), ("EXEC", "ERR EXEC without MULTI"), ("DISCARD", "ERR DISCARD without MULTI"),
    ("PUBSUB NUMSUB x", [b"x", 0]), ("PUBSUB CHANNELS", []), ("PUBLISH x y", 0), ("SPUBLISH x y", 0),
    ("SCAN x", "ERR invalid cursor"), ("SCAN", "ERR wrong number of arguments for 'scan' command"),
    ("SCAN 0 MATCH", "ERR syntax error"), ("SCRIPT KILL", "NOTBUSY No scripts in execution right now."),
]  # fmt: skip


@pytest.fixture(params=["valkey_cluster", "redis7_cluster"])
def each(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    found: LocalCluster = request.getfixturevalue(request.param)
    found.flush()
    with open_backend(found.url) as backend:  # type: ignore[attr-defined]
        yield backend


def test_commands_and_their_replies(each: Cluster) -> None:
    assert len({each.nodes.owner(slot_of(key)) for key in (b"a", b"b", b"c")}) == 3
    replies = [(line, run(each, line)) for line, _ in LINES]
    assert [pair for pair, wanted in zip(replies, LINES, strict=True) if pair != wanted] == []


def test_what_nodes_say_of_themselves(c: Cluster, local: LocalCluster) -> None:
    names = {node.address.encode() for node in local.masters}
    for line in ("MEMORY DOCTOR", "MEMORY STATS", "FUNCTION STATS"):
        assert set(run(c, line)) == names
    assert set(run(c, "LATENCY LATEST")) == {node.address.encode() for node in local.nodes}
    c.pipeline([[b"SET", b"k%d" % at, b"v", b"EX", b"100"] for at in range(100)])
    text: Any = c.execute("INFO", "keyspace")
    assert b"db0:keys=100,expires=100,avg_ttl=" in bytes(text)
    assert b"cluster_enabled:1" in bytes(run(c, "INFO"))


def test_an_error_of_one_node_is_told(c: Cluster, local: LocalCluster) -> None:
    local.masters[1].call("ACL", "SETUSER", "default", "-flushall")
    try:
        assert "flushall" in run(c, "FLUSHALL")
    finally:
        local.masters[1].call("ACL", "SETUSER", "default", "+@all")


def test_a_pipeline_keeps_replies_in_order(c: Cluster) -> None:
    batch: list[list[bytes]] = []
    expected: list[Any] = []
    for at in range(3000):
        key = b"key:%d" % (at % 100)
        batch.append([b"RPUSH", key, b"%d" % at])
        expected.append(at // 100 + 1)
    batch += [[b"LLEN", b"key:5"], [b"INCR", b"key:5"], [b"DBSIZE"], [b"MGET", b"key:1", b"key:2"], [b"PING", b"x"]]
    replies = c.pipeline(batch)
    assert replies[:3001] == [*expected, 30]
    assert isinstance(replies[3001], ReplyError) and replies[3001].code == "WRONGTYPE"
    assert replies[3002:] == [100, [None, None], b"x"]
    assert c.execute("LRANGE", "key:7", 0, -1) == [b"%d" % at for at in range(7, 3000, 100)]


def test_a_pipeline_that_stops_at_an_error(c: Cluster) -> None:
    replies: list[Any] = c.pipeline([[b"SET", b"a", b"x"], [b"INCR", b"a"], [b"SET", b"b", b"y"]], stop=True)
    assert replies[0] == OK and isinstance(replies[1], ReplyError) and len(replies) == 2
    assert c.execute("GET", "b") is None


def test_a_pipeline_ends_before_what_may_wait(c: Cluster) -> None:
    batch = [[b"RPUSH", b"l", b"x"], [b"BLPOP", b"l", b"0"], [b"GET", b"a"]]
    assert c.pipeline(batch) == [1]
    assert c.pipeline(batch[1:]) == [[b"l", b"x"], None]


def test_large_values_both_ways(c: Cluster) -> None:
    """More than the sockets hold in either direction, on all nodes at once."""
    value = b"x" * 400_000
    batch = [words for at in range(24) for words in ([b"SET", b"big:%d" % at, value], [b"GET", b"big:%d" % at])]
    assert c.pipeline(batch) == [OK, value] * 24


def test_scan_goes_through_all_nodes(c: Cluster) -> None:
    c.pipeline([[b"SET", b"s:%d" % at, b"v"] for at in range(1000)])
    c.pipeline([[b"RPUSH", b"l:%d" % at, b"v"] for at in range(50)])
    assert sorted(sweep(c)) == sorted([b"s:%d" % at for at in range(1000)] + [b"l:%d" % at for at in range(50)])
    assert sorted(sweep(c, "MATCH", "l:*", "COUNT", "7")) == sorted(b"l:%d" % at for at in range(50))
    assert sorted(sweep(c, "TYPE", "list")) == sorted(b"l:%d" % at for at in range(50))


def test_scan_goes_on_in_another_process(c: Cluster, local: LocalCluster) -> None:
    c.pipeline([[b"SET", b"s:%d" % at, b"v"] for at in range(1000)])
    found: list[bytes] = []
    cursor: Any = b"0"
    for _ in range(10_000):
        with open_backend(local.url) as other:  # type: ignore[attr-defined]
            cursor, keys = other.execute("SCAN", cursor, "COUNT", "100")
        found += keys
        if cursor == b"0":
            break
    assert sorted(set(found)) == sorted(b"s:%d" % at for at in range(1000))


def sweep(c: Cluster, *options: str) -> list[bytes]:
    found: list[bytes] = []
    cursor: Any = b"0"
    while True:
        cursor, keys = c.execute("SCAN", cursor, *options)  # type: ignore[misc]
        found += keys
        if cursor == b"0":
            return found


CROSS = "CROSSSLOT Keys in request don't hash to the same slot: a transaction in a cluster is on keys of one slot"
NESTED = "ERR Command '%s' not allowed inside a transaction"
ABORT = "EXECABORT Transaction discarded because of previous errors."
TRANSACTIONS: list[tuple[str, list[Any]]] = [
    ("MULTI|SET {x}a 1|GET {x}b|EXEC", [OK, QUEUED, QUEUED, [OK, None]]),
    ("MULTI|PING|SET {x}a 1|EXEC", [OK, QUEUED, QUEUED, [b"PONG", OK]]),
    ("MULTI|PING|EXEC|PING x", [OK, QUEUED, [b"PONG"], b"x"]),
    ("MULTI|EXEC", [OK, []]),
    ("MULTI|DISCARD|EXEC", [OK, OK, "ERR EXEC without MULTI"]),
    ("MULTI|SET a 1|DISCARD|GET a", [OK, QUEUED, OK, None]),
    ("MULTI|SET a 1|SET b 2|EXEC|GET a", [OK, QUEUED, CROSS, ABORT, None]),
    ("MULTI|MSET a 1 b 2|EXEC", [OK, CROSS, ABORT]),
    ("MULTI|SET a|EXEC", [OK, "ERR wrong number of arguments for 'set' command", ABORT]),
    ("MULTI|MULTI|SET a 1|EXEC", [OK, NESTED % "multi", QUEUED, ABORT]),
    ("MULTI|SET a 1|MULTI|EXEC", [OK, QUEUED, NESTED % "multi", ABORT]),
    ("MULTI|SET a 1|WATCH a|EXEC", [OK, QUEUED, NESTED % "watch", ABORT]),
    ("MULTI|WATCH a|EXEC", [OK, NESTED % "watch", ABORT]),
    ("MULTI|SELECT 0|SET a 1|EXEC", [OK, QUEUED, QUEUED, [OK, OK]]),
    ("WATCH a|MULTI|SET a 1|EXEC|WATCH b|MULTI|SET b 1|EXEC", [OK, OK, QUEUED, [OK]] * 2),
    ("WATCH a|SET a 9|MULTI|SET a 1|EXEC|GET a", [OK, OK, OK, QUEUED, None, b"9"]),
    ("WATCH a|GET b|SET b 1|UNWATCH|SET a 9|MULTI|SET a 1|EXEC", [OK, None, OK, OK, OK, OK, QUEUED, [OK]]),
    ("WATCH a b", [CROSS]),
    ("WATCH a|WATCH b|MULTI|SET a 1|EXEC", [OK, CROSS, OK, QUEUED, [OK]]),
    ("MULTI|SET a 1|RESET|SET b 1", [OK, QUEUED, b"RESET", OK]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "replies"), TRANSACTIONS, ids=[lines for lines, _ in TRANSACTIONS])
def test_transactions(c: Cluster, lines: str, replies: list[Any]) -> None:
    """One by one and in a pipeline."""
    found = []
    within = False
    for line in lines.split("|"):
        found.append(run(c, line))
        within = line == "MULTI" or (within and line not in ("EXEC", "DISCARD", "RESET"))
        assert c.in_multi is within
    assert found == replies
    assert not c.in_multi
    c.execute("FLUSHALL")
    many = [each.message if isinstance(each, ReplyError) else each
            for each in c.pipeline([line.encode().split() for line in lines.split("|")])]  # fmt: skip
    assert many == replies


def test_messages_come_from_any_node(c: Cluster, local: LocalCluster) -> None:
    assert c.execute("SUBSCRIBE", "news", "more") == [[b"subscribe", b"news", 1], [b"subscribe", b"more", 2]]
    for node in local.masters:
        node.call("PUBLISH", "news", node.address)
    stream = c.messages()
    got = [next(stream) for _ in range(3)]
    assert {bytes(push[2]) for push in got} == {node.address.encode() for node in local.masters}  # type: ignore[arg-type]
    assert run(c, "GET a") is None  # other commands go on over their own connections


def test_shard_channels_are_on_their_nodes(c: Cluster, local: LocalCluster) -> None:
    channels = ("a", "b", "c")
    confirmed: Any = c.execute("SSUBSCRIBE", *channels)
    assert sorted(push[1] for push in confirmed) == [b"a", b"b", b"c"]
    for channel in channels:
        assert local.owner(slot_of(channel.encode())).call("SPUBLISH", channel, "hello") == 1
    stream = c.messages()
    assert sorted((next(stream) for _ in range(3)), key=lambda push: bytes(push[1])) == [  # type: ignore[arg-type]
        Push([b"smessage", channel.encode(), b"hello"]) for channel in channels
    ]


def test_monitor_shows_all_masters(c: Cluster, local: LocalCluster) -> None:
    masters = local.masters
    c.execute("MONITOR")
    for node in masters:
        node.call("ECHO", f"seen:{node.number}")
    stream, lines = c.messages(), b""
    while not all(b"seen:%d" % node.number in lines for node in masters):
        lines += bytes(next(stream)[1])  # type: ignore[arg-type]


def test_a_password(local: LocalCluster) -> None:
    try:
        for node in local.nodes:
            node.call("CONFIG", "SET", "masterauth", "secret", "requirepass", "secret")
        seeds = local.url.removeprefix("redis+cluster://")
        with open_backend(f"redis+cluster://:secret@{seeds}") as c:  # type: ignore[attr-defined]
            assert c.execute("MSET", "a", 1, "b", 2, "c", 3) == OK
        with pytest.raises(ConnectError, match=r"^127\.0\.0\.1:\d+: NOAUTH "):
            open_backend(local.url)
        with pytest.raises(ConnectError, match=r"^127\.0\.0\.1:\d+: WRONGPASS "):
            open_backend(f"redis+cluster://:wrong@{seeds}")
    finally:
        for node in local.nodes:
            node.call("CONFIG", "SET", "requirepass", "", "masterauth", "")


def test_another_user_on_all_nodes(c: Cluster, local: LocalCluster) -> None:
    for node in local.nodes:
        node.call("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+cluster")
    try:
        assert run(c, "AUTH reader wrong").startswith("WRONGPASS")
        assert run(c, "SET a 1") == OK
        assert run(c, "AUTH reader pw") == OK
        assert [run(c, f"SET {key} 1")[:6] for key in "abc"] == ["NOPERM"] * 3
        assert run(c, "MGET a b c") == [b"1", None, None]
    finally:
        for node in local.nodes:
            node.call("ACL", "DELUSER", "reader")


@pytest.mark.parametrize("proto", [2, 3])
def test_the_protocol(local: LocalCluster, proto: int) -> None:
    with open_backend(f"{local.url}/?protocol={proto}") as c:  # type: ignore[attr-defined]
        assert c.proto == proto
        c.execute("HSET", "h", "f", "v")
        assert c.execute("HGETALL", "h") == ({b"f": b"v"} if proto == 3 else [b"f", b"v"])
        c.execute("HELLO", 5 - proto)
        assert c.execute("HGETALL", "h") == ({b"f": b"v"} if proto == 2 else [b"f", b"v"])
        assert len(c.execute("MEMORY", "STATS")) == 3


def test_ways_in(local: LocalCluster, valkey: RealServer) -> None:
    first, last = local.masters[0], local.masters[-1]
    for settings in (f"redis+cluster://{last.address}", f"redis+cluster://127.0.0.1:1,{first.address}"):
        with open_backend(settings) as c:  # type: ignore[attr-defined]
            assert isinstance(c, Cluster)
            assert c.execute("MSET", "a", 1, "b", 2, "c", 3) == OK
    from redtool.backends.target import resolve

    with open_backend(resolve({"socket": first.socket, "cluster": "yes"}, {})) as c:  # type: ignore[attr-defined]
        assert isinstance(c, Cluster) and c.execute("MGET", "a", "b", "c") == [b"1", b"2", b"3"]
    with open_backend(resolve({"socket": valkey.socket, "cluster": "yes"}, {})) as alone:  # type: ignore[attr-defined]
        assert isinstance(alone, Remote)  # a server by itself will do, as with redis-cli -c
    with pytest.raises(ConnectError, match=r"cannot connect to 127\.0\.0\.1:1: connection refused"):
        open_backend("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(UsageError, match="a cluster has database 0 only"):
        open_backend("redis+cluster://127.0.0.1:1/3")


def test_a_sibling_is_another_client(c: Cluster) -> None:
    c.execute("MULTI")
    with c.sibling() as other:
        assert other.execute("SET", "a", 1) == OK
        assert not other.in_multi
    assert c.commands()[b"GET"].line == "GET key"
    c.close()
    c.close()


def test_a_script_from_the_shell(local: LocalCluster) -> None:
    lines = "".join(f"SET k{at} v{at}\n" for at in range(500)) + "NOSUCH\nMULTI\nSET {k}1 a\nGET {k}1\nEXEC\nDBSIZE\n"
    words = [sys.executable, "-m", "redtool", "-u", local.url]
    done = subprocess.run(words, input=lines, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-7:] == ["OK", "OK", "QUEUED", "QUEUED", "OK", "a", "501"]
    assert done.stderr == "stdin:501: ERR unknown command 'NOSUCH', with args beginning with: \n"
    assert done.returncode == 1


def test_ctrl_c_leaves_no_reply_behind(c: Cluster) -> None:
    """A wait is broken off; what comes next is answered by its own reply."""
    import _thread

    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        c.execute("BLPOP", "empty", 0)
    timer.join()
    assert c.pipeline([[b"PING"], [b"SET", b"empty2", b"v"], [b"GET", b"empty2"]]) == [b"PONG", OK, b"v"]


@pytest.mark.needs("openssl")
def test_tls(certs: Any) -> None:
    from tests.clusters import free_ports

    port = free_ports(1)[0]
    tls = ["--tls-port", str(port), "--tls-cert-file", f"{certs}/server.pem", "--tls-key-file", f"{certs}/server.key",
           "--tls-ca-cert-file", f"{certs}/ca.pem", "--tls-auth-clients", "no", "--tls-cluster", "yes"]  # fmt: skip
    with cluster("redis7", 1, 0, *tls):
        with open_backend(f"rediss+cluster://127.0.0.1:{port}?cacert={certs}/ca.pem") as c:  # type: ignore[attr-defined]
            assert str(c.target) == f"rediss+cluster://127.0.0.1:{port}/0"
            assert c.execute("MSET", "a", 1, "b", 2) == OK
            assert c.nodes.home == ("127.0.0.1", port)
        with pytest.raises(ConnectError, match="certificate is not trusted"):
            open_backend(f"rediss+cluster://127.0.0.1:{port}")
