"""The manifest of a multi-part AOF: as strict as a server, replaced atomically."""

from __future__ import annotations

from pathlib import Path

import pytest

from redtool import errors
from redtool.persist import manifest
from redtool.persist.manifest import Manifest, Part, parse

BASE = b"file a.1.base.rdb seq 1 type b\n"
INCR = b"file a.1.incr.aof seq 1 type i\n"
LATER = b"file a.2.incr.aof seq 2 type i\n"


def test_order_of_parts_and_format() -> None:
    found = parse(INCR + b"file a.0.base.rdb seq 9 type h\n" + BASE + LATER)
    assert found.base == Part("a.1.base.rdb", 1, "b")
    assert [part.name for part in found.parts] == ["a.1.base.rdb", "a.1.incr.aof", "a.2.incr.aof"]
    assert found.history == [Part("a.0.base.rdb", 9, "h")]
    assert found.format() == BASE + b"file a.0.base.rdb seq 9 type h\n" + INCR + LATER


@pytest.mark.parametrize(
    "line",
    [
        b"FILE a.1.incr.aof SEQ 1 TYPE i\n",
        b"  type i seq 1 file a.1.incr.aof  \n",
        b'file "a.1.incr.aof" seq 1 type i\n',
        b"file a.1.incr.aof seq 1 type i startoffset 10 endoffset 20\n",
        b"# by hand\nfile a.1.incr.aof seq 1 type i\r\n",
    ],
)
def test_what_servers_accept(line: bytes) -> None:
    assert parse(line).increments == [Part("a.1.incr.aof", 1, "i")]


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "the manifest is empty", 0),
        (b"# only this\n", "the manifest names no file", 12),
        (INCR + b"\n", "empty line in the manifest", len(INCR)),
        (INCR[:-1], "a line is too long or has no end", 0),
        (b"#" + b"x" * 1100 + b"\n", "a line is too long or has no end", 0),
        (b"file a seq 1\n", "a line of the manifest is not", 0),
        (b"file a seq 1 type\n", "a line of the manifest is not", 0),
        (b"file a seq 1 kind b\n", "a line of the manifest lacks", 0),
        (b"file a seq 0 type b\n", "a sequence number", 0),
        (b"file a seq -1 type b\n", "a sequence number", 0),
        (b"file a seq 99999999999999999999 type b\n", "a sequence number", 0),
        (b"file ../a seq 1 type b\n", "a file in the manifest has a path", 0),
        (b"file .. seq 1 type b\n", "a file in the manifest has a path", 0),
        (b"file a seq 1 type x\n", "unknown file type", 0),
        (b'file "a seq 1 type b\n', "", 0),
        (BASE + BASE, "the manifest names two bases", len(BASE)),
        (LATER + INCR, "increments in the manifest are out of order", len(LATER)),
        (INCR + INCR, "increments in the manifest are out of order", len(INCR)),
    ],
)
def test_what_servers_refuse(data: bytes, reason: str, offset: int) -> None:
    with pytest.raises(errors.CorruptFile) as caught:
        parse(data, "the path")
    assert caught.value.reason.startswith(reason)
    assert (caught.value.path, caught.value.offset) == ("the path", offset)


@pytest.mark.parametrize("name", ["a b.aof", 'say "hi".aof', "tab\t.aof", "ünïcode.aof", "back\\slash", "new\nline"])
def test_odd_names_are_quoted(name: str) -> None:
    data = Manifest(Part(name, 1, "b")).format()
    assert data.startswith(b'file "')
    assert parse(data).base == Part(name, 1, "b")


def test_names_of_what_follows() -> None:
    found = parse(BASE + INCR + LATER)
    assert found.next_base("x").name == "x.2.base.rdb"
    assert found.next_increment("x").name == "x.3.incr.aof"
    assert Manifest().next_base("x").name == "x.1.base.rdb"
    assert Manifest().next_increment("x").name == "x.1.incr.aof"


def test_a_rewrite_leaves_history() -> None:
    found = parse(BASE + INCR + LATER)
    after = found.superseded(found.next_base("a"), found.increments[-1:])
    assert after.format() == (
        b"file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\n"
        b"file a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type i\n"
    )


def test_read_and_write(tmp_path: Path) -> None:
    path = manifest.path_of(str(tmp_path), "a")
    assert manifest.read(path) is None
    manifest.write(path, parse(BASE + INCR))
    found = manifest.read(path)
    assert found is not None and found.format() == BASE + INCR
    assert [(entry.name, entry.stat().st_mode & 0o777) for entry in tmp_path.iterdir()] == [("a.manifest", 0o600)]
    with pytest.raises(errors.StoreError):
        manifest.read(str(tmp_path))
