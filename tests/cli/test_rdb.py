"""``redtool rdb``: checking, counting, listing and printing RDB files, whole and damaged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from time import time

import pytest

from redtool.cli.estimate import memory
from redtool.persist.walk import Walk
from tests.cli.program import Program
from tests.persist.datasets import sample, saved, serving

HEAD = b"REDIS0010"
GOOD = b"\0\x01a\x01b"
SET_TWICE = b"\x02\x01s\x02\x01m\x01m"  # a set that holds a member twice
NOW, HOUR = int(time() * 1000), 3600_000
SCRIPT = b"""
HSET user:1 name Ada city London
HSET user:2 name "\\xff\\x00"
SET session:1 v PXAT %d
SET session:2 v PXAT %d
ZADD board 140 grace 95.5 linus
RPUSH jobs a b c
SADD tags z y x
XADD events 1-1 kind click page /
XGROUP CREATE events readers 0
XREADGROUP GROUP readers me STREAMS events >
SELECT 2
SET n 5
SET "key \\xfe" "caf\xc3\xa9"
SAVE
""" % (NOW + 50 * 60_000, NOW + 400 * 24 * HOUR)


@pytest.fixture
def dump(filled: Path) -> str:
    return str(filled / "dump.rdb")


def damaged(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "damaged.rdb"
    path.write_bytes(data)
    return str(path)


def rows(p: Program, *words: str) -> list[list[bytes]]:
    done = p.call("rdb", "keys", *words)
    assert (done.code, done.err) == (0, "")
    return [line.split(b"\t") for line in done.lines]


# -- check


def test_check_of_a_whole_file(p: Program, dump: str) -> None:
    done = p.call("rdb", "check", dump)
    assert (done.code, done.err) == (0, "")
    assert b"keys\t10\n" in done.out and b"checksum\tok\n" in done.out and done.out.endswith(b"whole\tyes\n")
    found = json.loads(p.call("rdb", "check", dump, "--json").out)
    assert found["whole"] is True and found["problems"] == []
    assert (found["keys"], found["expires"], found["format"]) == (10, 2, "REDIS0010")


@pytest.mark.parametrize(("data", "problem"), [
    (HEAD + GOOD + SET_TWICE + b"\xff" + bytes(8), 'a set holds a member twice, in the set "s", at byte 14'),
    (HEAD + GOOD + b"\0\x01c", 'cut short or damaged, at the key "c", at byte 14'),
    (HEAD + GOOD + GOOD + b"\xff" + bytes(8), 'the key "a" of database 0 is there already at byte 9, at byte 14'),
    (saved(sample())[:-1] + b"\0", "the checksum does not match, at byte"),
    (b"not a dump", "not an RDB file, at byte 0"),
    (b"", "not an RDB file, at byte 0"),
    (HEAD + GOOD + b"\x1c\x01c\x01d", "value type 28 (ARRAY) is not supported, at byte 14"),
])  # fmt: skip
def test_check_tells_what_is_wrong_and_where(p: Program, tmp_path: Path, data: bytes, problem: str) -> None:
    path = damaged(tmp_path, data)
    done = p.call("rdb", "check", path)
    assert done.code == 1
    assert done.err.startswith(f"redtool: {path}: {problem}")
    assert b"whole\tno\n" in done.out
    found = json.loads(p.call("rdb", "check", path, "--json").out)
    assert found["whole"] is False
    assert problem.startswith(found["problems"][0]["problem"])


def test_check_finds_every_problem(p: Program, tmp_path: Path) -> None:
    path = damaged(tmp_path, HEAD + SET_TWICE + GOOD + SET_TWICE.replace(b"s", b"t") + GOOD + b"\xff" + bytes(8))
    found = json.loads(p.call("rdb", "check", path, "--json").out)
    assert [each["offset"] for each in found["problems"]] == [9, 22, 30]
    assert found["keys"] == 4
    assert "Without a checksum only the form could be checked." in p.call("rdb", "check", path).err
    done = p.call("rdb", "check", damaged(tmp_path, HEAD + GOOD + GOOD + b"\0\x01c"))
    assert done.code == 1
    assert "at the key \"c\", at byte 19" in done.err and "is there already at byte 9, at byte 14" in done.err


def test_a_key_may_be_in_two_databases(p: Program, tmp_path: Path) -> None:
    path = damaged(tmp_path, HEAD + GOOD + b"\xfe\x01" + GOOD + b"\xff" + bytes(8))
    assert p.call("rdb", "check", path).code == 0


@pytest.mark.parametrize("verb", ["check", "info", "json", "keys"])
def test_files_that_cannot_be_read(p: Program, tmp_path: Path, verb: str) -> None:
    done = p.call("rdb", verb, str(tmp_path / "none"))
    assert (done.code, done.out) == (3, b"")
    assert done.err == f"redtool: cannot read {tmp_path}/none: no such file or directory\n"
    done = p.call("rdb", verb, str(tmp_path))
    assert (done.code, done.err) == (2, f"redtool: {tmp_path} is a directory; name the RDB file in it\n")


# -- info


def test_info(p: Program, dump: str) -> None:
    found = json.loads(p.call("rdb", "info", dump, "--json", "--top", "3").out)
    assert (found["keys"], found["expires"], found["format"], found["functions"]) == (10, 2, "REDIS0010", 0)
    assert found["redis-ver"] == "7.0.15"
    assert [(each["database"], each["keys"]) for each in found["databases"]] == [(0, 8), (2, 2)]
    counts = {(each["type"], each["encoding"]): (each["keys"], each["elements"]) for each in found["types"]}
    assert counts == {("hash", "hashtable"): (2, 3), ("string", "raw"): (3, None), ("zset", "skiplist"): (1, 2),
                      ("list", "linkedlist"): (1, 3), ("set", "hashtable"): (1, 3), ("stream", "stream"): (1, 1),
                      ("string", "int"): (1, None)}  # fmt: skip
    assert found["expiry"] == {"over": 0, "within_an_hour": 1, "within_a_day": 0, "within_a_week": 0, "later": 1}
    sizes = [each["memory"] for each in found["largest"]]
    assert len(sizes) == 3 and sizes == sorted(sizes, reverse=True)
    assert found["largest"][0]["key"] == "events"
    assert found["memory"] == sum(each["memory"] for each in found["types"])


def test_info_as_lines(p: Program, dump: str) -> None:
    lines = p.call("rdb", "info", dump, "--top", "0").lines
    assert b"keys\t10" in lines
    assert b"expiry\tlater\t1" in lines
    assert not [line for line in lines if line.startswith(b"largest")]


def test_info_of_some_keys(p: Program, dump: str) -> None:
    found = json.loads(p.call("rdb", "info", dump, "--json", "--key", "user:*").out)
    assert (found["keys"], [each["type"] for each in found["types"]]) == (2, ["hash"])


@pytest.mark.parametrize("columns", [80, 140])
def test_info_on_a_terminal(p: Program, dump: str, columns: int) -> None:
    text = p.terminal("rdb", "info", dump, columns=columns).out.decode()
    assert re.search(r"^keys +10$", text, re.M)
    assert re.search(r"^within an hour +1$", text, re.M)
    assert re.search(r"^2 +2 +0 +\d+$", text, re.M)
    assert max(map(len, text.splitlines())) <= columns


# -- keys


def test_keys(p: Program, dump: str) -> None:
    found = {row[8]: row for row in rows(p, dump)}
    assert len(found) == 10
    assert found[b"jobs"][:5] == [b"0", b"list", b"linkedlist", b"3", b"1"]
    assert found[b"n"][:5] == [b"2", b"string", b"int", b"", b"1"]
    assert found[b"user:1"][7] == b"-1"
    assert 0 < int(found[b"session:1"][7]) <= 3000
    assert all(int(row[5]) > 0 and int(row[6]) > 0 for row in found.values())


@pytest.mark.parametrize(("words", "keys"), [
    ("--key user:*", {b"user:1", b"user:2"}),
    ("--type zset", {b"board"}),
    ("--db 2", {b"n", "key \ufffd".encode()}),  # as pytest reads what is not UTF-8
    ("-n 2 --key n", {b"n"}),
    ("--db 0 --type string", {b"session:1", b"session:2"}),
    ("--db 7", set()),
    ("--type vectorset", set()),
])  # fmt: skip
def test_keys_are_filtered(p: Program, dump: str, words: str, keys: set[bytes]) -> None:
    assert {row[8] for row in rows(p, dump, *words.split())} == keys


@pytest.mark.parametrize("order", ["memory", "bytes", "elements", "longest", "ttl", "key"])
def test_keys_are_sorted(p: Program, dump: str, order: str) -> None:
    column = {"memory": 6, "bytes": 5, "elements": 3, "longest": 4, "ttl": 7, "key": 8}[order]
    every = rows(p, dump, "--sort", order)
    found = [row[column] for row in every]
    if order == "key":
        assert found == sorted(found)
    elif order == "ttl":
        assert [int(ttl) > 0 for ttl in found] == [True] * 2 + [False] * 8
    else:
        values = [int(value or 0) for value in found]
        assert values == sorted(values, reverse=True)
    few = rows(p, dump, "--sort", order, "--limit", "4")
    assert [row[8] for row in few] == [row[8] for row in every][:4]
    if order != "ttl":  # which is another a second later
        assert [row[column] for row in few] == found[:4]


def test_keys_in_other_formats(p: Program, dump: str) -> None:
    head, first, *_ = p.call("rdb", "keys", dump, "--csv", "--key", "board").lines
    assert head == b"db,type,encoding,elements,longest,bytes,memory,ttl,key"
    assert first.startswith(b'0,"zset","skiplist",2,5,') and first.endswith(b',"board"')
    found = json.loads(p.call("rdb", "keys", dump, "--json", "--key", "key*").out)
    assert (found["key"], found["db"]) == ({"base64": "a2V5IP4="}, 2)
    text = p.terminal("rdb", "keys", dump, "--sort", "key").out.decode()
    assert re.search(r"^0 +hash +hashtable +2 +6 +\d+ +\d+ +- +user:1$", text, re.M)
    assert text.endswith("10 keys\n")
    assert p.terminal("rdb", "keys", dump, "--limit", "3").out.decode().endswith("3 keys, no more by --limit\n")
    assert "(no keys)" in p.terminal("rdb", "keys", dump, "--db", "9").out.decode()


def test_many_keys_on_a_terminal(p: Program, tmp_path: Path) -> None:
    path = damaged(tmp_path, saved({0: {b"key:%d" % n: (b"v", None) for n in range(300)}}))
    text = p.terminal("rdb", "keys", path).out.decode()
    assert len(set(re.findall(r"key:\d+", text))) == 300
    assert text.endswith("300 keys\n")
    assert rows(p, path, "--limit", "280")[-1][8] == b"key:279"


# -- json


def objects(p: Program, *words: str) -> dict[str, dict[str, object]]:
    done = p.call("rdb", "json", *words)
    assert (done.code, done.err) == (0, "")
    return {str(found["key"]): found for found in map(json.loads, done.lines)}


def test_json(p: Program, dump: str) -> None:
    found = objects(p, dump)
    values = {key: each["value"] for key, each in found.items() if key != "events"}
    assert values == {
        "user:1": {"name": "Ada", "city": "London"}, "user:2": {"name": {"base64": "/wA="}}, "session:1": "v",
        "session:2": "v", "board": [["linus", 95.5], ["grace", 140]], "jobs": ["a", "b", "c"],
        "tags": ["x", "y", "z"], "n": "5", "{'base64': 'a2V5IP4='}": "café",
    }  # fmt: skip
    assert found["n"] | {"db": 2} == {"db": 2, "key": "n", "type": "string", "encoding": "int", "value": "5"}
    assert "expires_at" in found["session:1"] and "expires_at" not in found["user:1"]
    stream = found["events"]["value"]
    assert isinstance(stream, dict)
    assert stream["entries"] == [["1-1", ["kind", "click", "page", "/"]]]
    assert stream["groups"][0]["pending"][0][:2] == ["1-1", "me"]
    assert len(objects(p, dump, "--limit", "3")) == 3
    assert objects(p, dump, "--db", "2", "--key", "n", "--type", "string").keys() == {"n"}


def test_json_of_every_type(p: Program, tmp_path: Path) -> None:
    path = damaged(tmp_path, saved(sample(), functions=[b"#!lua name=x\n"]))
    done = p.call("rdb", "json", path)
    assert done.code == 0
    assert "Not shown: 1 function library" in done.err
    lines = [json.loads(line) for line in done.lines]
    assert {each["type"] for each in lines} == {"string", "list", "set", "zset", "hash", "stream"}
    assert all("value" in each for each in lines)


@pytest.mark.parametrize("verb", ["json", "keys", "info"])
def test_damage_is_told_and_the_rest_is_shown(p: Program, tmp_path: Path, verb: str) -> None:
    path = damaged(tmp_path, HEAD + GOOD + SET_TWICE + b"\0\x04last\x01d\xfb")
    done = p.run("rdb", verb, path)
    assert done.code == 1
    assert "a set holds a member twice, in the set \"s\", at byte 14" in done.err
    assert "cut short or damaged, at byte 30" in done.err
    assert b"last" in done.out


@pytest.mark.parametrize(("words", "err"), [
    ("", "what about it? redtool rdb takes check, info, json, keys; see redtool rdb --help"),
    ("keys x --sort size", "keys cannot be sorted by 'size', only by memory, bytes, elements, longest, ttl, key"),
    ("keys x --type zst", "there is no type 'zst', only string, list, set, zset, hash, stream, vectorset, module"),
    ("open x", "there is no 'redtool rdb open', only check, info, json, keys; see redtool rdb --help"),
])  # fmt: skip
def test_misuse(p: Program, words: str, err: str) -> None:
    done = p.call("rdb", *words.split())
    assert (done.code, done.out, done.err) == (2, b"", f"redtool: {err}\n")


@pytest.mark.needs("redis-server")
def test_memory_is_about_a_servers(tmp_path: Path) -> None:
    """Within a third for what is large, and the sum within a fifth."""
    with serving("redis7", tmp_path) as server, server.client() as client:
        for n in (3, 100, 1000, 3000):
            client.call("HSET", f"hash {n}", *(word for i in range(n) for word in (f"field {i}", "v" * (i % 20))))
            client.call("SADD", f"ints {n}", *range(n))
            client.call("ZADD", f"zset {n}", *(word for i in range(n) for word in (i / 2, f"member {i}")))
            client.call("RPUSH", f"list {n}", *(f"element {i}" for i in range(n)))
            client.call("SET", f"string {n}", "x" * n)
        client.call("SADD", "set", *(f"member {i}" for i in range(1000)))
        client.call("SAVE")
        data = (tmp_path / "dump.rdb").read_bytes()
        sizes = []
        for entry in Walk(data, "dump"):
            real = client.call("MEMORY", "USAGE", entry.key, "SAMPLES", "0")
            sizes.append((entry.key, memory(entry.key, entry.value, False), real))
    assert [size for size in sizes if abs(size[1] - size[2]) > 64 + size[2] // 3] == []
    assert abs(sum(size[1] for size in sizes) / sum(size[2] for size in sizes) - 1) < 0.2
