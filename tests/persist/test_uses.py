"""When and how often keys were used outlives a restart: in snapshots, the base of the journal, and servers' files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import redtool
from redtool.backends.embedded import open_store
from redtool.errors import ReplyError
from redtool.persist.indexing import write_index
from redtool.persist.rdb import load_file
from tests.cold import chill
from tests.embedded import Client
from tests.persist.test_persistence import settle
from tests.servers import running

TOLD = dict[bytes, tuple[int | None, int | None]]
DUMPED = b"\x00\xc0\x01\n\x00&x\xe7\xb6\xd1\x01\x11\xfc"


class Reader:
    """Takes from a file what it says of the uses of keys."""

    def __init__(self) -> None:
        self.told: TOLD = {}

    def select(self, db: int) -> tuple[dict[bytes, object], dict[bytes, int]]:
        return {}, {}

    def aux(self, name: bytes, value: bytes) -> None: ...

    def sizes(self, keys: int, expires: int) -> None: ...

    def function(self, code: bytes) -> None: ...

    def access(self, key: bytes, idle: int | None, freq: int | None) -> None:
        self.told[key] = idle, freq


def told_by(path: Path) -> TOLD:
    reader = Reader()
    load_file(str(path), reader)
    return reader.told


def fill(run: Callable[..., object], policy: str) -> None:
    run("CONFIG", "SET", "maxmemory-policy", policy)
    for number in range(300):
        words = ("FREQ", number % 256) if policy.endswith("lfu") else ("IDLETIME", number * 1000)
        run("RESTORE", f"k{number}", 0 if number % 2 else 10**9, DUMPED, *words)
    run("RPUSH", "list", "x")
    run("SELECT", 2)
    run("SET", "other", "x")
    run("SELECT", 0)


def wanted(policy: str) -> TOLD:
    if policy.endswith("lfu"):
        found: TOLD = {b"k%d" % number: (None, number % 256) for number in range(300)}
        return found | {b"list": (None, 5), b"other": (None, 5)}
    if policy.endswith("lru"):
        found = {b"k%d" % number: (number * 1000, None) for number in range(300)}
        return found | {b"list": (0, None), b"other": (0, None)}
    return {}


def near(told: TOLD, policy: str) -> bool:
    """Whether it is that; a few seconds may have passed, and a minute may have begun."""
    expected = wanted(policy)

    def close(one: int | None, other: int | None) -> bool:
        return one is other is None or (one is not None and other is not None and abs(one - other) <= 60)

    return told.keys() == expected.keys() and all(
        close(told[key][0], idle) and close(told[key][1], freq) for key, (idle, freq) in expected.items()
    )


POLICIES = ["allkeys-lru", "volatile-lfu", "noeviction", "allkeys-random"]


@pytest.mark.parametrize("policy", POLICIES)
def test_files_say_how_keys_were_used(tmp_path: Path, policy: str) -> None:
    with redtool.open(tmp_path) as store:
        fill(store.execute, policy)
        store.execute("SAVE")
        store.execute("BGREWRITEAOF")
        settle(store)
    for path in (tmp_path / "dump.rdb", *tmp_path.rglob("*.base.rdb")):
        assert near(told_by(path), policy), path


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("fork", [False, True])
def test_restarts_keep_it(tmp_path: Path, fork: bool, indexed: bool) -> None:
    with open_store(tmp_path, fork=fork) as store:
        fill(store.execute, "allkeys-lru")
        store.execute("BGREWRITEAOF")
        settle(store)
    if indexed:
        write_index(str(*tmp_path.rglob("*.base.rdb")))
    with open_store(tmp_path, fork=fork) as store:
        assert 100_000 <= store.execute("OBJECT", "IDLETIME", "k100") <= 100_060
        store.execute("GET", "k7")
        assert store.execute("OBJECT", "IDLETIME", "k7") < 60
        store.execute("BGREWRITEAOF")  # of keys that have not been looked at, too
        settle(store)
    [base] = tmp_path.rglob("*.base.rdb")
    told = told_by(base)
    idle = told.pop(b"k7")[0]
    assert idle is not None and idle < 60
    assert near(told | {b"k7": (7000, None)}, "allkeys-lru")


def test_reloading_keeps_it(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        fill(store.execute, "allkeys-lfu")
        store.execute("DEBUG", "RELOAD")
        assert store.execute("OBJECT", "FREQ", "k100") in (99, 100)


def test_keys_that_still_lie_in_the_file_go_too(tmp_path: Path) -> None:
    """Those unused for longest, as the file says; and they stay away."""
    with open_store(tmp_path) as store:
        store.execute("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        for number in range(2000):
            store.execute("RESTORE", f"k{number}", 0, DUMPED, "IDLETIME", number)
        store.execute("BGREWRITEAOF")
        settle(store)
    [base] = tmp_path.rglob("*.base.rdb")
    write_index(str(base))
    with open_store(tmp_path) as store:
        [db, *_] = store.store.databases
        assert db.cold is not None and len(db.cold) == 2000
        store.execute("CONFIG", "SET", "maxmemory", store.store.used_memory() // 2)
        while store.store.full:
            store.tick()
        left = {int(key[1:]) for key in store.execute("KEYS", "*")}
        assert 500 < len(left) < 1500
        assert sum(left) / len(left) < 700
    with open_store(tmp_path) as store:
        assert {int(key[1:]) for key in store.execute("KEYS", "*")} == left


def test_keys_with_a_deadline_that_still_lie_in_the_file_go_too() -> None:
    client = Client()
    for number in range(300):
        client.call("SET", f"k{number}", "v", *(("EX", 1000 + number) if number % 3 == 0 else ()))
    chill(client.store)
    client.call("CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory-eviction-tenacity", 100)
    client.call("CONFIG", "SET", "maxmemory", 1)
    assert client.call("DBSIZE") == 200 and client.store.evicted == 100
    assert client.store.cramped


def test_idle_times_of_a_file_are_known_whatever_the_policy(tmp_path: Path) -> None:
    with redtool.open(tmp_path / "one") as store:
        fill(store.execute, "allkeys-lru")
        store.execute("SAVE")
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one/dump.rdb", tmp_path / "two/dump.rdb")
    (tmp_path / "two/redtool.conf").write_text("appendonly no\n")
    with redtool.open(tmp_path / "two") as store:
        assert 100_000 <= store.execute("OBJECT", "IDLETIME", "k100") <= 100_060


@pytest.mark.parametrize(("policy", "word"), [("allkeys-lru", "IDLETIME"), ("allkeys-lfu", "FREQ")])
def test_servers_read_it_and_are_read(tmp_path: Path, policy: str, word: str) -> None:
    def asked(run: Callable[..., object]) -> list[int]:
        replies = [run("OBJECT", word, f"k{number}") for number in range(300)]
        return [reply if isinstance(reply, int) else -1 for reply in replies]

    def alike(found: list[int]) -> bool:
        expected = [number % 256 if word == "FREQ" else number * 1000 for number in range(300)]
        return all(abs(one - other) <= 60 for one, other in zip(found, expected, strict=True))

    home = tmp_path / "store"
    with redtool.open(home) as store:
        fill(store.execute, policy)
        store.execute("SAVE")
        assert alike(asked(store.execute))

    with running("valkey", "--enable-debug-command", "yes", "--maxmemory-policy", policy) as server:
        shutil.copy(home / "dump.rdb", server.directory / "dump.rdb")
        assert server.call("DEBUG", "RELOAD", "NOSAVE") == b"OK"
        assert alike(asked(server.call))
        assert server.call("SAVE") == b"OK"
        shutil.copy(server.directory / "dump.rdb", tmp_path / "dump.rdb")
    (tmp_path / "redtool.conf").write_text(f"appendonly no\nmaxmemory-policy {policy}\n")
    with redtool.open(tmp_path) as again:
        assert alike(asked(again.execute))


def test_what_is_dropped_stays_dropped(tmp_path: Path) -> None:
    """The journal has a DEL for each, never between the commands of a transaction."""
    with redtool.open(tmp_path) as store:
        store.execute("CONFIG", "SET", "maxmemory", "100kb", "maxmemory-policy", "allkeys-lru")
        for number in range(200):
            for words in (["MULTI"], ["SET", f"a{number}", "x" * 500], ["SET", f"b{number}", "x" * 500], ["EXEC"]):
                store.execute(*words)
            store.execute("EVAL", "for i = 1, 3 do redis.call('set', KEYS[1] .. i, ARGV[1]) end", 1, "s", "x" * 500)
        inner = store.store
        assert inner.evicted > 100
        kept = dict(inner.databases[0].data)
    [journal] = tmp_path.rglob("*.incr.aof")
    within = False
    deletions = 0
    for line in journal.read_bytes().split(b"\r\n"):
        if line in (b"MULTI", b"EXEC"):
            within = line == b"MULTI"
        if line == b"DEL":
            deletions += 1
            assert not within
    assert deletions == inner.evicted
    with redtool.open(tmp_path) as store:
        assert store.store.evicted == 0  # loading drops nothing
        assert dict(store.store.databases[0].data) == kept
        store.execute("SET", "k", "x" * 500)
        assert store.store.used_memory() <= 100 * 1024


def test_a_store_that_is_full_is_so_from_the_first_write(tmp_path: Path) -> None:
    with redtool.open(tmp_path) as store:
        store.execute("SET", "a", "x")
        store.execute("CONFIG", "SET", "maxmemory", 1)
    with redtool.open(tmp_path) as store:
        assert store.execute("GET", "a") == b"x"
        assert not store.store.metered  # a read needs not know
        with pytest.raises(ReplyError, match="OOM command not allowed"):
            store.execute("SET", "b", "x")
        store.execute("DEL", "a")
        store.execute("SET", "b", "x")
