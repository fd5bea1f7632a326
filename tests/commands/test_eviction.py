"""maxmemory: what goes, what is refused when nothing may go, who is told, and what is known of each key's use."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from redtool.engine.evict import sample, sample_expiring
from redtool.eviction import LOOK, patience
from tests import party, servers
from tests.bench import eviction as bench
from tests.commands.conftest import Runner
from tests.embedded import Client
from tests.party import PUSH

OK, QUEUED = b"OK", b"QUEUED"
OOM = "-OOM command not allowed when used memory > 'maxmemory'."
ABORTED = "-EXECABORT Transaction discarded because of previous errors."
LFU_OFF = (
    "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
    "between policies at runtime LRU and LFU data will take some time to adjust."
)
LFU_ON = LFU_OFF.replace("not selected, access frequency", "selected, idle time")
LIBRARY = (
    "#!lua name=lib\\nredis.register_function('plain', function() return 1 end) "
    "redis.register_function{function_name='roomy', flags={'allow-oom'}, "
    "callback=function() return redis.call('set', 'g', '1') end} "
    "redis.register_function{function_name='reads', flags={'no-writes'}, callback=function() return 1 end}"
)


@pytest.fixture(scope="session")
def cramped() -> Iterator[servers.RealServer]:
    """A real server of its own, whose configuration these tests change."""
    with servers.running("valkey", "--maxmemory-samples", "64") as server:
        yield server


@pytest.fixture(params=["embedded", "served", "valkey"])
def e(request: pytest.FixtureRequest) -> Iterator[Runner]:
    if request.param == "embedded":
        runner = Runner(Client())
    else:
        server = request.getfixturevalue("cramped" if request.param == "valkey" else "served")
        runner = Runner(server.client(), server)
    settings = "maxmemory 0 maxmemory-policy noeviction maxmemory-samples 64 maxmemory-eviction-tenacity 100"
    assert runner(f"CONFIG SET {settings} lfu-log-factor 10") == OK
    runner("FLUSHALL")
    runner("FUNCTION FLUSH")
    runner("CONFIG RESETSTAT")
    yield runner
    runner.close()


# -- nothing may go


def test_commands_that_need_memory_are_refused(e: Runner) -> None:
    e.table([
        ("SET k v", OK),
        ("CONFIG SET maxmemory 1", OK),
        ("GET k", b"v"), ("EXISTS k", 1),
        ("SET a 1", OOM), ("INCR n", OOM), ("LPUSH l 1", OOM), ("APPEND k x", OOM),
        ("EXPIRE k 100", 1), ("PERSIST k", 1), ("LPOP l", None), ("GETDEL nothing", None),
        ("FUNCTION LOAD 'x'", OOM), ("RESTORE k 0 x", OOM),
        ("CONFIG SET maxmemory 0", OK),
        ("SET a 1", OK),
        ("CONFIG SET maxmemory 1 maxmemory-policy volatile-lru", OK),
        ("SET a 2", OOM),
        ("CONFIG SET maxmemory 0", OK),
        ("MGET k a", [b"v", b"1"]),
    ])  # fmt: skip
    assert b"errorstat_OOM:count=7\r\n" in e("INFO errorstats")
    assert b"rejected_calls=2," in e("INFO commandstats").partition(b"cmdstat_set:")[2].partition(b"\r\n")[0]


def test_transactions_stand_or_fall_before_they_run(e: Runner) -> None:
    other = e.other()
    e.table([
        ("SET k v", OK),
        ("CONFIG SET maxmemory 1", OK),
        ("MULTI", OK), ("GET k", QUEUED), ("EXEC", [b"v"]),
        ("MULTI", OK), ("SET a 1", OOM), ("EXEC", ABORTED),
        ("MULTI", OK), ("DEL nothing", QUEUED), ("SET a 1", OOM), ("DISCARD", OK),
        ("CONFIG SET maxmemory 0", OK),
        ("MULTI", OK), ("SET k w", QUEUED),
    ])  # fmt: skip
    assert other("CONFIG SET maxmemory 1") == OK
    e.table([
        ("EXEC", "-EXECABORT Transaction discarded because of: " + OOM[1:]),
        ("GET k", b"v"),
        ("CONFIG SET maxmemory 0", OK),
        ("MULTI", OK), ("CONFIG SET maxmemory 1", QUEUED), ("SET k w", QUEUED), ("SET a 1", QUEUED),
        ("EXEC", [OK, OK, OK]),
        ("SET a 2", OOM),
    ])  # fmt: skip


def test_scripts(e: Runner) -> None:
    e.table([
        ("SET k v", OK),
        (f'FUNCTION LOAD "{LIBRARY}"', b"lib"),
        ("CONFIG SET maxmemory 1", OK),
        ('EVAL "return redis.pcall(\'set\', KEYS[1], 1)" 1 k', OOM),
        ('EVAL "return redis.call(\'get\', KEYS[1])" 1 k', b"v"),
        # What has begun may end
        ('EVAL "redis.call(\'del\', KEYS[1]) return redis.call(\'set\', KEYS[1], 1)" 1 k', OK),
        ('EVAL "redis.pcall(\'set\', KEYS[1], 2) return redis.pcall(\'set\', KEYS[1], 3)" 1 k', OOM),
        ('EVAL "#!lua\\nreturn 1" 0', OOM),
        ('EVAL "#!lua flags=no-writes\\nreturn 1" 0', 1),
        ('EVAL "#!lua flags=allow-oom\\nreturn redis.call(\'set\', KEYS[1], 4)" 1 k', OK),
        ('EVAL "#!lua nonsense\\nreturn 1" 0', "-ERR Unknown lua shebang option: nonsense"),
        ("FCALL plain 0", OOM), ("FCALL_RO plain 0", OOM), ("FCALL reads 0", 1), ("FCALL_RO reads 0", 1),
        ("FCALL roomy 1 g", OK), ("FCALL nothing 0", "-ERR Function not found"),
        ("MULTI", OK), ("FCALL plain 0", OOM), ("EXEC", ABORTED),
        ("MULTI", OK), ('EVAL "return redis.pcall(\'set\', KEYS[1], 5)" 1 k', QUEUED), ("EXEC", [OOM]),
        ("GET k", b"4"),
        ("CONFIG SET maxmemory 0", OK),
        ("FCALL plain 0", 1),
    ])  # fmt: skip
    text = e('EVAL "return redis.call(\'set\', KEYS[1], 1)" 1 k')
    assert text == OK
    e("CONFIG SET maxmemory 1")
    assert e('EVAL "return redis.call(\'set\', KEYS[1], 1)" 1 k').startswith(OOM + " script: ")


def test_room_is_seen_when_it_comes(clocked: Runner) -> None:
    clocked.table([
        ("SET k v", OK), ("SET gone v PX 50", OK),
        ("CONFIG SET maxmemory 1", OK),
        ("SET a 1", OOM),
        ("DEL k", 1),
        ("SET a 1", OOM),
    ])  # fmt: skip
    clocked.advance(200)
    clocked.table([("SET a 1", OK), ("SET b 1", OOM), ("FLUSHALL", OK), ("SET b 1", OK)])


# -- keys go


@pytest.mark.parametrize("rule", ["lru", "lfu", "random", "ttl"])
def test_only_keys_with_a_deadline_go(e: Runner, rule: str) -> None:
    for number in range(20):
        e(f"SET stays:{number} 1")
        e(f"SET goes:{number} 1 EX {number + 100}")
    e("SELECT 3")
    e("SET goes 1 EX 100")
    e.table([
        (f"CONFIG SET maxmemory 1 maxmemory-policy volatile-{rule}", OK),
        ("EXISTS goes", 0),
        ("SELECT 0", OK),
        ("DBSIZE", 20),
        ("EXISTS stays:7", 1),
        ("SET a 1", OOM),
        ("EXPIRE stays:7 1000", 1),
        ("EXISTS stays:7", 0),
    ])  # fmt: skip
    assert b"evicted_keys:22\r\n" in e("INFO stats")
    e("CONFIG RESETSTAT")
    assert b"evicted_keys:0\r\n" in e("INFO stats")


@pytest.mark.parametrize("rule", ["lru", "lfu", "random"])
def test_any_key_may_go(e: Runner, rule: str) -> None:
    for number in range(40):
        e(f"HSET hash:{number} f v")
    e.table([
        (f"CONFIG SET maxmemory-policy allkeys-{rule} maxmemory 1", OK),
        ("DBSIZE", 0),
        ("CONFIG SET maxmemory 0", OK),
        ("SET a 1", OK),
    ])
    assert b"evicted_keys:40\r\n" in e("INFO stats")


class Dropped:
    """A store in memory whose keys k0, k1, k2 … are dropped one by one."""

    def __init__(self, policy: str) -> None:
        self.r = Runner(Client())
        self.store = self.r.client.store  # type: ignore[union-attr]
        self.r(f"CONFIG SET maxmemory-policy {policy} maxmemory-samples 64 lfu-log-factor 0")
        self.store.rng.seed(1)
        for db in self.store.databases[:1]:  # what keys are drawn from takes memory too
            sample(db, self.store.rng, 1)
            sample_expiring(db, self.store.rng, 1)

    def drop(self, count: int) -> set[int]:
        """Let the limit fall a little at a time until so many keys are gone."""
        before = set(self.numbers())
        left = len(before) - count
        while len(self.numbers()) > left:
            self.r(f"CONFIG SET maxmemory {self.store.used_memory(exact=True) - 1}")
        return before - set(self.numbers())

    def numbers(self) -> list[int]:
        return [int(key[1:]) for db in self.store.databases for key in db.data]


@pytest.mark.parametrize(("policy", "step"), [("allkeys-lru", ""), ("volatile-lru", "EX 1000")])
def test_the_key_unused_for_longest_goes_first(policy: str, step: str) -> None:
    d = Dropped(policy)
    for number in range(20):
        d.r.advance(1000)
        d.r(f"SET k{number} v {step}")
    for number in (0, 1, 3):
        d.r.advance(1000)
        d.r(f"GET k{number}")
        d.r("TTL k2")  # no use
    assert d.drop(1) == {2}
    assert d.drop(5) == {4, 5, 6, 7, 8}


def test_the_key_used_least_goes_first() -> None:
    d = Dropped("allkeys-lfu")
    for number in range(20):
        d.r(f"SET k{number} v")
        for _ in range(abs(number - 10)):
            d.r(f"GET k{number}")
    assert d.drop(1) == {10}
    assert d.drop(2) == {9, 11}


def test_the_key_that_ends_soonest_goes_first() -> None:
    d = Dropped("volatile-ttl")
    for number in range(20):
        d.r(f"SET k{number} v EX {2000 - number}")
    assert d.drop(3) == {19, 18, 17}
    d.r("PERSIST k16")
    assert d.drop(2) == {15, 14}


def test_a_limit_holds(clocked: Runner) -> None:
    """Values of every type and size, some altered in place: after each command the data fit."""
    store = clocked.client.store  # type: ignore[union-attr]
    clocked("CONFIG SET maxmemory 200kb maxmemory-policy allkeys-lru maxmemory-eviction-tenacity 100")
    rng = Random(3)
    text = "x" * 5000
    for _ in range(4000):
        key, size = rng.randrange(500), rng.randrange(5000) if rng.random() < 0.1 else rng.randrange(100)
        part = text[:size]
        line = rng.choice([f"SET {key} {part}", f"APPEND {key} {part}", f"HSET h{key} {size} {part}", f"GET {key}",
                           f"RPUSH l{key} {part} b", f"ZADD z{key} {size} {part}.", f"XADD x{key} * f {part}",
                           f"SADD s{key} {size} {size + 1}"])  # fmt: skip
        clocked(line)
        assert store.used_memory() <= store.limit, line
    assert store.evicted > 100
    assert len(store.databases[0]) > 50
    assert not store.full


def test_a_key_that_fits_at_no_price_goes_too(clocked: Runner) -> None:
    clocked("CONFIG SET maxmemory 1mb maxmemory-policy allkeys-lru maxmemory-samples 64")
    clocked("SET small 1")
    clocked.advance(1000)
    clocked.table([("SETRANGE big 2000000 x", 2000001), ("DBSIZE", 0), ("SET small 1", OK)])


def test_hits_and_misses_are_those_of_the_commands(clocked: Runner) -> None:
    clocked("CONFIG SET maxmemory 50kb maxmemory-policy allkeys-lru")
    for number in range(1000):
        clocked(f"SET {number} vvvvvvvvvvvvvvvv")
    found = sum(clocked(f"GET {number}") is not None for number in range(1000))
    stats = clocked("INFO stats")
    assert b"keyspace_hits:%d\r\nkeyspace_misses:%d\r\n" % (found, 1000 - found) in stats
    assert b"evicted_keys:%d\r\n" % (1000 - found) in stats
    assert b"expired_keys:0\r\n" in stats


def test_nothing_goes_during_a_pause(e: Runner) -> None:
    e.table([
        ("SET k v", OK),
        ("CONFIG SET maxmemory-policy allkeys-lru", OK),
        ("CLIENT PAUSE 100000 WRITE", OK),
        ("CONFIG SET maxmemory 1", OK),
        ("GET k", b"v"),
        ("CLIENT UNPAUSE", OK),
        ("EXISTS k", 0),
    ])


# -- who is told


def test_events_watchers_and_caches(clients: party.Party) -> None:
    if isinstance(clients, party.Sockets) and b"valkey" in party.run(clients, "a", "INFO server")["a"][0]:
        party.run(clients, "a", "CONFIG SET maxmemory-samples 64")
    party.table(clients, [
        ("a CONFIG SET maxmemory 0 maxmemory-policy allkeys-lru notify-keyspace-events Ee", OK),
        ("a SET k v", OK),
        ("w WATCH k", OK), ("w MULTI", OK), ("w PING", QUEUED),
        ("t HELLO 3", ...), ("t CLIENT TRACKING on", OK), ("t GET k", b"v"),
        ("s SUBSCRIBE __keyevent@0__:evicted", [b"subscribe", b"__keyevent@0__:evicted", 1]),
    ])  # fmt: skip
    got = party.run(clients, "a", "CONFIG SET maxmemory 1")
    later = party.run(clients, "a", "EXISTS k")  # a server may take until the next command
    for name, values in later.items():
        got.setdefault(name, []).extend(values)
    assert got == {
        "a": [OK, 0],
        "s": [[b"message", b"__keyevent@0__:evicted", b"k"]],
        "t": [[PUSH, b"invalidate", [b"k"]]],
    }
    party.table(clients, [("w EXEC", None), ("a CONFIG SET maxmemory 0 notify-keyspace-events ''", OK)])
    party.run(clients, "a", "CONFIG SET maxmemory-policy noeviction")


# -- time


class Slow:
    """A store for which each look at the clock takes a millisecond."""

    def __init__(self, tenacity: int, keys: int = 100) -> None:
        self.client = Client()
        self.r = Runner(self.client)
        self.r(f"CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity {tenacity}")
        for number in range(keys):
            self.r(f"SET {number} v")
        self.client.store.time_ns = self.time_ns

    def time_ns(self) -> int:
        self.client.advance(1)
        return self.client.ns


@pytest.mark.parametrize(("tenacity", "left"), [(0, 100 - LOOK), (10, 100 - LOOK), (50, 0), (100, 0)])
def test_a_round_is_bounded_and_another_follows(tenacity: int, left: int) -> None:
    slow = Slow(tenacity)
    store = slow.client.store
    slow.r("CONFIG SET maxmemory 1")
    assert len(store.databases[0]) == left
    assert not store.cramped
    before = len(store.databases[0])
    slow.r("SET k v")  # is not refused while keys go on going
    assert len(store.databases[0]) <= max(before - LOOK + 1, 0)
    for _ in range(10):
        slow.client.advance(1000)
        store.tick()
    assert len(store.databases[0]) == 0


@pytest.mark.parametrize(("tenacity", "ns"), [(0, 0), (1, 50_000), (10, 500_000), (11, 575_000), (20, 2_022_778)])
def test_patience(tenacity: int, ns: int) -> None:
    assert patience(tenacity) == ns


def test_tenacity_without_end() -> None:
    assert patience(99) < 3 * 60 * 10**9 < patience(100)


def test_what_took_long_is_noted_for_latency() -> None:
    slow = Slow(100, 3)
    slow.r("CONFIG SET latency-monitor-threshold 1")
    slow.r("CONFIG SET maxmemory 1")
    events = {entry[0] for entry in slow.r("LATENCY LATEST")}
    assert {b"eviction-cycle", b"eviction-del"} <= events


def test_how_long_there_was_too_much(clocked: Runner) -> None:
    def times() -> list[int]:
        lines = clocked("INFO stats").split(b"\r\n")
        return [int(line.partition(b":")[2]) for line in lines if b"_eviction_exceeded_time" in line]

    assert times() == [0, 0]
    clocked.table([("SET k v", OK), ("CONFIG SET maxmemory 1", OK)])
    clocked.advance(3000)
    assert times() == [3000, 3000]
    clocked.table([("CONFIG SET maxmemory 0", OK), ("CONFIG SET maxmemory 1gb", OK), ("SET k w", OK)])
    clocked.advance(3000)
    assert times() == [3000, 0]
    clocked("CONFIG RESETSTAT")
    assert times() == [0, 0]


# -- how keys are used


def test_frequencies(e: Runner) -> None:
    e.table([
        ("SET k v", OK),
        ("OBJECT FREQ k", LFU_OFF), ("OBJECT FREQ nothing", None), ("OBJECT IDLETIME k", 0),
        ("CONFIG SET maxmemory-policy allkeys-lfu", OK),
        ("SET new v", OK),
        ("OBJECT FREQ new", 5), ("OBJECT IDLETIME new", LFU_ON), ("OBJECT IDLETIME nothing", None),
        ("GET new", b"v"), ("OBJECT FREQ new", 6),
        ("EXISTS new", 1), ("TTL new", -1), ("TYPE new", b"string"), ("OBJECT FREQ new", 6),
        ("CONFIG SET lfu-log-factor 0", OK),
        ("GET new", b"v"), ("GET new", b"v"), ("OBJECT FREQ new", 8),
        ("SET new w", OK), ("OBJECT FREQ new", 9),
        ("APPEND new x", 2), ("OBJECT FREQ new", 10),
        ("SET new w XX", OK), ("OBJECT FREQ new", 11), ("SET new w XX GET", b"w"), ("OBJECT FREQ new", 13),
        ("GETSET new x", b"w"), ("OBJECT FREQ new", 15), ("SETEX new 100 v", OK), ("OBJECT FREQ new", 16),
        ("SET new w KEEPTTL", OK), ("OBJECT FREQ new", 17), ("SET new w NX", None), ("OBJECT FREQ new", 18),
        ("EXPIRE new 1000", 1), ("OBJECT FREQ new", 19), ("MSET new 1", OK), ("OBJECT FREQ new", 20),
        ("RENAME new other", OK), ("OBJECT FREQ other", 5),
        ("SET n 1", OK), ("INCR n", 2), ("OBJECT FREQ n", 6),
        ("SADD s a", 1), ("SADD s b", 1), ("OBJECT FREQ s", 6), ("SUNIONSTORE s s", 2), ("OBJECT FREQ s", 8),
        ("MOVE s 1", 1), ("SELECT 1", OK), ("OBJECT FREQ s", 5), ("SELECT 0", OK),
        ("COPY other copy", 1), ("OBJECT FREQ copy", 5),
        ("DEL other", 1), ("SET other v", OK), ("OBJECT FREQ other", 5),
        ("CONFIG SET lfu-log-factor 10", OK),
        ("CONFIG SET lfu-log-factor -1", "-ERR CONFIG SET failed (possibly related to argument 'lfu-log-factor') - "
                                         "argument must be between 0 and 2147483647 inclusive"),
    ])  # fmt: skip


DUMPED = '"\\x00\\xc0\\x01\\n\\x00&x\\xe7\\xb6\\xd1\\x01\\x11\\xfc"'


def test_restore_says_how_a_key_was_used(e: Runner) -> None:
    e.table([
        (f"RESTORE k 0 {DUMPED} IDLETIME 1000", OK), ("OBJECT IDLETIME k", 1000),
        (f"RESTORE k 0 {DUMPED} REPLACE", OK), ("OBJECT IDLETIME k", 0),
        (f"RESTORE k 5000 {DUMPED} REPLACE IDLETIME 77", OK), ("OBJECT IDLETIME k", 77),
        ("GET k", b"1"), ("OBJECT IDLETIME k", 0),
        (f"RESTORE k 0 {DUMPED} REPLACE FREQ 100", OK), ("OBJECT FREQ k", LFU_OFF),
        ("CONFIG SET maxmemory-policy volatile-lfu", OK),
        (f"RESTORE k 0 {DUMPED} REPLACE FREQ 100", OK), ("OBJECT FREQ k", 100),
        (f"RESTORE k 0 {DUMPED} REPLACE FREQ 0", OK), ("OBJECT FREQ k", 0),
        (f"RESTORE k 0 {DUMPED} REPLACE", OK), ("OBJECT FREQ k", 5),
        (f"RESTORE k 0 {DUMPED} REPLACE IDLETIME 5", OK), ("OBJECT FREQ k", 5),
        (f"RESTORE k 0 {DUMPED} REPLACE FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        (f"RESTORE k 0 {DUMPED} REPLACE IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"),
        (f"RESTORE k 0 {DUMPED} REPLACE IDLETIME x", "-ERR value is not an integer or out of range"),
    ])  # fmt: skip


def test_counters_fall_with_the_minutes(clocked: Runner) -> None:
    clocked("CONFIG SET maxmemory-policy allkeys-lfu")
    clocked("SET k v")
    clocked("GET k")
    clocked.advance(120_000)
    assert clocked("OBJECT FREQ k") == 4
    clocked("CONFIG SET lfu-decay-time 0")
    assert clocked("OBJECT FREQ k") == 6


def test_idle_times(clocked: Runner) -> None:
    """Known from when they are first asked for, and with an LRU policy from the beginning."""
    clocked.table([("SET k v", OK)])
    clocked.advance(5000)
    clocked.table([("OBJECT IDLETIME k", 0)])
    clocked.advance(5000)
    clocked.table([("OBJECT IDLETIME k", 5), ("CONFIG SET maxmemory-policy volatile-lru", OK)])
    clocked.advance(5000)
    clocked.table([("OBJECT IDLETIME k", 10), ("TOUCH k", 1), ("OBJECT IDLETIME k", 0)])


# -- as good as a server's


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_cache_hits_as_often_as_that_of_a_server(policy: str, cramped: servers.RealServer) -> None:
    """A short trace, so with a tolerance; ``python -m tests.bench.eviction`` has the long ones."""
    cramped.call("CONFIG", "SET", "maxmemory-samples", "5")
    trace = bench.zipf(Random(5), 2000, 0.99, 10_000)
    ours, theirs = bench.run([bench.Embedded(), bench.Remote(cramped)], policy, trace, 2000, 0.5, 5)
    cramped.call("CONFIG", "SET", "maxmemory-samples", "64")
    assert ours > theirs - 6 and theirs > 50, (ours, theirs)
