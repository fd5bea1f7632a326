"""Which slots a command is on, how it is divided, and how replies of several nodes become one."""

from __future__ import annotations

from typing import Any

import pytest

from redtool.backends.gathered import by_node, info
from redtool.backends.routing import POLICIES, Router, divided, keys_of, only_reads, policy, restored
from redtool.backends.topology import Topology, redirect, unsettled
from redtool.commands.cluster import slot_of
from redtool.commands.table import load_all
from redtool.errors import ReplyError
from redtool.resp import OK, Verbatim
from tests.servers import RealServer, running

TAGS = ["foo", "{user}.a", "a{user}b", "{}", "{}a", "a{}b{c}", "{a", "a}", "{{x}}", "}{a}", "", "é", "\0\xff"]


def test_slots_are_the_servers() -> None:
    with running("valkey", "--cluster-enabled", "yes") as node:
        words = [*TAGS, *(f"key:{at}" for at in range(500))]
        assert [slot_of(word.encode()) for word in words] == [node.call("CLUSTER", "KEYSLOT", word) for word in words]


KEYS = [
    ("GET a", "a"), ("MSET a 1 b 2", "a b"), ("EVAL x 2 a b c", "a b"), ("XREAD COUNT 2 STREAMS a b 0 0", "a b"),
    ("BLPOP a b 0", "a b"), ("ZUNIONSTORE d 2 a b", "d a b"), ("SORT a BY x STORE z", "a z"), ("OBJECT FREQ a", "a"),
    ("ssubscribe a b", "a b"), ("SPUBLISH a b", "a"), ("SUNSUBSCRIBE", ""), ("PUBLISH a b", ""), ("PING a", ""),
    ("EVAL x 0 a", ""), ("GET", ""), ("NOSUCH a", ""), ("CONFIG GET a", ""), ("MEMORY USAGE a", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "keys"), KEYS)
def test_keys(line: str, keys: str) -> None:
    words = line.encode().split()
    assert [words[at] for at in keys_of(words)] == keys.encode().split()
    assert Router().slots(words) == {slot_of(key) for key in keys.encode().split()}


def test_what_is_divided() -> None:
    a, b = b"{a}", b"{b}"
    assert divided([b"MGET", a + b"1", b, a + b"2"]) == [([b"MGET", a + b"1", a + b"2"], [0, 2]), ([b"MGET", b], [1])]
    assert divided([b"mset", a, b"1", b, b"2"]) == [([b"mset", a, b"1"], [0]), ([b"mset", b, b"2"], [1])]
    assert divided([b"MSET", a, b"1", b]) is None
    assert divided([b"MSETNX", a, b"1", b, b"2"]) is None
    assert divided([b"SINTER", a, b]) is None


DIVIDED: list[tuple[str, list[Any], Any]] = [
    ("MGET {a}1 {b} {a}2", [[b"1", None], [b"2"]], [b"1", b"2", None]),
    ("DEL {a}1 {b} {a}2", [2, 1], 3),
    ("MSET {a} 1 {b} 2", [OK, OK], OK),
    ("EXISTS {a} {b}", [1, ReplyError.of("ERR no")], "ERR no"),
]


@pytest.mark.parametrize(("line", "replies", "whole"), DIVIDED)
def test_the_parts_are_put_together(line: str, replies: list[Any], whole: Any) -> None:
    words = line.encode().split()
    reply = restored(words, divided(words) or [], replies)
    assert (reply.message if isinstance(reply, ReplyError) else reply) == whole


ERROR = ReplyError.of("ERR no")
MERGED: list[tuple[str, list[Any], Any]] = [
    ("DBSIZE", [1, 2, 3], 6),
    ("FLUSHALL", [OK, OK], OK),
    ("CONFIG SET a b", [OK, ERROR], ERROR),
    ("SCRIPT KILL", [ERROR, OK], OK),
    ("KEYS *", [[b"a"], [], [b"b"]], [b"a", b"b"]),
    ("SCRIPT EXISTS a b", [[1, 0], [1, 1]], [1, 0]),
    ("WAIT 1 0", [2, 1], 1),
    ("RANDOMKEY", [None, None], None),
    ("RANDOMKEY", [None, b"a"], b"a"),
    ("SLOWLOG GET", [[[1, 10], [0, 5]], [[7, 8]]], [[1, 10], [7, 8], [0, 5]]),
    ("PUBSUB CHANNELS", [[b"a", b"b"], [b"a"]], [b"a", b"b"]),
    ("PUBSUB NUMSUB a", [[b"a", 1], [b"a", 2]], [b"a", 3]),
    ("PUBSUB NUMSUB a", [{b"a": 1}, {b"a": 2}], {b"a": 3}),
]


@pytest.mark.parametrize(("line", "replies", "whole"), MERGED)
def test_replies_become_one(line: str, replies: list[Any], whole: Any) -> None:
    found = policy(line.encode().split())
    assert found is not None and found[1] is not None
    assert found[1](replies) == whole


def test_replies_without_a_sum_are_shown_by_node() -> None:
    assert policy(b"MEMORY STATS".split()) == (False, None)
    assert by_node([b"a:1", b"b:2"], [b"x", ERROR]) == {b"a:1": b"x", b"b:2": ERROR}
    assert by_node([b"a:1", b"b:2"], [ERROR, ERROR]) is ERROR


def test_policies_are_the_servers(valkey: RealServer) -> None:
    """Those of COMMAND's tips, save where redtool goes further: saving on all nodes, pub/sub's counts."""
    found: dict[str, bool] = {}

    def read(entry: Any) -> None:
        wanted = [tip.split(b":")[1] for tip in entry[7] if tip.startswith(b"request_policy")]
        if wanted in ([b"all_nodes"], [b"all_shards"]):
            found[entry[0].decode().upper()] = wanted == [b"all_nodes"]
        for sub in entry[9]:
            read(sub)

    for entry in valkey.call("COMMAND"):
        read(entry)
    ours = {name.decode(): replicas for name, (replicas, _) in POLICIES.items()}
    own = {"SAVE", "BGSAVE", "BGREWRITEAOF", "ACL|LOAD", "PUBSUB|CHANNELS", "PUBSUB|NUMSUB", "PUBSUB|NUMPAT",
           "PUBSUB|SHARDCHANNELS", "PUBSUB|SHARDNUMSUB", "INFO"}  # fmt: skip
    apart = {"CLIENT|SETNAME", "CLIENT|SETINFO", "CLUSTER|SLOT-STATS"}  # a connection's, and what has slots of its own
    assert {name: value for name, value in ours.items() if name not in own} == {
        name: value for name, value in found.items() if name not in own | apart
    }


def test_what_only_reads() -> None:
    assert only_reads([b"get", b"a"]) and only_reads([b"OBJECT", b"encoding", b"a"])
    assert not any(only_reads(line.split()) for line in (b"SET a 1", b"PUBLISH a b", b"EVAL x 0", b"NOSUCH", b"MULTI"))
    reading = [name for name, command in load_all().items() if "readonly" in command.flags]
    assert len(reading) > 80 and b"SUNIONSTORE" not in reading


ONE = b"# Memory\r\nused_memory:1000\r\nused_memory_human:1000B\r\nmaxmemory_policy:noeviction\r\nport:1\r\n\r\n" \
      b"# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=100\r\n"  # fmt: skip
TWO = b"# Memory\r\nused_memory:1100\r\nused_memory_human:1.07K\r\nmaxmemory_policy:noeviction\r\nport:2\r\n\r\n" \
      b"# Keyspace\r\ndb0:keys=5,expires=3,avg_ttl=200\r\n"  # fmt: skip
BOTH = b"""# Nodes
nodes:a:1, b:2

# Memory
used_memory:2100
used_memory_human:2.05K
maxmemory_policy:noeviction
port:1, 2

# Keyspace
db0:keys=7,expires=4,avg_ttl=175
""".replace(b"\n", b"\r\n")


def test_info_is_added_up() -> None:
    assert info([b"a:1", b"b:2"], [ONE, TWO]) == BOTH
    assert type(info([b"a:1"], [Verbatim(ONE)])) is Verbatim
    assert info([b"a:1", b"b:2"], [ONE, ERROR]) is ERROR
    cpu = [b"# CPU\r\nused_cpu_sys:1.500000\r\n", b"# CPU\r\nused_cpu_sys:0.25\r\n"]
    assert b"used_cpu_sys:1.75\r\n" in bytes(info([b"a", b"b"], cpu))  # type: ignore[arg-type]
    stats = [b"# Commandstats\r\ncmdstat_get:calls=1,usec=3,usec_per_call=3.00\r\n",
             b"# Commandstats\r\ncmdstat_get:calls=3,usec=3,usec_per_call=1.00\r\n"]  # fmt: skip
    assert b"cmdstat_get:calls=4,usec=6,usec_per_call=1.50" in bytes(info([b"a", b"b"], stats))  # type: ignore[arg-type]


def test_the_map() -> None:
    slots = [[100, 16383, [b"10.0.0.2", 2, b"i"]], [0, 98, [b"", 1, b"i"], [None, 3, b"i"]], [99, 99, [b"?", 2, b"i"]]]
    found = Topology()
    found.read(slots, ("seed", 9))
    assert found.owners[98] == ("seed", 1)
    assert found.owners[99] == ("seed", 2)
    assert found.owners[100] == ("10.0.0.2", 2)
    assert [shard.low for shard in found.shards] == [0, 99, 100]
    assert found.nodes == [("seed", 1), ("seed", 2), ("10.0.0.2", 2), ("seed", 3)]
    before = found.owners
    found.move(0, ("x", 1))
    assert (before[0], found.owners[0]) == (("seed", 1), ("x", 1))
    assert found.after(99) is found.shards[2] and found.after(100) is None


def test_slots_that_nobody_serves() -> None:
    found = Topology()
    found.read([[5, 6, [b"h", 1]]], ("h", 1))
    assert found.owners[4] is None and found.owners[7] is None


REDIRECTS: list[tuple[str, Any]] = [
    ("MOVED 3999 127.0.0.1:6381", (3999, ("127.0.0.1", 6381), False)),
    ("ASK 3999 ::1:6381", (3999, ("::1", 6381), True)),
    ("MOVED 3999 :6381", (3999, ("asked", 6381), False)),
    ("MOVED 3999 host:0x", None),
    ("MOVED by hand", None),
    ("ERR MOVED 1 a:1", None),
    ("MOVED 1 a:1 script: f", None),
]


@pytest.mark.parametrize(("message", "to"), REDIRECTS)
def test_redirects(message: str, to: Any) -> None:
    found = redirect(message, ("asked", 1))
    assert (None if found is None else (found.slot, found.address, found.ask)) == to


def test_what_may_be_sent_again() -> None:
    assert all(map(unsettled, ("CLUSTERDOWN Hash slot not served", "LOADING Valkey is loading the dataset in memory")))
    assert not unsettled("TRYAGAIN says a script") and not unsettled("BUSY Redis is busy running a script.")
