"""Lookups: the index of a large database, and a server that is asked by SCAN."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from redtool.backends import open_backend
from redtool.backends.embedded import open_store
from redtool.backends.remote import Remote
from redtool.backends.target import Target
from redtool.repl import prefixes, sources
from redtool.repl.prefixes import SLICE, PrefixIndex, walk
from redtool.repl.sources import MOST, ServerSource, StoreSource, literal
from redtool.repl.suggest import Lookup
from tests import servers
from tests.cold import chill
from tests.servers import RealServer


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lookups take as long as they need, so that what they find does not depend on the machine."""
    monkeypatch.setattr(prefixes, "WALK", 60.0)
    monkeypatch.setattr(sources, "SIFT", 60.0)
    monkeypatch.setattr(sources, "SERVER_TIME", 60.0)


def keys(source: StoreSource | ServerSource, prefix: bytes, kinds: tuple[bytes, ...] = ()) -> list[bytes]:
    return [name for name, _ in source.answer(Lookup("key", kinds=kinds), prefix)]


@pytest.fixture
def large() -> Iterator[StoreSource]:
    """A store with more keys than are sorted in one step."""
    backend = open_store(":memory:")
    names = [b"key:%05d" % number for number in range(2 * SLICE + 500)]
    Random(7).shuffle(names)
    backend.session.db.data.update(dict.fromkeys(names, b"x"))
    yield StoreSource(backend)
    backend.close()


def expected(prefix: bytes, source: StoreSource) -> list[bytes]:
    return sorted(key for key in source.backend.session.db.data if key.startswith(prefix))[:MOST]


def test_the_index_is_built_in_steps_and_finds_all(large: StoreSource) -> None:
    while large.step():
        assert set(keys(large, b"key:000")) <= set(expected(b"key:000", large))
    for prefix in (b"key:0", b"key:0412", b"key:40499", b"none", b""):
        assert keys(large, prefix) == expected(prefix, large)


def test_the_index_keeps_up_with_what_comes_and_goes(large: StoreSource) -> None:
    while large.step():
        pass
    large.backend.execute("DEL", "key:00001")
    large.backend.execute("SET", "key:00001a", "new")
    large.backend.execute("HSET", "key:00001h", "f", "v")
    assert keys(large, b"key:00001") == [b"key:00001a", b"key:00001h"]
    assert keys(large, b"key:00001", (b"hash",)) == [b"key:00001h"]
    large.backend.execute("FLUSHDB")
    assert keys(large, b"key:00001") == []


def test_an_index_is_made_anew_after_many_changes(large: StoreSource) -> None:
    while large.step():
        pass
    for number in range(6000):
        large.backend.execute("SET", b"late:%04d" % number, "x")
    assert large.step()
    while large.step():
        pass
    assert keys(large, b"late:000") == [b"late:%04d" % number for number in range(10)]


@pytest.mark.parametrize("fixed", [True, False])
def test_keys_in_a_file_are_completed(large: StoreSource, fixed: bool) -> None:
    """A dump's are indexed where they lie; a store's are read while nobody types."""
    large.backend.execute("HSET", "hash:1", "field", "v")
    chill(large.backend.store, fixed=fixed)
    while large.step():
        large.backend.tick()
    assert keys(large, b"key:0001") == [b"key:0001%d" % n for n in range(10)]
    assert keys(large, b"hash", (b"hash",)) == [b"hash:1"]
    assert keys(large, b"hash", (b"set",)) == []
    assert large.answer(Lookup("field", b"hash:1", (b"hash",)), b"f") == [(b"field", "v")]
    assert len(large.backend.store.databases[0].data) < 10 or not fixed


def test_an_index_gives_each_key_once() -> None:
    data = dict.fromkeys([b"a%d" % number for number in range(50)], b"")
    index = PrefixIndex(data, 0)
    index.step()
    assert list(index.find(b"a1")) == sorted(walk(data, b"a1"))


@pytest.fixture
def server(valkey: RealServer) -> Iterator[ServerSource]:
    valkey.flush()
    for line in ("HSET user:1 name Ann city Oslo", "SET user:2 x", "RPUSH users a b", "ZADD board 10 ann",
                 "SADD tags red", "SET we[ird* 1", "SELECT 3", "SET other 1", "SELECT 0"):  # fmt: skip
        valkey.call(*line.split())
    target = Target("remote")
    target.socket = str(valkey.socket)
    backend = open_backend(target)
    assert isinstance(backend, Remote)
    source = ServerSource(backend)
    yield source
    source.close()
    backend.close()


def test_a_server_gives_keys_by_type(server: ServerSource) -> None:
    assert keys(server, b"user") == [b"user:1", b"user:2", b"users"]
    assert keys(server, b"user", (b"hash",)) == [b"user:1"]
    assert keys(server, b"we[ird*") == [b"we[ird*"]
    assert server.size() == 6


def test_a_server_gives_elements(server: ServerSource) -> None:
    assert server.answer(Lookup("field", b"user:1", (b"hash",)), b"") == [(b"city", "Oslo"), (b"name", "Ann")]
    assert server.answer(Lookup("member", b"board", (b"zset",)), b"a") == [(b"ann", "10")]
    assert server.answer(Lookup("member", b"tags", (b"set",)), b"") == [(b"red", "")]
    assert server.answer(Lookup("element", b"users", (b"list",)), b"") == [(b"a", ""), (b"b", "")]
    assert server.answer(Lookup("field", b"users", (b"hash",)), b"") == []  # WRONGTYPE is no one's business here


def test_a_server_is_asked_in_the_selected_database(server: ServerSource) -> None:
    assert keys(server, b"o") == []
    server.backend.execute("SELECT", 3)
    assert keys(server, b"o") == [b"other"]


def test_an_answer_serves_longer_prefixes_for_a_while(server: ServerSource, valkey: RealServer) -> None:
    keys(server, b"us")
    valkey.call("SET", "user:9", "x")
    assert keys(server, b"user:") == [b"user:1", b"user:2"]


def test_a_server_names_its_users(server: ServerSource) -> None:
    assert server.answer(Lookup("user"), b"d") == [(b"default", "")]


def test_a_server_names_its_parameters(server: ServerSource) -> None:
    assert (b"maxmemory-policy", "") in server.answer(Lookup("parameter"), b"maxmemory")


@pytest.mark.parametrize(
    ("prefix", "pattern"), [(b"user:", b"user:"), (b"a*b?[c]\\", b"a\\*b\\?\\[c\\]\\\\"), (b"", b"")]
)
def test_a_prefix_is_no_pattern(prefix: bytes, pattern: bytes) -> None:
    assert literal(prefix) == pattern


def test_a_password_typed_by_hand_serves_completion_too() -> None:
    with servers.running("valkey", "--requirepass", "secret") as locked:
        target = Target("remote")
        target.socket = str(locked.socket)
        backend = open_backend(target)
        assert isinstance(backend, Remote)
        source = ServerSource(backend)
        assert keys(source, b"") == []
        source.close()  # as the shell does after AUTH
        backend.execute("AUTH", "secret")
        backend.execute("SET", "found", "1")
        assert keys(source, b"f") == [b"found"]
        source.close()
        backend.close()
