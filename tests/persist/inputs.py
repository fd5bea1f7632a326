"""Damaged files and payloads, drawn at random from whole ones of every type and encoding."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any
from zlib import crc32

from redtool import errors
from redtool.config import Config
from redtool.persist.aof import encode
from redtool.persist.codecs import pack_length
from redtool.persist.crc64 import crc64
from redtool.persist.index import DIRECTORY, HEAD
from redtool.persist.indexing import index_of
from redtool.session import Block, Session
from redtool.store import Store
from tests import embedded
from tests.persist.payloads import REDIS, VALKEY, Value, text, values

HUGE = [b"\x81" + b"\xff" * 8, b"\x80\xff\xff\xff\xff", b"\x7f\xff", b"\xff" * 4, b"\xc3\x7f\xff\xbf\xff",
        b"\xc3\x09\x80\x7f\xff\xff\xff", b"*999999999\r\n", b"$999999999999999\r\n", b"\x00" * 4, b"\xfe" * 5,
        b"\xf0\xff\xff\xff\x7f", b"\xf4" + b"\xff" * 8 + b"\x09", b"\xf4" + b"\xff" * 7 + b"\x7f\x09",
        b"\x81\x80" + bytes(7), b"\x81" + bytes(4) + b"\x40" + bytes(3), b"\x02\x81\x7f" + b"\xff" * 7,
        b"\x80\x00\x10\x00\x00", b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x00" * 7 + b"\x80"]  # fmt: skip
VERSIONS = {REDIS: (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12), VALKEY: (80,)}
LIBRARY = b"#!lua name=%b\nredis.register_function('f_%b', function() return 1 end)"
NUMBERS = [b"0", b"-1", b"1", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551615", b"", b"nan",
           b"inf", b"-inf", b"1e400", b"*", b"0-0", b"18446744073709551615-18446744073709551615", b"99"]  # fmt: skip
FOLDER, NAME = "appendonlydir", "appendonly.aof"


def mutated(data: bytes, rng: Random, others: Callable[[], bytes] = bytes) -> bytes:
    """A copy with one to four places damaged; ``others`` gives what is spliced in."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        stop = min(len(out), at + rng.choice((1, 2, 8, 100)))
        way = rng.randrange(8)
        if way < 3 and at < len(out):
            out[at] = rng.choice((0, 0xFF, 0x80, 0x7F, out[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
        elif way == 3:
            del out[at:stop]
        elif way == 4:
            out[at:at] = out[at:stop]
        elif way == 5:
            out[at : at + rng.choice((0, 1, 9))] = rng.choice(HUGE)
        elif way == 6:
            other = others()
            start = rng.randrange(len(other) + 1)
            out[at:stop] = other[start : start + rng.choice((1, 8, 60))]
        elif rng.random() < 0.3:
            del out[at:]
        if not out:
            break
    return bytes(out)


def any_value(rng: Random) -> Value:
    """One of all values, each type as likely as the others."""
    family, kind = rng.choice(_types())
    return rng.choice([value for value in values() if value[:2] == (family, kind)])


@cache
def _types() -> list[tuple[str, int]]:
    return sorted({value[:2] for value in values()})


# -- snapshots


def snapshot(rng: Random) -> bytes:
    """A whole RDB file without its checksum: some keys, every opcode now and then."""
    family = rng.choice((REDIS, VALKEY))
    version = rng.choice(VERSIONS[family])
    out = [b"VALKEY%03d" % version if family == VALKEY else b"REDIS%04d" % version]
    for number in range(rng.choice((1, 1, 2, 5))):
        value = any_value(rng)
        while value[0] != family:
            value = any_value(rng)
        out += [_opcode(rng) if rng.random() < 0.3 else b"", _access(rng), bytes([value[1]])]
        out += [text(b"%b%d" % (rng.choice((b"s", b"l", b"h", b"z", b"k")), number)), value[2]]
    return b"".join([*out, b"\xff"])


def _opcode(rng: Random) -> bytes:
    fact = b"\xfa" + text(b"redis-ver") + rng.choice((text(b"7.0.15"), b"\xc0\x07"))
    module = b"\xf7\x81" + rng.randbytes(8) + b"\x02\x02\x02" + b"\x05" + text(b"abc") + b"\x02\x01\x00"
    return rng.choice([fact, b"\xfe" + bytes([rng.choice((0, 1, 9, 15))]), b"\xfb\x05\x02", b"\xf4\x01\x02\x03",
                       b"\xf5" + text(LIBRARY % (b"lib", b"lib")), module])  # fmt: skip


def _access(rng: Random) -> bytes:
    """What comes before a key: deadline, idle time, frequency."""
    when = rng.choice((4102444800000, 4102444800000, -5, 1, 2**63 - 1))
    deadline = rng.choice((b"", b"\xfc" + when.to_bytes(8, "little", signed=True), b"\xfd\x00\x00\x00\x7f"))
    return deadline + rng.choice((b"", b"", b"\xf8" + pack_length(rng.choice((5, 1 << 40))), b"\xf9\x10"))


def rdb(rng: Random) -> bytes:
    """A damaged RDB file."""
    return _damaged_file(snapshot(rng), rng)


def _damaged_file(data: bytes, rng: Random) -> bytes:
    bad = mutated(data, rng, lambda: any_value(rng)[2])
    chance = rng.random()
    if chance < 0.7:
        return _summed(bad)
    return bad + (bytes(8) if chance < 0.9 else crc64(data).to_bytes(8, "little"))


# -- payloads


def _signed(body: bytes, version: int, rng: Random) -> bytes:
    """A payload with its footer, mostly a right one."""
    body += version.to_bytes(2, "little")
    out = _summed(body)
    return out if rng.random() < 0.92 else mutated(out, rng)


def dump(rng: Random) -> bytes:
    """A damaged payload of RESTORE."""
    family, kind, body = any_value(rng)
    bad = mutated(body, rng, lambda: any_value(rng)[2])
    if rng.random() < 0.05:
        kind = rng.randrange(256)
    return _signed(bytes([kind]) + bad, 80 if family == VALKEY else rng.choice((9, 10, 12)), rng)


def functions(rng: Random) -> bytes:
    """A damaged payload of FUNCTION RESTORE."""
    names = [b"a", b"b"][: rng.choice((1, 2))]
    body = b"".join(b"\xf5" + text(LIBRARY % (name, name)) for name in names)
    return _signed(mutated(body, rng), rng.choice((10, 80)), rng)


# -- journals


class Written:
    """Takes a store's effects in the place of its journal."""

    def __init__(self) -> None:
        self.db = -1
        self.pending: list[tuple[bytes, ...]] = []

    def select(self, db: int) -> None:
        self.pending.append((b"SELECT", b"%d" % db))
        self.db = db

    def append(self, argv: tuple[bytes, ...], db: int) -> None:
        if db != self.db:
            self.select(db)
        self.pending.append(argv)


@cache
def effects() -> list[list[tuple[bytes, ...]]]:
    """What stores journal that have run random commands, transactions and all."""
    from tests.persist.traffic import lines
    from tests.samples import planted

    rng, out = Random(11), []
    drawn = lines(rng)
    for _ in range(12):
        store, written = Store(Config()), Written()
        store.journal = written  # type: ignore[assignment]
        session = Session(store)
        steps: list[Any] = [*planted(), *(tuple(drawn.line(rng.choice(drawn.commands))) for _ in range(250))]
        for at, argv in enumerate(steps):
            together = at % 40 == 0
            for words in ((b"MULTI",), argv, (b"SET", b"s9", b"1"), (b"EXEC",)) if together else (argv,):
                try:
                    store.run(session, [words], [])
                except Block:
                    continue
        out.append(written.pending)
    return out


def increment(rng: Random) -> list[tuple[bytes, ...]]:
    """Some commands in a row out of a journal."""
    whole = rng.choice(effects())
    start = rng.choice((0, rng.randrange(len(whole))))
    return whole[start : start + rng.choice((5, 30, 80))]


def _other_words(commands: list[tuple[bytes, ...]], rng: Random) -> list[tuple[bytes, ...]]:
    """Commands with some words changed: what a bit that flips within a word does, lengths being right."""
    out = list(commands)
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(out))
        words = list(out[at])
        place = rng.randrange(len(words))
        way = rng.randrange(5)
        if way == 0:
            words[place] = rng.choice(NUMBERS)
        elif way == 1:
            words[place] = mutated(words[place], rng)
        elif way == 2:
            del words[place:]
        elif way == 3:
            words.insert(place, rng.choice(NUMBERS))
        else:
            words[0] = rng.choice(NAMES)
        if words:
            out[at] = tuple(words)
    return out


def _names() -> list[bytes]:
    """Every command, but those that write files or end the process by design."""
    embedded.import_all()
    from redtool.commands.table import TABLE

    return sorted(name for name in TABLE if name not in (b"DEBUG", b"SHUTDOWN"))


NAMES = _names()


def journal(rng: Random) -> dict[str, bytes]:
    """The files of a store, one of them damaged."""
    commands = increment(rng)
    damaged = rng.choice(("incr", "incr", "words", "base", "manifest", "old"))
    tail = encode(_other_words(commands, rng) if damaged == "words" else commands)
    tail = tail.replace(b"*3\r\n", b"#TS:1700000000\r\n*3\r\n", 2)
    if damaged == "incr":
        tail = mutated(tail, rng, lambda: rng.choice((encode(increment(rng)[:3]), any_value(rng)[2])))
    base = snapshot(rng)
    base = _damaged_file(base, rng) if damaged == "base" else _summed(base)
    if damaged == "old":  # one file, as before Redis 7, with a snapshot in front
        return {NAME: mutated(base + tail, rng) if rng.random() < 0.5 else _damaged_file(base[:-8], rng) + tail}
    first, second = f"{NAME}.1.base.rdb", f"{NAME}.1.incr.aof"
    lines = f"file {first} seq 1 type b\nfile {second} seq 1 type i\n".encode()
    if damaged == "manifest":
        lines = mutated(lines, rng, lambda: b'file "a b" seq 2 type h startoffset 5\n# x\n')
    return {f"{FOLDER}/{first}": base, f"{FOLDER}/{second}": tail, f"{FOLDER}/{NAME}.manifest": lines}


# -- indexes


def indexed(rng: Random) -> dict[str, bytes]:
    """The files of a store whose snapshot has an index; one of both is damaged.

    With "whole" the snapshot as it was: what opens must then give nothing else. With "forged" the index has right
    checksums, so that nothing can tell it from a true one: what opens may give anything, in good order.
    """
    while True:
        base = _summed(snapshot(rng))
        if base[:5] == b"REDIS" and base[:9] < b"REDIS0005":  # has no checksum
            continue
        if rng.random() < 0.3:
            base = _summed(mutated(base[:-8], rng, lambda: any_value(rng)[2]))  # it may be an index of damaged values
        try:
            index = index_of(base, "base")
        except (errors.StoreError, errors.CorruptFile):
            continue
        break
    way = rng.randrange(4)
    files = {"whole": base} if way < 2 else {}
    if way == 0:
        index = mutated(index, rng)
    elif way == 1:
        base = mutated(base, rng)
    elif way == 2:
        index = resummed(mutated(index, rng), base)
        files = {"forged": b""}
    name = f"{NAME}.1.base.rdb"
    lines = f"file {name} seq 1 type b\n".encode()
    files |= {f"{FOLDER}/{name}": base, f"{FOLDER}/{name}.idx": index, f"{FOLDER}/{NAME}.manifest": lines}
    return files


def resummed(index: bytes, base: bytes) -> bytes:
    """A damaged index with right checksums, as far as there is a place for them."""
    if len(index) < HEAD.size:
        return index
    out = bytearray(index)
    _, size, _, _, _, _, shift, own_shift, databases, libraries = HEAD.unpack_from(out)
    if not HEAD.size <= size <= len(out) or not (shift < 41 and own_shift < 41 and max(databases, libraries) < 1000):
        return index
    at = HEAD.size + databases * DIRECTORY.size + 8 * libraries
    for buffer, power in ((base, shift), (bytes(out[size:]), own_shift)):
        for start in range(0, len(buffer), 1 << power):
            out[at : at + 4] = crc32(buffer[start : start + (1 << power)]).to_bytes(4, "little")
            at += 4
    out[12:16] = crc32(out[:12] + bytes(4) + out[16:size]).to_bytes(4, "little")
    return bytes(out)


def _summed(data: bytes) -> bytes:
    return data + crc64(data).to_bytes(8, "little")
