"""What a person sees of clusters and of masters under sentinels: prompt, completion, verbs, hints."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from redtool import aio, connect
from redtool.backends import open_backend
from redtool.backends.cluster import Cluster
from redtool.backends.locked import Locked
from redtool.backends.sentinel import Sentinel
from redtool.backends.target import resolve
from redtool.errors import UsageError
from redtool.options import Options
from redtool.repl.shell import Shell
from redtool.repl.sources import ServerSource
from redtool.repl.suggest import Lookup
from redtool.resp import OK
from tests.clusters import LocalCluster
from tests.sentinels import Trio


def redtool(*words: str, input: str = "") -> tuple[str, str, int]:
    """Run redtool; give its output, what it says on stderr, and the exit code."""
    done = subprocess.run([sys.executable, "-m", "redtool", *words], input=input, capture_output=True, text=True,
                          check=False)  # fmt: skip
    return done.stdout, done.stderr, done.returncode


def test_the_prompt_and_completion_know_the_cluster(c: Cluster, local: LocalCluster) -> None:
    c.pipeline([[b"SET", b"user:%d" % at, b"v"] for at in range(30)])
    shell = Shell(c, Options())
    shell.count_keys()
    assert (shell.facts.name, shell.facts.keys) == (f"cluster {local.nodes[0].address}", 30)
    assert isinstance(shell.source, ServerSource)
    assert len(shell.source.answer(Lookup("key"), b"user:")) == 30
    shell.learn()
    assert shell.commands[b"GET"].line == "GET key"
    shell.close()


def test_the_prompt_knows_the_master(m: Sentinel, trio: Trio) -> None:
    shell = Shell(m, Options())
    m.execute("SET", "seen", 1)
    assert shell.facts.name == f"mymaster {trio.master.address}"
    assert isinstance(shell.source, ServerSource)
    assert shell.source.answer(Lookup("key"), b"see") == [(b"seen", "")]
    m.execute("DEL", "seen")
    shell.close()


def test_a_server_of_a_cluster_says_so_once(local: LocalCluster, capsys: pytest.CaptureFixture[str]) -> None:
    node = local.masters[0]
    foreign = next(key for key in "abc" if local.owner(int(node.call("CLUSTER", "KEYSLOT", key))) is not node)
    hint = "the server is one of a cluster: redtool -c finds the node of each key\n"
    _, stderr, code = redtool("-p", str(node.port), "GET", foreign)
    assert (stderr.startswith("MOVED "), stderr.endswith(hint), code) == (True, True, 1)
    _, stderr, code = redtool("-p", str(node.port), input=f"GET {foreign}\n" * 3)
    assert (stderr.count("MOVED "), stderr.count(hint), code) == (3, 1, 1)
    assert redtool("-c", "-p", str(node.port), "SET", foreign, "v") == ("OK\n", "", 0)
    shell = Shell(open_backend(node.address), Options())
    shell.run(f"GET {foreign}")
    shell.run(f"GET {foreign}")
    shell.close()
    assert capsys.readouterr().out.count("CONNECT redis+cluster://127.0.0.1:") == 1


def test_verbs_on_a_cluster(c: Cluster, local: LocalCluster, tmp_path: Path) -> None:
    keys = sorted(f"user:{at}" for at in range(30))
    c.pipeline([[b"SET", key.encode(), b"v"] for key in keys])
    c.execute("HSET", "h", "f", "v")
    stdout, _, code = redtool("-u", local.url, "scan", "user:*")
    assert (sorted(stdout.split()), code) == (keys, 0)
    stdout, _, code = redtool("-u", local.url, "memory", "usage", *keys[:3], "--raw")
    assert (len(stdout.splitlines()), stdout.splitlines()[-1].split("\t")[-1], code) == (4, "total", 0)
    stdout, _, code = redtool("-u", local.url, "policy", "--json")
    assert '"keys":31' in stdout.replace(" ", "") and code == 0
    saved = tmp_path / "all.rdb"
    _, stderr, code = redtool("-u", local.url, "backup", "--rdb", str(saved))
    assert ("each node of a cluster has a dump of its own: --scan" in stderr, code) == (True, 2)
    assert redtool("-u", local.url, "backup", "--rdb", str(saved), "--scan")[2] == 0
    assert redtool("--store", str(saved), "DBSIZE")[0] == "31\n"


def test_a_dump_of_the_master_that_sentinels_name(trio: Trio, tmp_path: Path) -> None:
    trio.master.call("SET", "kept", 1)
    saved = tmp_path / "master.rdb"
    assert redtool("-u", trio.url, "backup", "--rdb", str(saved))[1:] == ("", 0)
    assert redtool("--store", str(saved), "GET", "kept")[0] == "1\n"
    trio.master.call("DEL", "kept")


def test_a_password_is_asked_for_once(local: LocalCluster, trio: Trio, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for url in (local.url, trio.url):
        asked.write_text("")
        settings = {"url": url, "user": "default", "password_command": f"echo >> {asked}; echo any"}
        with open_backend(resolve(settings, {})) as backend:  # type: ignore[attr-defined]
            assert backend.execute("SET", "a", 1) == OK
            assert backend.execute("SET", "b", 1) == OK
            with backend.sibling() as other:
                assert other.execute("DEL", "a") == 1
        assert asked.read_text() == "\n"


@pytest.mark.parametrize("where", ["local", "trio"])
def test_threads_share_it(request: pytest.FixtureRequest, where: str) -> None:
    """Each command gets its own reply, and a wait holds up nobody."""
    url = request.getfixturevalue(where).url
    with connect(url) as shared:
        assert isinstance(shared, Locked)
        shared.execute("DEL", "n", "queue")
        waited: list[object] = []
        waiting = threading.Thread(target=lambda: waited.append(shared.execute("BLPOP", "queue", 0)))
        waiting.start()
        seen: list[object] = []
        workers = [threading.Thread(target=lambda: seen.extend(shared.execute("INCR", "n") for _ in range(100)))
                   for _ in range(4)]  # fmt: skip
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(seen) == list(range(1, 401))  # type: ignore[type-var]
        assert shared.pipeline([[b"GET", b"n"], [b"RPUSH", b"queue", b"x"]]) == [b"400", 1]
        waiting.join()
        assert waited == [[b"queue", b"x"]]
        shared.execute("SUBSCRIBE", "news")
        with shared.client() as other:
            other.execute("PUBLISH", "news", "hello")
        assert next(shared.messages()) == [b"message", b"news", b"hello"]
        shared.execute("UNSUBSCRIBE")
        assert list(shared.messages()) == []


def test_asyncio_is_for_single_servers(local: LocalCluster) -> None:
    with pytest.raises(UsageError, match=r"clusters and sentinels are not for asyncio: redtool\.connect takes redis\+"):
        asyncio.run(connect_async(local.url))


async def connect_async(url: str) -> None:
    async with aio.connect(url):
        pass
