"""The verbs, on an embedded store and on a real server; and that a verb's name does not hide the command."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pexpect
import pytest

from tests.cli.program import COMMAND, Program
from tests.servers import RealServer, running

KEYS = [f"user:{n}" for n in range(1, 6)]


@pytest.fixture(params=["embedded", "remote"])
def where(request: pytest.FixtureRequest, p: Program) -> list[str]:
    """Options of a target with five hashes, two strings with a TTL and a list."""
    target: list[str] = []
    if request.param == "remote":
        server: RealServer = request.getfixturevalue("server")
        target = ["-s", server.socket]
    script = b"".join(b"HSET %s name x\n" % key.encode() for key in KEYS)
    script += b"SET s:1 v EX 3600\nSET s:2 v PX 100000000\nRPUSH list a b c\n"
    assert p.run(*target, input=script).code == 0
    return target


# -- scan


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ([], [*KEYS, "list", "s:1", "s:2"]),
        (["user:*"], KEYS),
        (["user:*", "--count", "1"], KEYS),
        (["--type", "string"], ["s:1", "s:2"]),
        (["*1", "--type", "hash"], ["user:1"]),
        (["nothing*"], []),
        (["user:*", "-n", "5"], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_scan(p: Program, where: list[str], words: list[str], keys: list[str]) -> None:
    done = p.call(*where, "scan", *words)
    assert (done.code, done.err) == (0, "")
    assert sorted(done.out.decode().splitlines()) == sorted(keys)


def test_scan_limit(p: Program, where: list[str]) -> None:
    for limit in (1, 3, 8, 100):
        assert len(p.call(*where, "scan", "--limit", str(limit), "--count", "2").lines) == min(limit, 8)


def test_scan_long(p: Program, where: list[str]) -> None:
    before = p.call(*where, "TTL", "s:1").lines[0]
    rows = {key: (kind, ttl, int(size)) for kind, ttl, size, key in
            (line.decode().split("\t") for line in p.call(*where, "scan", "--long").lines)}  # fmt: skip
    assert len(rows) == 8
    assert rows["user:1"][:2] == ("hash", "-1")
    assert rows["s:1"][0] == "string"
    assert int(before) >= int(rows["s:1"][1]) >= int(p.call(*where, "TTL", "s:1").lines[0])
    assert rows["list"][0] == "list"
    assert all(size > 0 for *_, size in rows.values())


def test_scan_formats(p: Program, where: list[str]) -> None:
    assert p.call(*where, "scan", "list", "--json").out == b'"list"\n'
    assert p.call(*where, "--csv", "scan", "list").out == b'"list"\n'
    assert p.call(*where, "scan", "list", "--null").out == b"list\0"
    row = json.loads(p.call(*where, "scan", "list", "--json", "-l").out)
    assert row | {"size": 0} == {"type": "list", "ttl": -1, "size": 0, "key": "list"}
    assert p.call(*where, "scan", "list", "-l", "--csv").out.startswith(b'"list",-1,')
    assert p.call(*where, "scan", "list", "-l", "-0").out.endswith(b"\tlist\0")


def test_scan_of_bytes(p: Program) -> None:
    names = [b"a\0b", b"new\nline", b"\xff\xfe", b"tab\t"]
    for name in names:
        assert p.run("-x", "RPUSH", "names", input=name).code == 0
        assert p.run("SET", name.replace(b"\0", b"-"), "v").code == 0
    p.run("-x", "SETRANGE", "holder", "0", input=b"a\0b")
    script = b"DEL names holder\n" + b'SET "a\\x00b" v\nDEL a-b\n'
    assert p.run(input=script).code == 0
    found = p.run("scan", "--null").out.split(b"\0")
    assert b"new\nline" in found and b"\xff\xfe" in found and b"tab\t" in found
    assert p.run("scan", "a*").out == b"a\0b\n"
    assert p.run("scan", b"\xff*").out == b"\xff\xfe\n"
    assert p.run("scan", b"\xff*", "--json").out == b'{"base64":"//4="}\n'


def test_scan_on_a_terminal(p: Program) -> None:
    p.run(input=b"SET b 1\nSET a 2 EX 7200\nHSET c f v\n")
    assert p.terminal("scan").out.decode().splitlines()[-2:] == ["a  b  c", "3 keys"]
    text = p.terminal("scan", "--long").out.decode()
    assert re.search(r"type +ttl +size +key", text)
    assert re.search(r"string +(2h|1h 59m) +\d+ +a", text)
    assert re.search(r"hash +- +\d+ +c", text)
    assert "(no keys)" in p.terminal("scan", "nothing").out.decode()


def test_scan_of_many_on_a_terminal(p: Program) -> None:
    p.run(input=b"".join(b"SET key:%d v\n" % n for n in range(2300)))
    text = p.terminal("scan").out.decode()
    assert sorted(set(re.findall(r"key:\d+", text))) == sorted(f"key:{n}" for n in range(2300))
    assert text.splitlines()[-1] == "2,300 keys"


# -- the others


def test_memory_usage(p: Program, where: list[str]) -> None:
    one = p.call(*where, "MEMORY", "USAGE", "list").out
    assert p.call(*where, "memory", "usage", "list").out == one
    several = p.call(*where, "memory", "usage", "list", "user:1", "missing").lines
    assert several[0] == one.strip() + b"\tlist"
    assert several[2] == b"\tmissing"
    sizes = [int(line.split(b"\t")[0] or 0) for line in several]
    assert sizes[-1] == sum(sizes[:-1])
    reply = json.loads(p.call(*where, "--json", "memory", "usage", "list", "user:1").out)
    assert reply["total"] == sum(reply["keys"].values())


def test_memory_usage_on_a_terminal(p: Program) -> None:
    p.run("-x", "SET", "large", input=b"x" * 5000)
    text = p.terminal("memory", "usage", "large", "none").out.decode()
    assert re.search(r"\d\.\d\dK +large", text)
    assert re.search(r"- +none", text)
    assert re.search(r"2 keys · \d\.\d\dK \(\d,\d+ bytes\) in all", text)


def test_bgsave(p: Program, where: list[str]) -> None:
    assert p.call(*where, "bgsave", "--wait").out == b"Background saving started\n"
    if not where:
        assert (p.store / "dump.rdb").read_bytes()[:5] == b"REDIS"
        assert b"user:3" in p.call("--store", str(p.store / "dump.rdb"), "scan").out


def test_bgsave_without_waiting(p: Program) -> None:
    p.call("SET", "a", "1")
    assert p.call("bgsave").out == b"Background saving started\n"
    assert p.call("bgsave", "schedule", "--wait").code == 0


def test_failed_bgsave(p: Program) -> None:
    p.call("SET", "a", "1")
    (p.store / "dump.rdb").mkdir()
    done = p.run("bgsave", "--wait")
    assert done.code == 1
    assert done.err == "redtool: saving failed; the files are as they were before\n"


def test_aof(p: Program) -> None:
    p.run(input=b"INCR n\n" * 500)
    before = json.loads(p.call("aof", "status", "--json").out)
    assert before["enabled"] is True
    assert before["appendfsync"] == "everysec"
    assert [file["kind"] for file in before["files"]] == ["base", "increment"]
    assert p.call("aof", "rewrite", "--wait").out == b"Background append only file rewriting started\n"
    after = json.loads(p.call("aof", "status", "--json").out)
    assert after["size"] < before["size"]
    assert after["size"] == sum(file["bytes"] for file in after["files"])
    assert p.call("GET", "n").out == b"500\n"
    assert b"appendfsync\teverysec\n" in p.call("aof", "status").out


def test_aof_on_a_server(p: Program) -> None:
    with running("valkey", "--appendonly", "yes") as server:
        target = ["-s", server.socket]
        assert p.call(*target, "aof", "rewrite", "--wait").code == 0
        status = json.loads(p.call(*target, "aof", "status", "--json").out)
        assert status["enabled"] is True
        assert "files" not in status
        server.call("CONFIG", "SET", "appendonly", "no")
        assert p.call(*target, "aof", "status").out == b"enabled\tno\n"
        assert "turn it on" in p.call(*target, "--human", "aof", "status").err


def test_policy(p: Program, where: list[str]) -> None:
    if where:
        assert p.call(*where, "CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction").code == 0
    shown = json.loads(p.call(*where, "policy", "--json").out)
    assert (shown["policy"], shown["maxmemory"], shown["keys"], shown["keys_with_ttl"]) == ("noeviction", 0, 8, 2)
    assert p.call(*where, "policy", "set", "allkeys-lru", "--maxmemory", "2gb").out == b"OK\n"
    shown = json.loads(p.call(*where, "policy", "--json").out)
    assert (shown["policy"], shown["maxmemory"]) == ("allkeys-lru", 2 << 30)
    assert any("6 without a TTL" in text for text in shown["advice"])
    assert b"policy\tallkeys-lru\n" in p.call(*where, "policy").out
    done = p.call(*where, "policy", "set", "volatile-ttl", "--maxmemory", "much")
    assert (done.code, done.out) == (1, b"")
    assert p.call(*where, "CONFIG", "GET", "maxmemory-policy").lines[1] == b"allkeys-lru"
    p.call(*where, "CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction")


def test_policy_advice_on_a_terminal(p: Program) -> None:
    p.call("SET", "a", "1")
    text = p.terminal("policy", "set", "volatile-lru", "--maxmemory", "1gb").out.decode()
    assert "No key has a TTL" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_limit_is_kept_when_the_command_has_ended(p: Program) -> None:
    p.run(input=b"".join(b"SET %d x\n" % n for n in range(1000)))
    assert p.run("policy", "set", "allkeys-lru", "--maxmemory", "40kb").code == 0
    assert 0 < int(p.run("--raw", "DBSIZE").out) < 500


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("lru", "allkeys-lru"), ("volatile", "volatile-lru"), ("no-eviction", "noeviction"),
     ("allkeys_lfu", "allkeys-lfu")],
)
def test_policy_that_does_not_exist(p: Program, typed: str, meant: str) -> None:
    done = p.call("policy", "set", typed)
    assert (done.code, done.out) == (2, b"")
    assert f"there is no policy '{typed}'; did you mean {meant}?" in done.err


def test_config(p: Program) -> None:
    assert p.call("config", "set", "appendfsync", "always", "list-max-listpack-size", "-1").out == b"OK\n"
    assert p.call("config", "get", "appendfsync").out == b"appendfsync\nalways\n"
    assert p.call("config", "get", "list-max-listpack-size", "--json").out == b'{"list-max-listpack-size":"-1"}\n'
    assert p.call("config", "set", "appendfsync").code == 2
    assert p.call("config", "get").code == 2
    assert p.call("config", "set", "appendfsync", "maybe").code == 1


# -- a verb does not hide the command of its name


@pytest.mark.parametrize(
    "words",
    [
        "config get save*", "config get maxmemory appendonly", "config resetstat", "config nosuch x", "config help",
        "scan 0", "scan 0 match user:*", "scan 0 match user:* count 100 type hash", "scan 0 count x",
        "scan 99 nonsense",
        "memory usage list", "memory usage list samples 5", "memory usage list SAMPLES 0",
        "memory usage list samples x",
        "memory usage missing", "memory doctor", "memory nosuch", "bgsave nonsense", "config set appendfsync maybe",
        "config set nosuch 1",
    ],
)  # fmt: skip
def test_the_commands_own_arguments(p: Program, words: str) -> None:
    p.run(input=b"".join(b"HSET %s name x\n" % key.encode() for key in KEYS) + b"RPUSH list a b c\n")
    verb, command = p.call(*words.split()), p.call("--", *words.split())
    capitals = p.call(*[word.upper() if at == 0 else word for at, word in enumerate(words.split())])
    assert (verb.code, verb.out, verb.err) == (command.code, command.out, command.err)
    assert (verb.code, verb.out, verb.err) == (capitals.code, capitals.out, capitals.err)


def test_bgsave_schedule_is_the_command(p: Program) -> None:
    assert p.call("bgsave", "schedule").out == p.call("BGSAVE", "SCHEDULE").out == b"Background saving started\n"


# -- shared options, before and after


@pytest.mark.parametrize(
    "words",
    [
        "--store {d} scan",
        "scan --store {d}",
        "scan --store={d} k*",
        "scan k* --store {d}",
        "scan -- k*",
        "memory usage --store {d} k k",
        "--store {d} memory usage k k",
        "config --store {d} get save",
        "policy --store {d} list",
        "aof --json rewrite --wait",
        "aof --wait 1 status",
        "aof status --store {d}",
    ],
)
def test_options_before_and_after(p: Program, words: str) -> None:
    other = str(p.home / "other")
    p.call("--store", other, "SET", "k", "v")
    p.call("SET", "k", "v")
    done = p.call(*[word.format(d=other) for word in words.split()])
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_the_target_behind_the_verb_counts(p: Program) -> None:
    other = str(p.home / "other")
    p.call("--store", other, "SET", "only-there", "v")
    assert p.call("scan", "--store", other).out == b"only-there\n"
    assert p.call("scan").out == b""


@pytest.mark.parametrize(
    ("words", "err"),
    [
        ("scan --nosuch", "no such option: --nosuch; see redtool scan --help"),
        ("scan a b", "one pattern, in quotes so that the shell leaves it alone: redtool scan 'a'"),
        ("scan 0 --long", "'scan 0' is the Redis command, which has none of these options"),
        ("scan --limit x", "invalid value for '--limit': 'x' is not a valid int; see redtool scan --help"),
        ("scan --type", "option '--type' requires an argument; see redtool scan --help"),
        ("scan -h", "-h needs a value: -h HOST; for help: --help"),
        ("scan --store", "--store needs a value: --store DIR"),
        ("memory", "what about it? redtool memory takes usage; see redtool memory --help"),
        ("memory usage", "which key? For example: redtool memory usage user:1"),
        ("policy drop", "there is no 'redtool policy drop', only list, set; see redtool policy --help"),
        ("policy set", "missing argument 'POLICY'; see redtool policy set --help"),
        ("aof", "what about it? redtool aof takes status, rewrite, check, log, fix; see redtool aof --help"),
        ("bgsave now --wait", "redtool bgsave takes no 'now'; see redtool bgsave --help"),
        ("repl now", "got unexpected extra argument (now); see redtool repl --help"),
        ("demo -s /tmp/s", "the demo fills a store of its own, never a server: leave out -s"),
    ],
)
def test_misuse_is_one_line(p: Program, words: str, err: str) -> None:
    done = p.call(*words.split())
    assert (done.code, done.out) == (2, b"")
    assert done.err.count("\n") == 1
    if "int" not in err and "extra" not in err:  # typer's own wordings, which differ between releases
        assert done.err == f"redtool: {err}\n"


def test_progress_is_for_a_terminal_only(p: Program) -> None:
    p.run(input=b"".join(b"SET key:%d v\n" % n for n in range(3000)))
    assert p.run("scan").err == ""
    script = f"exec {' '.join(COMMAND)} scan -i 0.4 --count 1000 > {p.home / 'keys'}"
    child = pexpect.spawn("/bin/sh", ["-c", script], env={**os.environ}, dimensions=(24, 80), timeout=30)
    child.expect(pexpect.EOF)
    child.close()
    assert b"scanning" in (child.before or b"")
    assert len((p.home / "keys").read_bytes().splitlines()) == 3000


def test_aof_fix_cuts_the_damage_and_keeps_it(p: Program, tmp_path: Path) -> None:
    store = tmp_path / "damaged"
    assert p.run("--store", str(store), "SET", "k", "v").code == 0
    assert p.run("aof", "fix", str(store)).out == b"nothing to repair\n"
    increment = store / "appendonlydir" / "appendonly.aof.1.incr.aof"
    whole = increment.read_bytes()
    increment.write_bytes(whole + b"*1\r\n$4\r\nPI??garbage\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n")
    assert p.run("--store", str(store), "GET", "k").code == 3
    assert b"cut at byte %d" % len(whole) in p.run("aof", "fix", str(store)).out
    assert increment.read_bytes() == whole
    assert (increment.parent / (increment.name + ".cut")).read_bytes().startswith(b"*1\r\n$4\r\nPI??")
    assert p.run("--store", str(store), "GET", "k").out == b"v\n"
    assert p.run("aof", "fix", str(tmp_path / "none")).code == 2


@pytest.mark.parametrize("option", ["-u", "-t"])
def test_an_empty_address_is_no_store(p: Program, option: str) -> None:
    done = p.run(option, "", "SET", "k", "v")
    assert (done.code, done.err) == (2, f"redtool: {option} is empty\n")
