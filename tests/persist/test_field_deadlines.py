"""Deadlines of hash fields through the journal, a rewrite and a dump, here and at Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import redtool
from redtool.backends.embedded import Embedded
from tests.persist.datasets import serving

LATER = 4_000_000_000_000
LINES = [
    "HSET h a 1 b 2 c 3.5",
    f"HPEXPIREAT h {LATER} FIELDS 2 a c",
    "HINCRBYFLOAT h c 1",
    "HINCRBY h a 1",
    f"HSETEX e PXAT {LATER + 5} FIELDS 2 a 1 b 2",
    "HSETEX e KEEPTTL FIELDS 2 a 9 z 1",
    "HGETEX e PERSIST FIELDS 1 b",
    "HSETEX g EX 1000 FIELDS 3 a 1 b 2 c 3",
    "HGETDEL g FIELDS 1 b",
    "HEXPIRE g 0 FIELDS 1 c",
    f"HEXPIREAT g {LATER // 1000} LT FIELDS 1 a",
    "COPY h copied",
    "RENAME copied renamed",
    "HSET renamed a 5",
]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose name is short enough for a socket."""
    with TemporaryDirectory() as path:
        yield Path(path)


def contents(call: Any) -> dict[bytes, list[tuple[bytes, bytes, int]]]:
    """Fields, values and deadlines of all hashes."""
    out = {}
    for key in call("KEYS", "*"):
        fields = sorted(call("HKEYS", key))
        out[key] = [(f, call("HGET", key, f), call("HPEXPIRETIME", key, "FIELDS", 1, f)[0]) for f in fields]
    return out


def fill(store: Embedded) -> dict[bytes, list[tuple[bytes, bytes, int]]]:
    for line in LINES:
        store.execute(*line.split())
    return contents(store.execute)


def test_the_journal_gives_them_back(home: Path) -> None:
    with redtool.open(home) as store:
        expected = fill(store)
    assert expected[b"h"] == [(b"a", b"2", LATER), (b"b", b"2", -1), (b"c", b"4.5", LATER)]
    assert expected[b"e"] == [(b"a", b"9", LATER + 5), (b"b", b"2", -1), (b"z", b"1", -1)]
    with redtool.open(home) as store:
        assert contents(store.execute) == expected


def test_a_rewrite_gives_them_back_and_is_a_file_of_redis_7_4(home: Path) -> None:
    with redtool.open(home) as store:
        expected = fill(store)
        store.execute("BGREWRITEAOF")
    assert next((home / "appendonlydir").glob("*.base.rdb")).read_bytes()[:9] == b"REDIS0012"
    with redtool.open(home) as store:
        assert contents(store.execute) == expected


def test_a_dataset_that_has_lost_them_is_a_plain_file_again(home: Path) -> None:
    with redtool.open(home) as store:
        store.execute("HSETEX", "h", "EX", 100, "FIELDS", 1, "a", 1)
        store.execute("HPERSIST", "h", "FIELDS", 1, "a")
        store.execute("SAVE")
    assert (home / "dump.rdb").read_bytes()[:9] == b"REDIS0010"


def test_what_passed_while_the_store_was_closed_is_gone(home: Path) -> None:
    """Except what was given another deadline, or none, before that: nothing is removed while the journal is read."""
    with redtool.open(home) as store:
        when = time.time_ns() // 1_000_000 + 86_400_000
        for line in ("HSET h ends 1 stays 2 later 3 again 4", f"HPEXPIREAT h {when} FIELDS 4 ends stays later again",
                     "HPERSIST h FIELDS 1 stays", f"HPEXPIREAT h {LATER} FIELDS 1 later", "HSET h again 5",
                     f"HSETEX all PXAT {when} FIELDS 2 a 1 b 2"):  # fmt: skip
            store.execute(*line.split())
        assert store.execute("DBSIZE") == 2
    increment = next((home / "appendonlydir").glob("*.incr.aof"))
    gone = str(when).encode()
    increment.write_bytes(increment.read_bytes().replace(gone, b"1" + gone[1:].replace(gone[1:], b"0" * len(gone[1:]))))
    with redtool.open(home) as store:
        assert contents(store.execute) == {
            b"h": [(b"again", b"5", -1), (b"later", b"3", LATER), (b"stays", b"2", -1)]
        }  # fmt: skip
    with redtool.open(home) as store:
        assert list(contents(store.execute)) == [b"h"]


@pytest.mark.parametrize("rewrite", [False, True])
def test_valkeys_files_are_read(home: Path, rewrite: bool) -> None:
    with serving("valkey", home, "--appendonly", "yes") as server, server.client() as client:
        for line in LINES:
            client.call(*line.split())
        if rewrite:
            client.call("BGREWRITEAOF")
            while b"aof_rewrite_in_progress:1" in client.call("INFO", "persistence"):
                client.call("PING")
            client.call("HSETEX", "after", "PXAT", LATER, "FIELDS", 1, "a", 1)
        expected = contents(client.call)
    with redtool.open(home) as store:
        assert contents(store.execute) == expected


def test_valkey_reads_our_journal(home: Path) -> None:
    with redtool.open(home) as store:
        expected = fill(store)
    with serving("valkey", home, "--appendonly", "yes") as server, server.client() as client:
        assert contents(client.call) == expected
