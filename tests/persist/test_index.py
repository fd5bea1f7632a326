"""The index beside a snapshot: a store opened through it answers as one that was loaded, whatever becomes of the index.

What commands do on keys that lie in a file is compared with real servers by ``tests.differential --cold``.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from redtool import errors
from redtool.persist.index import Index, Stale, open_index
from redtool.persist.indexing import index_of, write_index
from redtool.persist.save import save
from redtool.store import Store
from tests import embedded
from tests.cold import chill
from tests.persist.datasets import databases, sample

MS = 1_000_000


def filled(keys: int = 300) -> embedded.Client:
    """A store with keys of all sizes, some with a deadline, in two databases."""
    client = embedded.Client()
    for number in range(keys):
        client.call("SET", f"key:{number}", "v" * (number % 90))
        if number % 3 == 0:
            client.call("PEXPIRE", f"key:{number}", 1000 + number)
    client.call("SELECT", 3)
    client.call("HSET", "hash", "a", "1", "b", "2")
    client.call("RPUSH", "list", *range(200))
    client.call("SELECT", 0)
    return client


def snapshot() -> bytes:
    pieces: list[bytes] = []
    save(pieces.append, databases(sample()), version=12)
    return b"".join(pieces)


def test_every_entry_of_a_snapshot_is_found() -> None:
    data = snapshot()
    index = Index("snapshot", data, index_of(data, "snapshot"))
    for table in index.tables:
        keys = set()
        for key, value, deadline, _, _ in table.entries():
            place = table.find(key)
            assert table.load(place)[1:3] == (value, deadline) or table.kind(place) == b"stream"
            assert table.name(place) == (key, deadline)
            keys.add(key)
        assert len(keys) == table.keys
        assert {key for key, _ in table.names()} == keys
        assert {table.name(table.at(slot))[0] for slot in range(table.slots) if table.at(slot) >= 0} == keys
        deadlines = [table.due(number) for number in range(table.expires)]
        assert deadlines == sorted(deadlines)
        assert all(table.name(place)[1] == deadline for deadline, place in deadlines)
        assert table.find(b"no such key") == -1


def test_a_cold_store_counts_as_a_warm_one() -> None:
    client = filled()
    before = [client.call(*words) for words in (["DBSIZE"], ["INFO", "keyspace"], ["DEBUG", "DIGEST"])]
    names = set(client.call("KEYS", "*"))
    chill(client.store)
    assert not client.store.databases[0].data
    assert [client.call(*words) for words in (["DBSIZE"], ["INFO", "keyspace"], ["DEBUG", "DIGEST"])] == before
    assert set(client.call("KEYS", "*")) == names
    assert not client.store.databases[0].data, "counting and listing read no value"
    assert client.call("TYPE", "key:7") == b"string"


def swept(client: embedded.Client, *options: object) -> list[bytes]:
    cursor, found = b"0", []
    while True:
        cursor, page = client.call("SCAN", cursor, *options)
        found += page
        if cursor == b"0":
            return found


def test_a_scan_reads_no_value_and_gives_each_key_once() -> None:
    client = filled()
    chill(client.store)
    client.call("GET", "key:5")
    client.call("SET", "new", "1")
    client.call("DEL", "key:6")
    found = swept(client, "COUNT", 7)
    assert len(found) == len(set(found)) == client.call("DBSIZE") == 300
    assert len(client.store.databases[0].data) == 2
    assert sorted(swept(client, "TYPE", "string")) == sorted(found)
    assert swept(client, "TYPE", "hash") == []


@pytest.mark.parametrize("seed", range(20))
def test_a_scan_keeps_its_promise_while_keys_come_and_go(seed: int) -> None:
    rng = Random(seed)
    client = filled(200)
    chill(client.store)
    steady, cursor, seen = {f"key:{n}".encode() for n in range(0, 200, 2)}, b"0", set()
    while True:
        cursor, page = client.call("SCAN", cursor, "COUNT", rng.choice([1, 5, 20]))
        seen.update(page)
        if cursor == b"0":
            break
        for _ in range(rng.randrange(6)):
            other = 2 * rng.randrange(100) + 1
            client.call(*rng.choice([["DEL", f"key:{other}"], ["SET", f"key:{other}", "x"], ["GET", f"key:{other - 1}"],
                                     ["SET", f"new:{rng.randrange(50)}", "y"]]))  # fmt: skip
        if rng.random() < 0.1:
            client.store.databases[0].thaw(rng.choice([3, 50, 1000]))
    assert steady <= seen


def test_keys_expire_in_the_file_too() -> None:
    client = filled()
    chill(client.store)
    client.advance(1150)  # of the 100 keys with a deadline, those of 1000 to 1150 ms after now
    assert client.call("EXISTS", "key:150") == 0
    assert client.call("EXISTS", "key:153") == 1
    client.store.tick()
    assert client.call("DBSIZE") == 300 - 51
    assert client.call("PTTL", "key:153") == 3


def test_what_had_ended_before_opening_never_was_there() -> None:
    client = filled()
    now = client.store.clock.ns // MS
    chill(client.store, since=now + 1150)
    assert client.call("DBSIZE") == 300 - 51
    assert client.call("INFO", "keyspace").splitlines()[1].startswith(b"db0:keys=249,expires=49,")
    assert client.call("GET", "key:150") is None
    assert b"key:150" not in swept(client)
    assert len(client.call("KEYS", "*")) == 249


def test_random_keys_come_from_file_and_memory() -> None:
    client = filled(40)
    chill(client.store)
    client.call("SET", "new", "1")
    client.call("DEL", *(f"key:{n}" for n in range(2, 40)))
    client.store.rng.seed(3)
    assert {client.call("RANDOMKEY") for _ in range(60)} == {b"key:0", b"key:1", b"new"}


def test_a_fixed_store_forgets_what_it_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redtool.engine.cold.KEPT", 4000)
    client = filled()
    digest = client.call("DEBUG", "DIGEST")
    chill(client.store, fixed=True)
    for number in range(300):
        assert client.call("GET", f"key:{number}") == b"v" * (number % 90)
        assert len(client.store.databases[0].data) < 150
    assert client.call("DBSIZE") == 300
    assert client.call("DEBUG", "DIGEST") == digest


def answers(index: Index, keys: list[bytes]) -> list[object]:
    """What a cold store says of keys: a value, nothing, or an error."""
    client = embedded.Client()
    for table in index.tables:
        client.store.databases[table.number].chill(table)
    found = []
    for key in keys:
        try:
            found.append(client.call("GET", key))
        except errors.ReplyError as error:
            assert error.message.startswith("ERR snapshot: ")
            found.append(error)
    return found


def small() -> tuple[bytes, list[bytes], list[object]]:
    client = embedded.Client()
    for number in range(60):
        client.call("SET", f"key:{number}", f"value {number}")
    index = chill(client.store)
    assert index is not None
    keys = [f"key:{number}".encode() for number in range(62)]
    return bytes(index.data), keys, [*(f"value {number}".encode() for number in range(60)), None, None]


def test_no_byte_of_an_index_can_make_an_answer_wrong() -> None:
    data, keys, right = small()
    good = index_of(data, "snapshot")
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        try:
            found = Index("snapshot", data, bytes(bad))
        except Stale:
            continue
        assert found.mtime or answers(found, keys) == right, at


def test_a_damaged_entry_is_an_error_and_never_another_value() -> None:
    data, keys, right = small()
    index = index_of(data, "snapshot")
    for at in range(12, len(data) - 8, 3):
        bad = bytearray(data)
        bad[at] ^= 1 << at % 8
        for said, wanted in zip(answers(Index("snapshot", bytes(bad), index), keys), right, strict=True):
            assert said == wanted or isinstance(said, errors.ReplyError), at


def test_a_cut_index_is_not_believed() -> None:
    data, keys, right = small()
    good = index_of(data, "snapshot")
    for size in range(0, len(good), 5):
        try:
            found = Index("snapshot", data, good[:size])
        except Stale:
            continue
        assert answers(found, keys) == right


def test_an_index_of_another_snapshot_is_not_believed(tmp_path: Path) -> None:
    first, second = tmp_path / "first.rdb", tmp_path / "second.rdb"
    first.write_bytes(snapshot())
    write_index(str(first))
    assert open_index(str(first)) is not None
    other = bytearray(snapshot())
    other[-1] ^= 1
    second.write_bytes(other)
    os.rename(f"{first}.idx", f"{second}.idx")
    assert open_index(str(second)) is None
    assert open_index(str(first)) is None


def test_without_a_checksum_the_time_tells_a_snapshot_from_another(tmp_path: Path) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(snapshot()[:-8] + bytes(8))
    write_index(str(path))
    assert open_index(str(path)) is not None
    os.utime(path, ns=(5, 5))
    assert open_index(str(path)) is None


def test_a_damaged_snapshot_gets_no_index() -> None:
    data = bytearray(small()[0])
    data[60] ^= 4
    with pytest.raises(errors.CorruptFile):
        index_of(bytes(data), "dump.rdb")


def test_a_key_twice_is_damage() -> None:
    pieces: list[bytes] = []
    entries = [(b"k", b"1", None), (b"k", b"2", None)]
    save(pieces.append, [(0, 2, 0, entries)])
    with pytest.raises(errors.CorruptFile, match="twice"):
        index_of(b"".join(pieces), "dump.rdb")


def test_thawing_leaves_nothing_in_the_file() -> None:
    client = filled()
    digest = client.call("DEBUG", "DIGEST")
    chill(client.store)
    client.call("DEL", "key:10")
    client.call("SET", "key:10", "v" * 10)
    db = client.store.databases[0]
    while db.thaw(37):
        assert db.cold is not None
    assert db.cold is None
    assert len(db.data) == 300
    assert client.call("DEBUG", "DIGEST") == digest


def test_a_store_of_many_keys_is_not_read_when_it_opens() -> None:
    client = filled(5000)
    chill(client.store)
    store: Store = client.store
    assert client.call("MGET", "key:1", "key:4999") == [b"v", b"v" * (4999 % 90)]
    assert len(store.databases[0].data) == 2
