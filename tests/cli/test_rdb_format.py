"""--rdb-format: dumps written for other servers, once, without a trace in the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.servers import RealServer

FORMATS = {"0009": b"REDIS0009", "0010": b"REDIS0010", "0012": b"REDIS0012", "VALKEY080": b"VALKEY080"}
FIELD = "HSETEX h PXAT 4000000000000 FIELDS 1 f v"


def magic(p: Program) -> bytes:
    return (p.store / "dump.rdb").read_bytes()[:9]


@pytest.mark.parametrize("form", FORMATS)
def test_a_dump_in_another_format(p: Program, form: str) -> None:
    p.call("SET", "a", "1")
    done = p.call("bgsave", "--wait", "--rdb-format", form)
    assert (done.code, done.out, done.err) == (0, b"Background saving started\n", "")
    assert magic(p) == FORMATS[form]
    assert p.call("--store", str(p.store / "dump.rdb"), "GET", "a").out == b"1\n"
    assert p.call("config", "get", "rdb-format").out == b"rdb-format\n0010\n"
    assert not (p.store / "redtool.conf").exists()


def test_without_waiting(p: Program) -> None:
    p.run(input=b"CONFIG SET appendonly no\nSET a 1\n")  # without a journal the program ends when all is saved
    assert p.call("bgsave", "--rdb-format", "0012").out == b"Background saving started\n"
    assert magic(p) == b"REDIS0012"


def test_what_the_format_has_no_place_for(p: Program) -> None:
    p.call("bgsave", "--wait")
    p.call(*FIELD.split())
    done = p.call("bgsave", "--rdb-format", "0009")
    assert (done.code, done.out) == (1, b"")
    reason = "the deadlines of its fields cannot be written as REDIS0009"
    assert done.err == f'redtool: key "h": {reason}; nothing is saved\n'
    assert magic(p) == b"REDIS0010"
    for form in ("0010", "0012"):
        assert p.call("bgsave", "--wait", "--rdb-format", form).code == 0
        assert magic(p) == b"REDIS0012"


def test_the_setting(p: Program) -> None:
    p.call("config", "set", "rdb-format", "VALKEY080")
    assert (p.store / "redtool.conf").read_text().endswith("rdb-format valkey080\n")
    p.call("SET", "a", "1")
    for words in (("SAVE",), ("bgsave", "--wait")):
        (p.store / "dump.rdb").unlink(missing_ok=True)
        assert p.call(*words).code == 0
        assert magic(p) == b"VALKEY080"
    assert p.call("BGREWRITEAOF").code == 0
    (base,) = (p.store / "appendonlydir").glob("*.base.rdb")
    assert base.read_bytes()[:9] == b"VALKEY080"
    done = p.call("CONFIG", "SET", "rdb-format", "11")
    assert "argument(s) must be one of the following: 0009, 0010, 0012, valkey080" in done.err


def test_a_dump_that_is_refused_is_an_error_reply(p: Program) -> None:
    p.run(input=b"CONFIG SET rdb-format 0009\n" + FIELD.encode() + b"\n")
    done = p.call("SAVE")
    assert done.code == 1
    assert 'ERR key "h": the deadlines of its fields cannot be written as REDIS0009' in done.err
    assert p.call("BGREWRITEAOF").code == 0  # the journal goes on
    assert p.call("HGET", "h", "f").out == b"v\n"


def test_without_a_journal_nothing_is_lost_to_a_format(p: Program) -> None:
    p.run(input=b"CONFIG SET appendonly no\nCONFIG SET rdb-format 0009\nSET a 1\n")
    assert magic(p) == b"REDIS0009"
    done = p.call(*FIELD.split())
    assert "cannot be written as REDIS0009" in done.err and "is written in format 0010 instead" in done.err
    assert magic(p) == b"REDIS0012"
    assert p.call("HGET", "h", "f").out == b"v\n"


@pytest.mark.parametrize(
    ("words", "err"),
    [
        ("bgsave --rdb-format 0011", "there is no RDB format 0011; one of 0009, 0010, 0012, valkey080"),
        ("bgsave schedule --rdb-format 0009", "--rdb-format is for a dump that is begun now, not for a scheduled one"),
        ("backup dir --rdb-format 0010", "--rdb-format is for a dump of a store or of another dump: --rdb FILE, and no "
         "server"),
        ("backup --rdb x --rdb-format 7", "there is no RDB format 7; one of 0009, 0010, 0012, valkey080"),
        ("bgsave --rdb-format", "option '--rdb-format' requires an argument; see redtool bgsave --help"),
    ],
)
def test_misuse(p: Program, words: str, err: str) -> None:
    done = p.call(*words.split())
    assert (done.code, done.out, done.err) == (2, b"", f"redtool: {err}\n")


def test_dumps_are_converted(p: Program) -> None:
    """From one server's format into another's, which those two cannot read of each other."""
    p.run(input=FIELD.encode() + b"\nSET a 1\n")
    source, files = p.home / "12.rdb", {}
    assert p.call("backup", "--rdb", str(source)).code == 0
    for form in ("0010", "valkey080"):
        files[form] = target = p.home / f"{form}.rdb"
        done = p.call("--store", str(source), "backup", "--rdb", str(target), "--rdb-format", form)
        assert done.code == 0, done.err
        assert p.call("--store", str(target), "HPEXPIRETIME", "h", "FIELDS", "1", "f").out == b"4000000000000\n"
    assert {form: path.read_bytes()[:9] for form, path in files.items()} == {
        "0010": b"REDIS0012",
        "valkey080": b"VALKEY080",
    }
    refused = p.call("--store", str(source), "backup", "--rdb", str(p.home / "9.rdb"), "--rdb-format", "0009")
    assert (refused.code, (p.home / "9.rdb").exists()) == (3, False)
    assert 'key "h": the deadlines of its fields cannot be written as REDIS0009' in refused.err


def test_a_server_writes_its_own_format(p: Program, valkey: RealServer, tmp_path: Path) -> None:
    done = p.call("-s", valkey.socket, "bgsave", "--rdb-format", "0009")
    assert done.code == 2
    assert "--rdb-format is for stores of redtool" in done.err
