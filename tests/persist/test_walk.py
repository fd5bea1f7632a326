"""Walking over RDB files: the same keys as loading gives, of every server's files; stepping over values; damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from redtool import errors
from redtool.engine.vectors import VectorSet
from redtool.persist.codecs import DAMAGE, REDIS, VALKEY
from redtool.persist.rdb import load
from redtool.persist.skip import skip
from redtool.persist.tail import Tail
from redtool.persist.walk import FORMS, OFF, OK, WRONG, Walk, opened
from tests.persist.datasets import Collected, plain, sample, saved, serving
from tests.servers import named_servers


def same_as_loaded(data: bytes) -> Walk:
    """Walk over a file and compare with its loading."""
    loaded = Collected()
    load(data, loaded)
    walk = Walk(data, "file")
    entries = list(walk)
    found: dict[int, dict[bytes, object]] = {}
    for entry in entries:
        assert entry.problem == ""
        found.setdefault(entry.db, {})[entry.key] = (plain(entry.value), entry.deadline)
        assert data[entry.offset : entry.offset + entry.size].find(entry.key) >= 0 or entry.key.isdigit()
    assert found == {db: keys for db, keys in loaded.plain().items() if keys}
    skipped = Walk(data, "file", lambda db, type, key: False)
    assert list(skipped) == []
    assert (skipped.keys_seen, skipped.pos, skipped.checksum) == (walk.keys_seen, walk.pos, walk.checksum)
    assert walk.keys_seen == len(entries)
    return walk


@pytest.mark.parametrize("version", [10, 12, 80])
def test_own_files(version: int) -> None:
    walk = same_as_loaded(saved(sample(), version=version, functions=[b"#!lua name=x\n"]))
    assert (walk.checksum, walk.trailing, walk.found.functions) == (OK, 0, [b"#!lua name=x\n"])
    assert walk.found.facts[b"redis-bits"] == b"64"


@pytest.mark.parametrize("name", named_servers())
def test_files_of_servers(name: str, tmp_path: Path) -> None:
    with serving(name, tmp_path) as server, server.client() as client:
        for n in (2, 200, 1000):
            client.call("RPUSH", f"list {n}", *range(n))
            client.call("SADD", f"ints {n}", *range(n))
            client.call("SADD", f"set {n}", *(f"m{i}" for i in range(n)))
            client.call("HSET", f"hash {n}", *(word for i in range(n) for word in (f"f{i}", "x" * (i % 90))))
            client.call("ZADD", f"zset {n}", *(word for i in range(n) for word in (i / 3, f"m{i}")))
            for i in range(n):
                client.call("XADD", f"stream {n}", f"{i + 1}-1", "f", i)
            client.call("XGROUP", "CREATE", f"stream {n}", "g", "0")
            client.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 2, "STREAMS", f"stream {n}", ">")
        client.call("RPUSH", "long", "x" * 10_000, "y")
        client.call("SET", "packed", "ab" * 2000, "PX", 10**9)
        client.call("SET", "number", -70000)
        client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        client.call("SELECT", 3)
        client.call("SET", "k", "v")
        client.call("SAVE")
    [path] = [path for path in tmp_path.rglob("*.rdb") if "base" not in path.name]
    same_as_loaded(path.read_bytes())


def test_form_of_each_type_is_named() -> None:
    for kind in {*range(26)} - {6, 8}:
        assert (kind in FORMS) == (REDIS.homes.get(kind) is not None or kind == 0), kind
    assert VALKEY.homes.keys() <= FORMS.keys()


def test_values_of_modules() -> None:
    vectors = VectorSet(2)
    vectors.put(b"one", [1.0, 2.0], b"{}")
    other = b"\x07\x01m\x81" + (0x1234 << 10).to_bytes(8, "big") + b"\x02\x05\x05\x03abc\0"
    data = saved({0: {b"v": (vectors, None)}})[:-9] + other + b"\xff" + bytes(8)
    walk = Walk(data, "file")
    found = [(entry.key, entry.type, entry.encoding) for entry in walk]
    assert found == [(b"v", "vectorset", "vectorset"), (b"m", "module", "AAAAAABI0")]
    assert list(Walk(data, "file", lambda db, type, key: False)) == []


@pytest.mark.parametrize("kind", sorted(FORMS.keys() - {7}))
@pytest.mark.parametrize("valkey", [False, True])
def test_stepping_over_what_is_cut_short_is_noticed(kind: int, valkey: bool) -> None:
    """A count that promises more than there is ends at the end, not after counting."""
    for data in (b"", b"\x05", b"\x81" + b"\x7f" * 8, b"\x81" + b"\x7f" * 8 + b"\0" * 50):
        with pytest.raises(DAMAGE):
            skip(data, 0, kind, valkey)


HEAD = b"REDIS0010"
GOOD = b"\0\x01a\x01b"
SET_TWICE = b"\x02\x01s\x02\x01m\x01m"  # a set that holds a member twice


def test_damaged_value_does_not_hide_what_follows() -> None:
    walk = Walk(HEAD + GOOD + SET_TWICE + b"\0\x01c\x01d" + b"\xff" + bytes(8), "file")
    entries = list(walk)
    assert [(entry.key, entry.problem) for entry in entries] == [
        (b"a", ""), (b"s", "a set holds a member twice"), (b"c", "")]  # fmt: skip
    assert (entries[1].offset, entries[1].size, entries[1].value) == (14, 8, None)
    assert walk.checksum == OFF


@pytest.mark.parametrize(("data", "offset", "reason"), [
    (HEAD + GOOD + b"\0\x01c", 14, "cut short or damaged"),
    (HEAD + GOOD + b"\x1a\x01c\x01d", 14, "value type 26 (STREAM_4) is not supported"),
    (HEAD + GOOD + b"\xff\0\0", 17, "the file ends too early"),
    (HEAD + GOOD, 14, "cut short or damaged"),
    (b"RUBBISH 10", 0, "not an RDB file"),
])  # fmt: skip
def test_what_cannot_be_walked_over(data: bytes, offset: int, reason: str) -> None:
    with pytest.raises(errors.CorruptFile) as error:
        list(Walk(data, "file"))
    assert (error.value.offset, error.value.reason) == (offset, reason)


def test_checksum_and_what_lies_behind() -> None:
    data = saved({0: {b"a": (b"1", None)}})
    walk = Walk(data[:-1] + bytes([data[-1] ^ 1]) + b"more", "file")
    assert [entry.key for entry in walk] == [b"a"]
    assert (walk.checksum, walk.trailing) == (WRONG, 4)


@pytest.mark.parametrize("size", [10, 100_000])
def test_files_are_read_or_mapped(tmp_path: Path, size: int) -> None:
    path = tmp_path / "dump.rdb"
    path.write_bytes(saved({0: {b"key": (b"x" * size, None)}}))
    with opened(str(path)) as data:
        [entry] = Walk(data, str(path))
    assert entry.value == b"x" * size
    with pytest.raises(errors.StoreError, match="no such file"), opened(str(tmp_path / "none")):
        pass


# -- the commands of a journal one at a time


def words(*argv: bytes) -> bytes:
    return b"*%d\r\n" % len(argv) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in argv)


def test_tail(tmp_path: Path) -> None:
    path = tmp_path / "incr.aof"
    parts = [words(b"SELECT", b"2"), b"#TS:1700000000\r\n", words(b"SET", b"a", b"x" * 600_000), words(b"DEL", b"a")]
    whole = b"".join(parts)
    path.write_bytes(whole + words(b"SET", b"b", b"1")[:-5])
    tail = Tail(str(path))
    found = [(command.argv[0], command.offset, command.db, command.time) for command in tail.read()]
    third = len(parts[0]) + len(parts[1])
    assert found == [(b"SELECT", 0, 2, None), (b"SET", third, 2, 1700000000),
                     (b"DEL", third + len(parts[2]), 2, 1700000000)]  # fmt: skip
    assert (tail.pos, tail.rest, list(tail.read())) == (len(whole), len(words(b"SET", b"b", b"1")) - 5, [])
    path.write_bytes(whole + words(b"SET", b"b", b"1") + words(b"PING"))
    assert [command.argv for command in tail.read()] == [[b"SET", b"b", b"1"], [b"PING"]]
    path.write_bytes(path.read_bytes() + b"rubbish\r\n")
    with pytest.raises(errors.CorruptFile, match="does not start with"):
        list(tail.read())
    tail.close()


def test_tail_of_a_file_with_an_rdb_part(tmp_path: Path) -> None:
    path = tmp_path / "base.aof"
    head = saved({0: {b"a": (b"1", None), b"b": (b"2", None)}})
    path.write_bytes(head + words(b"SET", b"c", b"3"))
    tail = Tail(str(path))
    assert tail.keys == 2
    assert [(command.argv, command.offset) for command in tail.read()] == [([b"SET", b"c", b"3"], len(head))]
    tail.close()


@pytest.mark.parametrize("cut", range(1, 40))
def test_tail_waits_for_the_rest_wherever_it_ends(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "incr.aof"
    whole = words(b"SET", b"key", b"v\r\nw") + b"#TS:5\r\n" + words(b"DEL", b"k")
    path.write_bytes(whole[:-cut])
    tail = Tail(str(path))
    before = list(tail.read())
    path.write_bytes(whole)
    assert [command.argv for command in before + list(tail.read())] == [[b"SET", b"key", b"v\r\nw"], [b"DEL", b"k"]]
    tail.close()
