"""DEBUG's digests, beside real servers; reloading, on stores in memory and in a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from redtool import errors
from redtool.persistence import Persistence
from redtool.session import Session
from tests.embedded import Client
from tests.servers import running

DATA = """
SET s:int 12
SET s:text hello EX 100000
APPEND s:raw abc
RPUSH l a b 12 a
RPUSH l:long x y z
SADD t:ints 1 2 3
SADD t a b 3
ZADD z 1 a 2.5 b inf c -0.1 d 1e20 e 1e-7 f 123456789012 g
HSET h f v g w
XADD x 1-1 a b
XADD x 1-2 a c d e
XADD x:empty 5-0 a b
XDEL x:empty 5-0
PFADD hll a b c
PEXPIREAT z 4102444800000
SELECT 3
SET q 1
SELECT 0
""".strip().splitlines()
KEYS = ["s:int", "s:text", "s:raw", "l", "t:ints", "t", "z", "h", "x", "x:empty", "hll", "missing"]


@pytest.fixture
def filled() -> Client:
    client = Client(frozen=False)
    for line in DATA:
        client.call(*line.split())
    return client


def test_digests_are_those_of_a_real_server(filled: Client) -> None:
    with running("valkey", "--enable-debug-command", "yes") as server:
        assert server.call("DEBUG", "DIGEST") == Client().call("DEBUG", "DIGEST") == b"0" * 40
        for line in DATA:
            server.call(*line.split())
        for key in KEYS:
            assert filled.call("DEBUG", "DIGEST-VALUE", key) == server.call("DEBUG", "DIGEST-VALUE", key), key
        assert filled.call("DEBUG", "DIGEST") == server.call("DEBUG", "DIGEST")


@pytest.mark.parametrize("line", ["LISTPACK h", "LISTPACK t:ints", "LISTPACK missing", "LISTPACK", "RELOAD foo",
                                  "DIGEST x", "DIGEST-VALUE"])  # fmt: skip
def test_replies_are_those_of_a_real_server(filled: Client, line: str) -> None:
    with running("valkey", "--enable-debug-command", "yes") as server:
        for each in DATA:
            server.call(*each.split())
        assert filled.wire("DEBUG", *line.split()) == server.wire("DEBUG", *line.split())


def test_reload_keeps_everything_but_what_is_past_its_deadline(filled: Client) -> None:
    before = filled.call("DEBUG", "DIGEST")
    ttl = filled.call("PEXPIRETIME", "s:text")
    filled.call("SET", "short", "x", "PX", "1")
    filled.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    filled.store.databases[0].expires[b"short"] = 1
    assert filled.call("DEBUG", "RELOAD") == b"OK"
    assert filled.call("DEBUG", "DIGEST") == before
    assert filled.call("PEXPIRETIME", "s:text") == ttl
    assert b"short" not in filled.store.databases[0].data


def test_reload_chooses_encodings_anew(filled: Client) -> None:
    filled.call("SADD", "t:ints", "word")
    filled.call("SREM", "t:ints", "word")
    assert filled.call("OBJECT", "ENCODING", "s:raw") == b"embstr"
    filled.call("APPEND", "s:raw", "d")
    assert filled.call("OBJECT", "ENCODING", "s:raw") == b"raw"
    filled.call("DEBUG", "RELOAD")
    assert filled.call("OBJECT", "ENCODING", "s:raw") == b"embstr"


def test_reload_without_flushing(filled: Client) -> None:
    before = filled.call("DEBUG", "DIGEST")
    assert isinstance(filled.call("DEBUG", "RELOAD", "NOFLUSH"), errors.ReplyError)
    assert isinstance(filled.call("DEBUG", "RELOAD", "NOSAVE"), errors.ReplyError)
    assert filled.call("DEBUG", "RELOAD", "NOFLUSH", "MERGE") == b"OK"
    assert filled.call("DEBUG", "DIGEST") == before


def test_reload_spoils_a_watch(filled: Client) -> None:
    filled.call("WATCH", "h")
    Client(filled.store).call("DEBUG", "RELOAD")
    filled.call("MULTI")
    assert filled.call("EXEC") is None


def test_a_directory_saves_its_file_and_goes_back_to_it(tmp_path: Path) -> None:
    files = Persistence.open(str(tmp_path))
    try:
        session = Session(files.store)
        files.store.execute(session, (b"SET", b"a", b"1"))
        files.store.execute(session, (b"DEBUG", b"RELOAD"))
        assert (tmp_path / "dump.rdb").exists()
        files.store.execute(session, (b"SET", b"a", b"2"))
        files.store.execute(session, (b"SET", b"b", b"2"))
        files.store.execute(session, (b"DEBUG", b"RELOAD", b"NOSAVE"))
        assert files.store.databases[0].data == {b"a": b"1"}
    finally:
        files.close()
    files = Persistence.open(str(tmp_path))  # and the journal knows
    assert files.store.databases[0].data == {b"a": b"1"}
    files.close()


def test_loadaof_replays_the_journal(tmp_path: Path) -> None:
    files = Persistence.open(str(tmp_path))
    try:
        session = Session(files.store)
        files.store.execute(session, (b"SADD", b"s", b"1", b"x"))
        files.store.execute(session, (b"DEBUG", b"LOADAOF"))
        assert files.store.databases[0].data == {b"s": {b"1", b"x"}}
        files.store.execute(session, (b"INCR", b"n"))
    finally:
        files.close()
    files = Persistence.open(str(tmp_path))
    assert files.store.databases[0].data == {b"s": {b"1", b"x"}, b"n": b"1"}
    files.close()


def test_a_sleep_ends_with_ctrl_c() -> None:
    """The REPL runs commands in a thread, which learns of Ctrl-C by asking."""
    import redtool

    with redtool.open(":memory:") as store:
        store.stop_asked = lambda: True
        with pytest.raises(KeyboardInterrupt):
            store.execute("DEBUG", "SLEEP", 1000)
        assert store.execute("PING") == b"PONG"
