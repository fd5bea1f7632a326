"""OBJECT ENCODING after random histories: see ``encodings``; and what that leaves out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from redtool.config import Config
from redtool.store import Store
from tests.embedded import Client
from tests.encodings import run
from tests.servers import RealServer, running


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with running("valkey") as server:
        yield server


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_histories(server: RealServer, seed: int) -> None:
    assert run(server, 800, seed) == []


SHRUNK = {
    "HSET k f {long}|HSET k f short": b"hashtable",
    "HSET k f {long}|HDEL k f|HSET k f short": b"listpack",  # the key went in between
    "HSET k f {long} g 1|HDEL k f": b"hashtable",
    "HSET k {many}|HDEL k {few}": b"hashtable",
    "SADD k 1 2 x|SREM k x": b"listpack",
    "SADD k 1 2 {long}|SREM k {long}": b"hashtable",
    "SADD k {many}|SREM k {few}": b"hashtable",
    "ZADD k 1 a 2 {long}|ZREM k {long}": b"skiplist",
    "ZADD k 1 a 2 b|SORT k ALPHA": b"skiplist",
    "RPUSH k {many}|LTRIM k 0 3": b"listpack",
    "HSET k f 1 g 2|HPEXPIREAT k 4102444800000 FIELDS 1 f|HPERSIST k FIELDS 1 f": b"listpackex",
}
WORDS = {
    "long": "x" * 65,
    "many": " ".join(f"word{n}" for n in range(4000)),
    "few": " ".join(f"word{n}" for n in range(3990)),
}


@pytest.mark.parametrize("lines", SHRUNK)
@pytest.mark.parametrize("again", [None, "COPY k k2", "RENAME k k2"])
def test_what_was_large_once(lines: str, again: str | None) -> None:
    client = Client()
    for line in lines.split("|"):
        client.call(*line.format(**WORDS).split())
    if again is not None:
        client.call(*again.split())
    key = "k" if again is None else "k2"
    assert client.call("OBJECT", "ENCODING", key) == SHRUNK[lines]
    client.call("DEBUG", "RELOAD")
    assert client.call("OBJECT", "ENCODING", key) in (b"listpack", b"intset")


def test_a_changed_limit_leaves_what_is_unpacked() -> None:
    client = Client()
    client.call("CONFIG", "SET", "hash-max-ziplist-entries", "1", "zset-max-ziplist-entries", "1")
    client.call("CONFIG", "SET", "set-max-intset-entries", "1", "set-max-listpack-entries", "1")
    client.call("HSET", "h", "a", "1", "b", "2")
    client.call("ZADD", "z", "1", "a", "2", "b")
    client.call("SADD", "s", "1", "2")
    client.call("CONFIG", "SET", "hash-max-listpack-entries", "512", "zset-max-listpack-entries", "128")
    client.call("CONFIG", "SET", "set-max-intset-entries", "512", "set-max-listpack-entries", "128")
    assert [client.call("OBJECT", "ENCODING", key) for key in "hzs"] == [b"hashtable", b"skiplist", b"hashtable"]


def test_stores_heed_their_own_limits_one_after_the_other() -> None:
    Store(Config({"hash-max-listpack-entries": 1}))
    client = Client()
    client.call("HSET", "h", "a", "1", "b", "2")
    client.call("HDEL", "h", "a")
    assert client.call("OBJECT", "ENCODING", "h") == b"listpack"
