"""Replay of AOF files: every prefix opens, damage is named, transactions are whole or absent."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from redtool import errors
from redtool.config import Config
from redtool.persist import replay
from redtool.persist.aof import Journal, encode
from redtool.persist.replay import Replay, replay_file, split
from tests.persist.datasets import Collected, databases, saved

Unit = tuple[bytes, list[list[bytes]]]  # bytes in the file, commands handed on once they are whole


def wire(*words: bytes) -> bytes:
    return encode([words])


def units(count: int) -> list[Unit]:
    """Commands with every kind of word, transactions, annotations."""
    rng = Random(7)
    words = [
        b"",
        b"a",
        b"\r\n",
        b"*3\r\n$3\r\nSET\r\n",
        b"$5",
        b"x" * 70,
        b"\r",
        b"\n",
        b"a\r",
        b"\nb",
        bytes(range(256)),
    ]
    out: list[Unit] = []
    for n in range(count):
        if n % 6 == 1:
            out.append((b"#TS:%d\r\n" % n, []))
        elif n % 6 == 4:
            group = [[b"SET", b"t%d" % i, rng.choice(words)] for i in range(n % 4)]
            out.append((wire(b"MULTI") + encode(group) + wire(b"exec"), group))
        else:
            argv = [b"CMD%d" % n, *(rng.choice(words) for _ in range(rng.randrange(4)))]
            out.append((encode([argv]), [argv]))
    return out


def replayed(data: bytes) -> tuple[Collected, Replay]:
    sink = Collected()
    found = Replay(data, "the file", sink, lambda text: None)
    found.run()
    return sink, found


@pytest.mark.parametrize("chunk", [48, 1 << 16])
def test_every_prefix_gives_whole_units(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "CHUNK", chunk)
    rows = units(60)
    data = b"".join(part for part, _ in rows)
    ends, expected, whole = iter(rows), [], 0
    part, commands = next(ends)
    due = len(part)
    for size in range(len(data) + 1):
        while size >= due:
            expected += commands
            whole = due
            part, commands = next(ends, (data, []))
            due += len(part)
        sink, found = replayed(data[:size])
        assert sink.commands == expected, size
        assert found.whole == whole, size


def test_every_prefix_opens_is_cut_and_goes_on(tmp_path: Path) -> None:
    rows = units(12)
    data = b"".join(part for part, _ in rows)
    folder = tmp_path / "appendonlydir"
    Journal.open(str(tmp_path), Config(), Collected()).close()
    path = folder / "appendonly.aof.1.incr.aof"
    for size in range(0, len(data) + 1, 3):
        path.write_bytes(data[:size])
        warnings: list[str] = []
        first = Collected()
        journal = Journal.open(str(tmp_path), Config(), first, warnings.append)
        journal.append((b"SET", b"after", b"it"), 2)
        journal.close()
        whole = path.stat().st_size - len(wire(b"SELECT", b"2") + wire(b"SET", b"after", b"it"))
        assert data[:whole] == path.read_bytes()[:whole]
        assert bool(warnings) == (whole < size)
        if warnings:
            assert warnings == [f"{path}: cut {size - whole} bytes of an unfinished command at byte {whole}"]
        second = Collected()
        Journal.open(str(tmp_path), Config(), second, pytest.fail).close()
        assert second.commands == [*first.commands, [b"SELECT", b"2"], [b"SET", b"after", b"it"]]


def test_prefixes_of_a_file_that_starts_with_a_snapshot() -> None:
    head = saved({0: {b"a": (b"1", None)}})
    data = head + wire(b"SET", b"b", b"2")
    for size in range(len(head), len(data)):
        sink, found = replayed(data[:size])
        assert (sink.plain(), sink.commands, found.whole) == ({0: {b"a": (b"1", None)}}, [], len(head))
    assert replayed(data)[0].commands == [[b"SET", b"b", b"2"]]
    for size in range(5, len(head)):
        with pytest.raises(errors.CorruptFile):
            replayed(data[:size])


def test_long_values_and_many_commands() -> None:
    rng = Random(3)
    value = bytes(rng.randrange(256) for _ in range(1000)) * 300 + b"\r\n"
    rows = [[b"SET", b"k%d" % n, b"v%d\r\n" % n if n % 3 else b"v"] for n in range(30_000)]
    rows[100][2] = rows[-1][2] = value
    sink, found = replayed(encode(rows))
    assert sink.commands == rows
    assert found.commands == len(rows)


SET = wire(b"SET", b"a", b"1")


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (SET + b"garbage", "a command does not start with * and a count", len(SET)),
        (SET + b"garbage\r\n", "a command does not start with * and a count", len(SET)),
        (SET + b"\r\n" + SET, "a command does not start with * and a count", len(SET)),
        (SET + bytes(100), "a line with a length has no end", len(SET)),
        (b"PING\r\n" + SET, "a command does not start with * and a count", 0),
        (SET + b"*0\r\n" + SET, "a command without words", len(SET)),
        (SET + b"*-1\r\n", "a command does not start with * and a count", len(SET)),
        (SET + b"*01\r\n$4\r\nPING\r\n", "a command does not start with * and a count", len(SET)),
        (SET + b"*1\r\n:4\r\n", "not a word's length", len(SET)),
        (SET + b"*1\r\n$-1\r\n", "not a word's length", len(SET)),
        (SET + b"*1\r\n$4\r\nPINGS\r\n", "a word is longer than announced", len(SET)),
        (SET + b"*1\r\n$4\r\nPI\r\nS\r\n", "a word is longer than announced", len(SET)),
        (SET + b"*1\r\n$4\r\nPINGx", "a word is longer than announced", len(SET)),
        (SET + b"*" + b"9" * 40, "a line with a length has no end", len(SET)),
        (SET + b"*1\r\n" + b"$" + b"1" * 40 + b"\r\n", "a line with a length has no end", len(SET)),
        (
            SET + b"*3\r\n$3\r\nSET\r\n$9000\r\n" + SET * 4,
            "a length reaches past the end of the file, over whole commands",
            len(SET),
        ),
        (SET + wire(b"EXEC"), "EXEC without MULTI", len(SET)),
        (SET + wire(b"SELECT", b"x"), "SELECT without the number of a database", len(SET)),
        (
            SET + wire(b"MULTI") + wire(b"select") + wire(b"EXEC"),
            "SELECT without the number of a database",
            len(SET),
        ),
        (SET + wire(b"MULTI") + SET + wire(b"multi"), "MULTI inside MULTI", 2 * len(SET) + len(wire(b"MULTI"))),
        (b"#" + b"x" * 2000, "an annotation has no end", 0),
    ],
)
def test_damage_is_named_with_its_offset(data: bytes, reason: str, offset: int) -> None:
    with pytest.raises(errors.CorruptFile) as caught:
        replayed(data)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


@pytest.mark.parametrize(
    "data", [b"*1000000000\r\n$1\r\n", b"*1\r\n$999999999999\r\nabc", b"*3\r\n", b"*3", b"*", b"#TS:1"]
)
def test_unfinished_is_no_damage(data: bytes) -> None:
    sink, found = replayed(SET + data)
    assert (sink.commands, found.whole) == ([[b"SET", b"a", b"1"]], len(SET))


class Refusing(Collected):
    """A sink where one command fails."""

    def __init__(self, error: errors.ReplyError) -> None:
        super().__init__()
        self.error = error

    def run(self, batch: list[list[bytes]]) -> tuple[int, errors.ReplyError | None]:
        for number, argv in enumerate(batch):
            if argv[0] == b"BAD":
                return number + 1, self.error
            self.commands.append(argv)
        return len(batch), None


def test_an_unknown_command_stops_the_load() -> None:
    for data, offset in (
        (SET + b"#x\r\n" + wire(b"BAD", b"x"), len(SET) + 4),
        (SET + wire(b"MULTI") + SET + wire(b"BAD") + wire(b"EXEC"), len(SET)),
    ):
        found = Replay(data, "the file", Refusing(errors.UnknownCommand("BAD", "")), lambda text: None)
        with pytest.raises(errors.CorruptFile) as caught:
            found.run()
        assert caught.value.offset == offset
        assert caught.value.reason.startswith("unknown command 'BAD'")
        assert "the file is whole" in str(caught.value)  # cutting it there would throw away what follows


def test_another_error_is_told_once_and_passed_over() -> None:
    warnings: list[str] = []
    sink = Refusing(errors.WrongType())
    found = Replay(SET + wire(b"BAD") * 2 + SET, "the file", sink, warnings.append)
    found.run()
    assert (len(sink.commands), found.failed) == (2, 2)
    assert len(warnings) == 1 and f"at byte {len(SET)} answered: WRONGTYPE" in warnings[0]


def test_a_chunk_that_ends_anywhere() -> None:
    data = encode([[b"SET", b"a\r\nb", b"\r\n"], [b"GET", b"x"]])
    for size in range(len(data) + 1):
        commands, used = split(data[:size])
        assert used == (len(data) if size == len(data) else len(data) - len(wire(b"GET", b"x")) if commands else 0)


def test_files_small_and_mapped(tmp_path: Path) -> None:
    for count in (1, 5000):
        path = tmp_path / "file"
        path.write_bytes(SET * count)
        sink = Collected()
        size, found = replay_file(str(path), sink, lambda text: None)
        assert (size, found.whole, len(sink.commands)) == (len(SET) * count, len(SET) * count, count)
    with pytest.raises(errors.StoreError):
        replay_file(str(tmp_path), Collected(), lambda text: None)


def test_a_base_of_commands_is_replayed(tmp_path: Path) -> None:
    folder = tmp_path / "appendonlydir"
    folder.mkdir()
    (folder / "appendonly.aof.1.base.aof").write_bytes(SET)
    (folder / "appendonly.aof.manifest").write_bytes(b"file appendonly.aof.1.base.aof seq 1 type b\n")
    sink = Collected()
    journal = Journal.open(str(tmp_path), Config(), sink)
    assert sink.commands == [[b"SET", b"a", b"1"]]
    journal.rewrite(databases({0: {b"a": (b"1", None)}}))
    journal.close()
    assert not (folder / "appendonly.aof.1.base.aof").exists()
