"""``redtool copy``: everything arrives, nothing is written over, and what was broken off goes on."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from redtool.transfer.items import Reader
from tests.cli.program import Done, Program
from tests.clusters import cluster
from tests.served import Served
from tests.servers import RealServer, running

SCRIPT = b"""SET a 1
SET session token PXAT 4102444800123
HSET user:1 name Ada
RPUSH user:2 x y
SELECT 3
ZADD board 1.5 ann 2 bob
FUNCTION LOAD "#!lua name=mylib\\nredis.register_function('one', function() return 1 end)"
"""
MANY = 20_000


def copy(p: Program, *words: str) -> tuple[int, dict[str, Any]]:
    """Run a copy; gives the exit code and what it says of itself."""
    done = p.call("copy", *words, "--json")
    return done.code, json.loads(done.out)


def numbers(told: dict[str, Any]) -> list[int]:
    return [told[name] for name in ("copied", "equal", "different", "failed")]


def words(done: Done) -> str:
    """What was told on stderr, whatever the lines it was folded into."""
    return " ".join(done.err.split())


@pytest.fixture
def there(tmp_path: Path) -> str:
    """Where a store may be made."""
    return str(tmp_path / "there")


def test_store_into_a_new_store(p: Program, filled: Path, there: str) -> None:
    assert copy(p, str(filled), there)[1] == {"copied": 5, "equal": 0, "different": 0, "failed": 0, "dry_run": False,
                                              "left": []}  # fmt: skip
    assert p.call("diff", str(filled), there).code == 0
    assert p.call("--store", there, "PEXPIRETIME", "session").out == b"4102444800123\n"
    assert p.call("--store", there, "-n", "3", "ZRANGE", "board", "0", "-1").lines == [b"ann", b"bob"]
    code, told = copy(p, "default", there)  # the store in use by its name
    assert (code, numbers(told)) == (0, [0, 5, 0, 0])


def test_what_is_there_is_left_alone(p: Program, filled: Path, there: str) -> None:
    p.run("--store", there, input=b"SET a other\nHSET user:1 name Ada\nEXPIRE user:1 100\nSET mine 1\n")
    done = p.call("copy", str(filled), there, "--json")
    told = json.loads(done.out)
    assert (done.code, numbers(told)) == (1, [3, 0, 2, 0])
    left = {each["key"]: each["why"] for each in told["left"]}
    assert left == {"a": "is there already with another value", "user:1": "is there already with another TTL"}
    assert 'redtool: "a": is there already with another value' in done.err
    assert p.call("--store", there, "GET", "a").out == b"other\n"
    code, told = copy(p, str(filled), there, "--replace", "--dry-run")
    assert (code, numbers(told), told["replaced"]) == (0, [5, 0, 0, 0], 5)
    assert p.call("--store", there, "GET", "a").out == b"other\n"
    assert copy(p, str(filled), there, "--replace")[0] == 0
    assert p.call("--store", there, "MGET", "a", "mine").lines == [b"1", b"1"]


def test_dry_run_writes_nothing(p: Program, filled: Path, there: str) -> None:
    p.run("--store", there, input=b"SET a other\nSELECT 3\nZADD board 1.5 ann 2 bob\n")
    code, told = copy(p, str(filled), there, "--dry-run")
    assert (code, numbers(told), told["dry_run"]) == (1, [3, 1, 1, 0], True)
    assert p.call("--store", there, "DBSIZE").out == b"1\n"


def test_a_choice_of_keys(p: Program, filled: Path, there: str) -> None:
    assert numbers(copy(p, str(filled), there, "--match", "user:*")[1]) == [2, 0, 0, 0]
    assert numbers(copy(p, str(filled), there, "--match", "user:*", "--type", "list")[1]) == [0, 1, 0, 0]
    assert numbers(copy(p, str(filled), there, "--db", "3:7")[1]) == [1, 0, 0, 0]
    assert p.call("--store", there, "-n", "7", "EXISTS", "board").out == b"1\n"
    assert numbers(copy(p, str(filled), there, "--type", "string", "--ttl", "none")[1]) == [2, 0, 0, 0]
    assert p.call("--store", there, "TTL", "session").out == b"-1\n"
    assert numbers(copy(p, str(filled), there, "--match", "a", "--ttl", "90", "--replace")[1]) == [1, 0, 0, 0]
    assert 0 < int(p.call("--store", there, "PTTL", "a").out) <= 90_000


def test_libraries(p: Program, filled: Path, there: str) -> None:
    done = p.call("copy", str(filled), there, "--human")
    assert "SRC has libraries of functions, which --functions copies." in words(done)
    assert p.call("--store", there, "FUNCTION", "LIST").out == b"\n"
    code, told = copy(p, str(filled), there, "--functions")
    assert (code, told["libraries"]) == (0, 1)
    assert b"mylib" in p.call("--store", there, "FUNCTION", "LIST").out
    assert copy(p, str(filled), there, "--functions")[1]["libraries"] == 0
    assert p.call("diff", str(filled), there, "--functions").code == 0
    other = "#!lua name=mylib\nredis.register_function('two', function() return 2 end)"
    p.call("--store", there, "FUNCTION", "LOAD", "REPLACE", other)
    code, told = copy(p, str(filled), there, "--functions")
    assert (code, told["libraries"], told["left"][0]["why"]) == (1, 0, "library: is there already with other code")
    assert p.call("diff", str(filled), there, "--functions").code == 1
    assert copy(p, str(filled), there, "--functions", "--replace")[1]["libraries"] == 1


def test_server_and_dump(p: Program, filled: Path, there: str, real: RealServer, tmp_path: Path) -> None:
    """A store into a server, the server into a dump, the dump into a store."""
    real.flush()
    url, dump = f"unix://{real.socket}", str(tmp_path / "it.rdb")
    assert numbers(copy(p, str(filled), url, "--functions", "--verify")[1]) == [5, 0, 0, 0]
    assert p.call("-u", url, "backup", "--rdb", dump, "--scan").code == 0
    done = p.call("copy", dump, there, "--functions", "--verify", "--human")
    assert (done.code, "Verified: 5 keys of SRC found equal in DST." in words(done)) == (0, True)
    assert p.call("diff", str(filled), there, "--functions").code == 0
    assert p.call("diff", url, dump, "--functions").code == 0


def test_into_the_database_of_a_url(p: Program, filled: Path, server: RealServer) -> None:
    url = f"unix://{server.socket}"
    done = p.call("copy", str(filled), f"{url}?db=5")
    assert (done.code, "several databases do not go into one" in done.err) == (2, True)
    assert numbers(copy(p, str(filled), f"{url}?db=5", "--match", "a", "--db", "0:5")[1]) == [1, 0, 0, 0]
    assert numbers(copy(p, f"{url}?db=5", f"{url}?db=6")[1]) == [1, 0, 0, 0]
    with server.client() as client:
        client.call("SELECT", 6)
        assert client.call("GET", "a") == b"1"


def test_redtools_own_server(p: Program, filled: Path, served: Served) -> None:
    url = f"unix://{served.socket}"
    assert numbers(copy(p, str(filled), url, "--verify")[1]) == [5, 0, 0, 0]
    assert p.call("diff", str(filled), url).code == 0


def test_stores_that_others_have_open(p: Program, filled: Path, there: str) -> None:
    """Copied through their owners."""
    with p.start("--store", str(filled), "repl") as one, p.start("--store", there, "repl") as other:
        for owner in (one, other):
            assert owner.stdin is not None and owner.stdout is not None
            owner.stdin.write(b"PING\n")
            owner.stdin.flush()
            owner.stdout.readline()
        assert numbers(copy(p, str(filled), there, "--verify")[1]) == [5, 0, 0, 0]
        assert p.call("diff", str(filled), there).code == 0
        for owner in (one, other):
            owner.communicate(timeout=60)
    assert p.call("--store", there, "-n", "3", "ZCARD", "board").out == b"2\n"


def test_what_cannot_be_verified_is_told(p: Program, filled: Path, there: str) -> None:
    p.run("--store", there, input=b"SET a other\n")
    done = p.call("copy", str(filled), there, "--verify")
    assert done.code == 1
    assert 'redtool: "a" is not the same: value: "1" in SRC, "other" in DST' in done.err


def test_the_redis_command(p: Program, filled: Path) -> None:
    assert p.call("copy", "a", "b").out == b"1\n"
    assert p.call("copy", "a", "b").out == b"0\n"
    assert p.call("copy", "a", "b", "db", "2", "replace").out == b"1\n"
    assert p.call("copy", "missing", "there").out == b"0\n"
    assert p.call("GET", "b").out == b"1\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["./nowhere", "STORE"], "there is no store ./nowhere"),
        (["STORE", "STORE"], "both are "),
        (["STORE", "new.rdb"], "to make one: redtool backup --rdb FILE"),
        (["STORE", ":memory:"], "would be gone in a moment"),
        (["STORE", "./x", "--ttl", "soon"], "--ttl is keep, none or a number of seconds, not 'soon'"),
        (["STORE", "./x", "--db", "1:"], "--db takes a database's number, or two like 0:3, not '1:'"),
        (["STORE", "copied"], "names none); a directory is written ./copied"),
        (["STORE", "./x", "-h", "localhost"], "both places are words: leave out -h"),
        (["STORE", "./x", "more"], "from where to where? redtool copy SRC DST"),
        (["STORE"], "from where to where? redtool copy SRC DST"),
        (["STORE", "redis+cluster://127.0.0.1:1", "--db", "0:2"], "cannot connect"),
    ],
)
def test_misuse(p: Program, filled: Path, line: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(p.home)
    done = p.call("copy", *(str(filled) if word == "STORE" else word for word in line))
    assert done.code in (2, 3)
    assert (done.out, told in done.err) == (b"", True)
    assert not (p.home / "x").exists()


# -- broken off


def fill(server: RealServer) -> None:
    server.call("EVAL", "for n = 1, ARGV[1] do redis.call('SET', 'key:' .. n, 'value ' .. n) end", 0, MANY)


def broken_off(p: Program, url: str, target: RealServer, number: signal.Signals) -> tuple[int, bytes]:
    """Copy, and send a signal once keys have arrived: exit code and stderr of a run that had not come to its end."""
    while True:
        target.flush()
        with p.start("copy", url, f"unix://{target.socket}") as victim:
            while victim.poll() is None and not target.call("DBSIZE"):
                with suppress(subprocess.TimeoutExpired):
                    victim.wait(0.005)
            victim.send_signal(number)
            _, err = victim.communicate(timeout=60)
        if 0 < target.call("DBSIZE") < MANY:  # else this process was given no time in between
            return victim.returncode, err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_broken_off_and_begun_again(p: Program, server: RealServer, number: signal.Signals) -> None:
    fill(server)
    url = f"unix://{server.socket}"
    with running("valkey") as target:
        code, err = broken_off(p, url, target, number)
        if number == signal.SIGINT:
            assert code == 130
            assert err.startswith(b"redtool: interrupted after ") and b"The same command goes on from there" in err
            assert b"Traceback" not in err
        arrived = target.call("DBSIZE")  # what was on its way may come yet
        code, told = copy(p, url, f"unix://{target.socket}", "--verify")
        assert (code, told["copied"] + told["equal"], told["equal"] >= arrived) == (0, MANY, True)


def test_the_target_is_killed(p: Program, server: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.call("MSET", *(word for n in range(3000) for word in (f"key:{n}", n)))
    monkeypatch.setattr("redtool.transfer.copying.PAUSES", (0.01, 0.01))
    whole = Reader.items
    with running("valkey") as target:

        def broken(reader: Reader) -> Iterator[Any]:
            for at, items in enumerate(whole(reader)):
                if at == 2:
                    target.process.kill()
                    target.process.wait()
                yield items

        monkeypatch.setattr(Reader, "items", broken)
        done = p.call("copy", f"unix://{server.socket}", f"unix://{target.socket}")
    assert (done.code, done.out) == (3, b"")
    assert " keys. The same command goes on from there" in done.err


# -- a cluster


def test_cluster(p: Program, filled: Path, there: str) -> None:
    """A store into a cluster and from there into a store; database 0 only."""
    with cluster("valkey", 3) as nodes:
        done = p.call("copy", str(filled), nodes.url)
        assert (done.code, "a cluster has database 0 only: choose with --db N:0" in done.err) == (2, True)
        assert numbers(copy(p, str(filled), nodes.url, "--db", "0", "--functions", "--verify")[1]) == [4, 0, 0, 0]
        assert numbers(copy(p, str(filled), nodes.url, "--db", "3:0")[1]) == [1, 0, 0, 0]
        assert all(b"mylib" in str(node.call("FUNCTION", "LIST")).encode() for node in nodes.nodes)
        assert numbers(copy(p, nodes.url, there, "--functions", "--verify")[1]) == [5, 0, 0, 0]
        assert p.call("diff", nodes.url, there, "--functions").code == 0
        assert p.call("diff", str(filled), nodes.url, "--db", "0").code == 1  # the board is only there
