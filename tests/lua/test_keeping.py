"""What scripts and functions leave in files: effects as one unit, libraries in journals and snapshots of both sides."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redtool.backends.embedded import Embedded, open_store
from redtool.errors import ReplyError
from tests import embedded
from tests.commands.journal import effects
from tests.servers import RealServer, real_servers, running

CODE = "#!lua name=lib\nredis.register_function('add', function(k, a) return redis.call('INCRBY', k[1], a[1]) end)"
OTHER = "#!lua name=other\nredis.register_function{function_name='look', callback=function(k) return redis.call('GET', k[1]) end, flags={'no-writes'}}"


@pytest.mark.parametrize(
    ("line", "journalled"),
    [
        ('EVAL "return 1" 0', []),
        ('EVAL "return redis.call(\'GET\', \'x\')" 0', []),
        ('EVAL "return redis.call(\'SET\', \'x\', 1)" 0', [b"SET x 1"]),
        ('EVAL "redis.call(\'SET\', \'x\', 1) redis.call(\'INCR\', \'x\')" 0', [b"MULTI", b"SET x 1", b"INCR x", b"EXEC"]),
        ('EVAL "redis.call(\'SET\', \'x\', 1) redis.call(\'INCR\', \'y\') error(\'x\')" 0', [b"MULTI", b"SET x 1", b"INCR y", b"EXEC"]),
        ('EVAL "redis.pcall(\'INCR\', \'str\') redis.call(\'SET\', \'x\', 1)" 0', [b"SET x 1"]),
        (f'FUNCTION LOAD "{CODE}"'.replace("\n", "\\n"), [b"FUNCTION LOAD " + CODE.encode()]),
        ("FUNCTION FLUSH", [b"FUNCTION FLUSH"]),
    ],
)
def test_effects(line: str, journalled: list[bytes]) -> None:
    client = embedded.Client()
    client.call("SET", "str", "x")
    assert effects(client, line) == journalled


def test_effects_within_exec() -> None:
    client = embedded.Client()
    client.call("MULTI")
    client.call("EVAL", "redis.call('SET', 'x', 1) redis.call('SELECT', 2) redis.call('SET', 'y', 1)", 0)
    client.call("INCR", "x")
    assert effects(client, "EXEC") == [b"MULTI", b"SET x 1", b"SET y 1", b"INCR x", b"EXEC"]


def test_libraries_are_there_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.execute("FUNCTION", "LOAD", CODE) == b"lib"
        assert store.execute("FUNCTION", "LOAD", OTHER) == b"other"
        assert store.execute("FUNCTION", "DELETE", "other") == b"OK"
        payload = store.execute("FUNCTION", "DUMP")
        assert store.execute("FCALL", "add", 1, "n", 2) == 2
    for step in ("replayed", "rewritten", "restored"):
        with open_store(tmp_path) as store:
            assert store.execute("FCALL", "add", 1, "n", 1) == {"replayed": 3, "rewritten": 4, "restored": 5}[step]
            if step == "replayed":
                store.execute("BGREWRITEAOF")
            else:
                store.execute("FUNCTION", "FLUSH")
                store.execute("FUNCTION", "RESTORE", payload)


def test_opening_does_not_start_lua(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.execute("FUNCTION", "LOAD", CODE)
        store.execute("SET", "k", "v")
    probe = (
        "import sys\nfrom redtool.backends.embedded import open_store\n"
        "with open_store(sys.argv[1]) as store:\n"
        "    assert store.execute('GET', 'k') == b'v'\n"
        "    assert store.execute('FUNCTION', 'DUMP')\n"
        "    print(sorted(name for name in sys.modules if 'lua' in name), store.execute('FCALL', 'add', 1, 'n', 1))\n"
    )
    done = subprocess.run([sys.executable, "-c", probe, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[] 1\n"


@pytest.mark.parametrize("name", list(real_servers()))
def test_a_real_server_reads_ours(tmp_path: Path, name: str) -> None:
    """The journal and its rewritten form, with libraries and effects of scripts."""
    with open_store(tmp_path) as store:
        fill(store)
    for rewritten in (False, True):
        if rewritten:
            with open_store(tmp_path) as store:
                store.execute("BGREWRITEAOF")
        with running(name, "--appendonly", "yes", "--dir", str(tmp_path)) as server:
            wait(server)
            assert server.call("FCALL", "add", 1, "n", 0) == 5
            assert server.call("FCALL_RO", "look", 1, "n") == b"5"
            assert server.call("LRANGE", "l", 0, -1) == [b"1", b"2", b"3"]


def fill(store: Embedded) -> None:
    store.execute("FUNCTION", "LOAD", CODE)
    store.execute("FUNCTION", "LOAD", OTHER)
    store.execute("FCALL", "add", 1, "n", 5)
    store.execute("EVAL", "for i = 1, 3 do redis.call('RPUSH', KEYS[1], i) end", 1, "l")


def wait(server: RealServer) -> None:
    """Until the data are loaded."""
    while isinstance(server.call("PING"), ReplyError):
        pass


def test_payloads_are_exchanged(real: RealServer) -> None:
    real.flush()
    with open_store(":memory:") as store:
        fill(store)
        assert real.call("FUNCTION", "RESTORE", store.execute("FUNCTION", "DUMP")) == b"OK"
        assert real.call("FCALL", "add", 1, "n", 3) == 3
        theirs = real.call("FUNCTION", "DUMP")
        store.execute("FUNCTION", "FLUSH")
        assert store.execute("FUNCTION", "RESTORE", theirs) == b"OK"
        assert store.execute("FCALL", "add", 1, "n", 1) == 6
    real.flush()
