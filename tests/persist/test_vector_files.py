"""Vector sets through the journal, a rewrite, a snapshot and DUMP; exchanged with Redis 8 where it is named."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import redtool
from redtool import errors
from redtool.engine.quants import BITS, BYTES, FULL, Projection, Quant
from redtool.engine.vectors import VectorSet
from redtool.persist import payload
from redtool.persist.crc64 import crc64
from tests import servers

Ask = Callable[..., Any]

KINDS: dict[str, list[str | int]] = {
    "NOQUANT": ["NOQUANT"], "Q8": ["Q8"], "BIN": ["BIN", "M", 5], "REDUCE": ["NOQUANT"], "REDUCE Q8": ["Q8"],
}  # fmt: skip
DIM = 12
REDIS = pytest.mark.parametrize("name", sorted({"redis8"} & servers.named_servers().keys()))


def vectors(count: int) -> list[bytes]:
    rng = random.Random(7)
    return [array("f", [rng.gauss(0, 1) for _ in range(DIM)]).tobytes() for _ in range(count)]


def fill(ask: Ask, count: int = 70) -> None:
    """A set of each kind, with elements removed, moved and given attributes."""
    for kind, words in KINDS.items():
        reduce = ["REDUCE", 5] if kind.startswith("REDUCE") else []
        for n, vector in enumerate(vectors(count)):
            ask("VADD", kind, *reduce, "FP32", vector, f"e{n}", *words)
        for n in range(0, count, 5):
            ask("VREM", kind, f"e{n}")
        for n, vector in enumerate(vectors(2 * count)[count:]):
            if n % 9 == 0:
                ask("VADD", kind, *reduce, "FP32", vector, f"e{n}", *words, "SETATTR", f'{{"n":{n}}}')
        ask("VSETATTR", kind, "e1", "plain")
        ask("VSETATTR", kind, "e9", "")


def answers(ask: Ask) -> dict[str, Any]:
    """What is to be the same everywhere."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        for n in (0, 1, 2, 9, 18, 33):
            found[f"{kind} e{n}"] = ask("VEMB", kind, f"e{n}", "RAW"), ask("VGETATTR", kind, f"e{n}")
        facts = dict(zip(*[iter(ask("VINFO", kind))] * 2, strict=False)) if kind else {}
        found[f"{kind} facts"] = [facts.get(name) for name in (b"size", b"hnsw-m", b"attributes-count", b"vector-dim")]
        if kind != "BIN":  # which has ties, in any order
            query = ["VSIM", kind, "FP32", vectors(3)[2], "COUNT", 20, "WITHSCORES"]
            found[f"{kind} near"] = ask(*query, "TRUTH"), ask(*query, "FILTER", ".n > 0", "TRUTH")
            found[f"{kind} graph"] = ask(*query, "EF", 1000)
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose name is short enough for a socket."""
    with TemporaryDirectory() as path:
        yield Path(path)


def flat(store: Any) -> Ask:
    """A store's answers as RESP2 has them."""
    from redtool.resp import encode

    def ask(*words: Any) -> Any:
        import hiredis

        reader = hiredis.Reader()
        reader.feed(encode(store.execute(*words), 2))
        return reader.gets()

    return ask


def test_the_journal_gives_them_back(home: Path) -> None:
    with redtool.open(home) as store:
        fill(store.execute)
        expected = answers(flat(store))
        digest = store.execute("DEBUG", "DIGEST")
    with redtool.open(home) as store:
        assert answers(flat(store)) == expected
        assert store.execute("DEBUG", "DIGEST") == digest


def test_a_rewrite_and_a_snapshot_give_them_back(home: Path) -> None:
    with redtool.open(home) as store:
        fill(store.execute)
        expected = answers(flat(store))
        links = store.execute("VLINKS", "Q8", "e2")
        store.execute("SAVE")
        store.execute("BGREWRITEAOF")
    for path in (home, home / "dump.rdb"):
        with redtool.open(path) as store:
            assert answers(flat(store)) == expected
            assert store.execute("VLINKS", "Q8", "e2") == links


@REDIS
@pytest.mark.parametrize("way", ["journal", "dump"])
def test_redis_opens_the_directory(home: Path, name: str, way: str) -> None:
    with redtool.open(home) as store:
        fill(store.execute)
        expected = answers(flat(store))
        if way == "dump":
            store.execute("CONFIG", "SET", "appendonly", "no")
        else:
            store.execute("BGREWRITEAOF")
            store.execute("VADD", "late", "VALUES", 2, 1, 2, "a")
    server = servers.RealServer(name, servers.named_servers()[name], home, "--appendonly",
                                "yes" if way == "journal" else "no")  # fmt: skip
    try:
        while isinstance(server.call("PING"), errors.ReplyError):
            continue  # it loads
        assert answers(server.call) == expected
        for kind in KINDS:
            for n in range(1, 70, 3):
                server.call("VREM", kind, f"e{n}")
        changed = answers(server.call)
        server.call("SAVE" if way == "dump" else "DBSIZE")
        server.call("SHUTDOWN", "NOSAVE") if way == "dump" else server.process.terminate()
        server.process.wait(20)
    except ConnectionError:
        server.process.wait(20)
    finally:
        server.stop()
    (home / "s").unlink(missing_ok=True)
    with redtool.open(home) as store:
        assert answers(flat(store)) == changed


@REDIS
def test_payloads_go_both_ways(name: str) -> None:
    with servers.running(name, "--enable-debug-command", "yes") as server, redtool.open(":memory:") as store:
        fill(server.call)
        fill(store.execute)
        expected = answers(server.call)
        assert answers(flat(store)) == expected
        for kind in KINDS:
            assert server.call("DEBUG", "DIGEST-VALUE", kind) == store.execute("DEBUG", "DIGEST-VALUE", kind)
            theirs, ours = server.call("DUMP", kind), store.execute("DUMP", kind)
            assert server.call("RESTORE", kind, 0, ours, "REPLACE") == b"OK"
            assert payload.unpack(theirs).linked
            assert store.execute("RESTORE", kind, 0, theirs, "REPLACE") == b"OK"
        assert answers(server.call) == expected
        assert answers(flat(store)) == expected


# -- the bytes alone


def made(quant: Quant, projection: Projection | None = None, count: int = 9) -> VectorSet:
    dim = 5 if projection else DIM
    value = VectorSet(dim, quant, 4, projection)
    for n, vector in enumerate(vectors(count)):
        given = array("f", vector)
        value.put(b"e%d" % n, projection.apply(given) if projection else given, b"x" if n % 2 else None)
    return value


VALUES = {"full": made(FULL), "bytes": made(BYTES), "bits": made(BITS), "short": made(FULL, Projection.of(DIM, 5))}


@pytest.mark.parametrize("name", VALUES)
def test_links_are_kept(name: str) -> None:
    data = payload.pack(VALUES[name])
    value = payload.unpack(data)
    assert value.linked
    assert payload.pack(value) == data


def sealed(body: bytes) -> bytes:
    return body + crc64(body).to_bytes(8, "little")


@pytest.mark.parametrize("name", VALUES)
def test_damaged_payloads(name: str) -> None:
    """Each byte changed, and each cut: refused, or a set that can be searched and saved."""
    body = payload.pack(VALUES[name])[:-8]
    rng = random.Random(name)
    damaged = [body[:at] + body[-2:] for at in range(1, len(body) - 2)]
    damaged += [body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :] for at in range(len(body) - 2)]
    opened = 0
    for each in damaged:
        try:
            value = payload.unpack(sealed(each))
        except errors.ReplyError:
            continue
        if isinstance(value, VectorSet):
            opened += 1
            first = next(iter(value.nodes.values()))
            value.search(value.query_of(first), 3)
            payload.pack(value)
    assert opened
