"""``redtool diff``: what is not the same is found and shown from both sides, whatever versions the servers are of."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program
from tests.servers import RealServer
from tests.transfer.small import SCRIPT as SMALL

SCRIPT = SMALL.encode() + b"\nSELECT 2\nSET elsewhere 1\n"
Row = tuple[Any, ...]


@pytest.fixture
def a(filled: Path) -> str:
    return str(filled)


@pytest.fixture
def b(filled: Path, tmp_path: Path) -> str:
    """The same store once more."""
    return str(shutil.copytree(filled, tmp_path / "b"))


def diff(p: Program, *words: str) -> tuple[int, list[Row]]:
    """Run it; gives the exit code and the differences."""
    done = p.call("diff", *words, "--json")
    rows = [json.loads(line) for line in done.lines]
    return done.code, sorted((tuple(row.values()) for row in rows), key=repr)


def test_equal(p: Program, a: str, b: str) -> None:
    assert diff(p, a, b) == (0, [])
    done = p.call("diff", a, b, "--human")
    assert (done.code, done.out) == (0, b"no difference, 9 keys compared\n")
    assert p.call("diff", "default", b).code == 0


def test_several_at_once(p: Program, a: str, b: str) -> None:
    p.run("--store", b, input=b"HSET hash a 9 b 9 c 9 d 9 e 9\nSET new 1\nSELECT 2\nDEL elsewhere\nSELECT 5\nSET x 1\n")
    code, rows = diff(p, a, b)
    assert code == 1
    assert [row[:3] for row in rows] == [(0, "hash", "value"), (0, "new", "missing"), (2, "elsewhere", "missing"),
                                         (5, "x", "missing")]  # fmt: skip
    assert rows[0][3:] == ('"a": "1", "b": "2", no "c", 2 more', '"a": "9", "b": "9", "c": "9", 2 more')
    assert len(diff(p, a, b, "--limit", "2")[1]) == 2
    assert diff(p, a, b, "--db", "2")[1] == [(2, "elsewhere", "missing", "string, 1 byte", "-")]
    assert [row[:3] for row in diff(p, a, b, "--db", "2:5")[1]] == [(2, "elsewhere", "missing"), (2, "x", "missing")]
    done = p.call("diff", a, b, "--count", "--json")
    assert (done.code, json.loads(done.out)) == (1, {"compared": 9, "only_a": 1, "only_b": 2, "different": 1})
    rows = list(csv.reader(io.StringIO(p.call("diff", a, b, "--csv").out.decode())))
    assert (rows[0], len(rows)) == (["db", "key", "differs", "a", "b"], 5)
    done = p.call("diff", a, b, "--human")
    assert done.lines[-1] == b"1 only in a, 2 only in b, 1 different; 9 keys of a compared"


def test_a_choice(p: Program, a: str, b: str) -> None:
    p.run("--store", b, input=b"SET text other\nEXPIRE n 100\nRENAME list set\nSET m 1\n")
    assert [row[1:3] for row in diff(p, a, b, "--match", "t*")[1]] == [("text", "value")]
    assert [row[1:3] for row in diff(p, a, b, "--type", "list")[1]] == [("list", "missing"), ("set", "type")]
    keys = [("list", "missing", "list", "-"), ("m", "missing", "-", "string"), ("n", "ttl", "no TTL"),
            ("set", "type", "set", "list")]  # fmt: skip
    found = diff(p, a, b, "--keys-only")[1]
    assert [row[1:][: len(keys[at])] for at, row in enumerate(found)] == keys
    assert "n" not in [row[1] for row in diff(p, a, b, "--no-ttl")[1]]
    assert p.call("--store", b, "PEXPIREAT", "session", "4102444801123").code == 0
    assert "session" not in [row[1] for row in diff(p, a, b)[1]]
    assert "session" in [row[1] for row in diff(p, a, b, "--ttl-tolerance", "999")[1]]


def test_servers_of_two_kinds(p: Program, a: str, valkey: RealServer, redis7: RealServer) -> None:
    """Their payloads are never the same bytes."""
    urls = []
    for server in (valkey, redis7):
        server.flush()
        urls.append(f"unix://{server.socket}")
        assert p.call("copy", a, urls[-1]).code == 0
    assert diff(p, *urls) == (0, [])
    redis7.call("ZADD", "zset", 7, "b")
    redis7.call("SADD", b"\xff\0", "m")
    assert diff(p, *urls) == (1, [(0, "zset", "value", '"b": 2.5', '"b": 7'),
                                  (0, {"base64": "/wA="}, "missing", "-", "set, 1 element")])  # fmt: skip
    assert diff(p, a, urls[0])[0] == 0
    assert diff(p, urls[1], a)[0] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["./nowhere", "B"], "there is no store ./nowhere"),
        (["B", "./nowhere"], "there is no store ./nowhere"),
        (["B", "B"], "both are "),
        (["B", "missing.rdb"], "no such file"),
        (["B", "redis://127.0.0.1:1"], "connection refused"),
        (["B"], "missing argument"),
        (["B", "@unknown"], "no target is called 'unknown'"),
    ],
)
def test_trouble(p: Program, b: str, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, as diff's."""
    monkeypatch.chdir(p.home)
    done = p.call("diff", *(b if word == "B" else word for word in words))
    assert (done.code, done.out) == (2, b"")
    assert told in done.err.lower() or told in done.err
    assert not (p.home / "nowhere").exists()


@pytest.mark.parametrize("columns", [80, 140])
def test_on_a_terminal(p: Program, a: str, b: str, columns: int) -> None:
    p.run("--store", b, input=b"SET text " + b"x" * 300 + b"\nDEL list\nHSET hash b 3\n")
    done = p.terminal("diff", a, b, columns=columns)
    assert done.code == 1
    assert max(map(len, done.out.decode().splitlines())) <= columns
    assert b"1 only in a, 0 only in b, 2 different; 9 keys of a compared" in done.out
