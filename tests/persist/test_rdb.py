"""RDB files: what is written is read back, and every form that servers have written is understood."""

from __future__ import annotations

from array import array
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redtool import errors
from redtool.config import Config
from redtool.engine.deadlines import Deadlines
from redtool.engine.hashes import Hash
from redtool.engine.lists import List
from redtool.engine.quants import FULL
from redtool.engine.sets import Set
from redtool.engine.streams import Group, Stream
from redtool.engine.vectors import VectorSet
from redtool.engine.zsets import ZSet
from redtool.persist import codecs, listpack, payload
from redtool.persist.aof import Journal
from redtool.persist.crc64 import crc64, crc64_of, fast
from redtool.persist.lzf import decompress
from redtool.persist.rdb import load, load_file
from redtool.persist.save import FORMATS
from redtool.persist.snapshot import write_dump
from tests.persist.datasets import LATER, READERS, Collected, as_plain, databases, empty_stream, plain, sample, saved
from tests.servers import named_servers, running


def loaded(data: bytes, **options: Any) -> Collected:
    sink = Collected()
    load(data, sink, **options)
    return sink


def text(value: bytes) -> bytes:
    """A string as files hold it, with a 32-bit length so that any size will do."""
    return b"\x80" + pack(">I", len(value)) + value


def file(body: bytes, magic: bytes = b"REDIS0010") -> bytes:
    """A file around a body, its checksum not computed (0)."""
    return magic + body + b"\xff" + bytes(8)


def entry(kind: int, value: bytes, magic: bytes = b"REDIS0012") -> Any:
    """The value under the only key of a file."""
    sink = loaded(file(bytes([kind]) + text(b"key") + value, magic))
    return sink.plain()[0][b"key"][0]


def ziplist(*entries: bytes) -> bytes:
    """A ziplist of raw entries (without the previous length)."""
    body, before, last = b"", 0, 10
    for item in entries:
        last = 10 + len(body)
        head = bytes([before]) if before < 254 else b"\xfe" + pack("<I", before)
        body += head + item
        before = len(head) + len(item)
    return pack("<IIH", 10 + len(body) + 1, last, len(entries)) + body + b"\xff"


def test_round_trip_of_every_type() -> None:
    content = sample()
    sink = loaded(saved(content, functions=[b"#!lua name=one\n", b"#!lua name=two\n"], aux=[("aof-base", 1)]))
    assert sink.plain() == as_plain(content)
    assert sink.functions == [b"#!lua name=one\n", b"#!lua name=two\n"]
    assert sink.facts[b"aof-base"] == b"1"
    assert sink.facts[b"redis-bits"] == b"64"
    assert sink.announced == [(len(content[0]), 3), (1, 0)]


@pytest.mark.parametrize("version", [10, 11, 12, 80])
def test_round_trip_in_every_version(version: int) -> None:
    content = sample()
    data = saved(content, version=version)
    assert data[:9] == (b"VALKEY080" if version == 80 else b"REDIS%04d" % version)
    assert loaded(data).plain() == as_plain(content)


def forgetful(content: dict[int, dict[bytes, Any]]) -> dict[int, dict[bytes, Any]]:
    """The same with streams that remember nothing which version 9 has no place for."""
    for key, (value, _) in list(content[0].items()):
        if isinstance(value, Stream):
            value.max_deleted_id, value.entries_added = (0, 0), len(value)
            for group in value.groups.values():
                group.entries_read = value.number_of(group.last_id)
            assert key in (b"stream", b"no entries")
    return content


def test_version_9_has_older_streams() -> None:
    content = forgetful(sample())
    data = saved(content, version=9, fields_version=0)
    assert data[:9] == b"REDIS0009"
    assert loaded(data).plain() == as_plain(content)


def timed_hash() -> Hash:
    value = Hash({b"f": b"v"})
    value.deadlines = Deadlines({b"f": LATER})
    return value


def read_group() -> Stream:
    value = Stream()
    value.entries[1, 1] = value.entries[2, 2] = (b"f", b"v")
    value.last_id, value.entries_added = (2, 2), 2
    value.groups[b"g"] = Group((1, 5), 1)
    return value


def vector_set() -> VectorSet:
    value = VectorSet(2, FULL, 16)
    value.put(b"e", array("f", [1, 2]), None)
    return value


@pytest.mark.parametrize(
    ("form", "value", "reason"),
    [
        ("0009", timed_hash(), "the deadlines of its fields cannot be written as REDIS0009"),
        ("0009", empty_stream(), "the history of a stream (ENTRIESADDED and MAXDELETEDID of XSETID) cannot"),
        ("0009", read_group(), 'how many entries group "g" has read (ENTRIESREAD of XGROUP SETID) cannot be'),
        ("0009", vector_set(), "a vector set cannot be written as REDIS0009"),
        ("valkey080", vector_set(), "a vector set cannot be written as VALKEY080"),
    ],
)
def test_what_a_format_has_no_place_for_is_refused(form: str, value: Any, reason: str, tmp_path: Path) -> None:
    """In a dump; in the base of a journal, which redtool itself must always be able to write, it is kept."""
    content = {0: {b"before": (b"1", None), b"k": (value, None)}}
    version, fields_version = FORMATS[form]
    path = tmp_path / "dump.rdb"
    path.write_bytes(b"the old one")
    with pytest.raises(errors.Unfit) as caught:
        write_dump(str(path), databases(content), version=version, fields_version=fields_version)
    assert str(caught.value).startswith('key "k": ' + reason)
    assert (path.read_bytes(), [path]) == (b"the old one", list(tmp_path.iterdir()))
    journal = Journal.start(str(tmp_path), Config({"rdb-format": form}), databases(content))
    journal.close()
    sink = Collected()
    Journal.open(str(tmp_path), Config(), sink).close()
    assert payload.pack(sink.databases[0][0][b"k"]) == payload.pack(value)


def test_functions_do_not_fit_version_9() -> None:
    with pytest.raises(errors.Unfit, match="functions cannot be written as REDIS0009"):
        saved({}, version=9, functions=[b"#!lua name=one\n"])


@pytest.mark.parametrize(("fields_version", "magic"), [(12, b"REDIS0012"), (80, b"VALKEY080")])
def test_field_deadlines_raise_the_version(fields_version: int, magic: bytes) -> None:
    value = Hash({b"a": b"1", b"b": b"2", b"c": b"3"})
    value.deadlines = {b"a": LATER, b"b": LATER + 5}
    content = {0: {b"plain": (Hash({b"x": b"y"}), None), b"timed": (value, None), b"after": (b"text", None)}}
    data = saved(content, fields_version=fields_version)
    assert data[:9] == magic
    assert loaded(data).plain() == as_plain(content)


def test_large_file_is_written_in_pieces_with_the_right_checksum(tmp_path: Any) -> None:
    timed = Hash({b"f": b"v"})
    timed.deadlines = {b"f": LATER}
    rows = {b"key:%d" % n: (b"value %d" % n, LATER + n if n % 9 == 0 else None) for n in range(40_000)}
    content = {0: {**rows, b"big": (b"x" * 700_000, None), b"timed": (timed, None)}}
    path = str(tmp_path / "dump.rdb")
    write_dump(path, databases(content))
    data = (tmp_path / "dump.rdb").read_bytes()
    assert data[:9] == b"REDIS0012"
    assert data[-8:] == crc64(data[:-8]).to_bytes(8, "little")
    sink = Collected()
    load_file(path, sink)
    assert sink.plain() == as_plain(content)
    assert (tmp_path / "dump.rdb").stat().st_mode & 0o777 == 0o600


STRINGS = st.binary(max_size=80) | st.integers(-(2**70), 2**70).map(lambda n: b"%d" % n)
SCORES = st.floats(allow_nan=False)
VALUES = st.one_of(
    STRINGS,
    st.lists(STRINGS, min_size=1).map(List),
    st.sets(STRINGS, min_size=1).map(Set),
    st.dictionaries(STRINGS, STRINGS, min_size=1).map(Hash),
    st.dictionaries(STRINGS, SCORES, min_size=1).map(ZSet.of),
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(STRINGS, st.tuples(VALUES, st.none() | st.integers(0, 2**62)), max_size=8))
def test_round_trip_of_anything(rows: dict[bytes, Any]) -> None:
    content = {0: rows}
    assert loaded(saved(content)).plain() == as_plain(content)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=5000)))
def test_listpack_round_trip(items: list[int | bytes]) -> None:
    expected = [item if isinstance(item, bytes) else b"%d" % item for item in items]
    assert listpack.elements(listpack.pack(items)) == expected


INTS = {b"\xc0\xff": b"-1", b"\xc1\x00\x80": b"-32768", b"\xc2\xff\xff\xff\x7f": b"2147483647"}
# Three literals, then copies: "abcabcabcabcabc" in the words of the format.
LZF = b"\xc3\x07\x0f" + b"\x02abc" + b"\xe0\x03\x02"


@pytest.mark.parametrize(
    ("form", "value"),
    [
        *INTS.items(),
        (LZF, b"abc" * 5),
        (text(b"raw"), b"raw"),
        (b"\x40\x03abc", b"abc"),
        (b"\x81" + pack(">Q", 2) + b"ab", b"ab"),
    ],
)
def test_forms_of_a_string(form: bytes, value: bytes) -> None:
    assert entry(0, form) == value
    sink = loaded(file(b"\x00" + form + text(b"under it")))
    assert sink.plain() == {0: {value: (b"under it", None)}}


@pytest.mark.parametrize(
    ("packed", "size", "value"),
    [
        (b"\x00a\x20\x00", 4, b"aaaa"),
        (b"\x01ab\xe0\x10\x01", 27, b"ab" * 13 + b"a"),
        (b"\x1f" + bytes(range(32)), 32, bytes(range(32))),
        (b"", 0, b""),
    ],
)
def test_lzf(packed: bytes, size: int, value: bytes) -> None:
    assert decompress(packed, size) == value


@pytest.mark.parametrize(
    ("packed", "size"), [(b"\x20\x05", 3), (b"\x00a", 5), (b"\x05a", 6), (b"\x00a", 2**40), (b"\xe0", 9)]
)
def test_damaged_lzf(packed: bytes, size: int) -> None:
    with pytest.raises((ValueError, IndexError)):
        decompress(packed, size)


WORDS = [
    b"\x01a",
    b"\xf2",
    b"\xfe\x80",
    b"\xc0\x00\x80",
    b"\xf0\xff\xff\x7f",
    b"\xd0\x00\x00\x00\x80",
    b"\xe0" + pack("<q", 2**63 - 1),
    b"\x40\x50" + b"b" * 80,
    b"\x80\x00\x01\x00\x00" + b"c" * 65536,
    b"\x00",
]
TEXTS = [
    b"a",
    b"1",
    b"-128",
    b"-32768",
    b"8388607",
    b"-2147483648",
    b"9223372036854775807",
    b"b" * 80,
    b"c" * 65536,
    b"",
]
PAIRS = dict(zip(TEXTS[::2], TEXTS[1::2], strict=True))
PACK = listpack.pack
EARLY = (22, 23)  # types of release candidates, which no server can be had of
DAY = 86_400_000 * 50_000  # in 2106


def double(value: float) -> bytes:
    return pack("<d", value)


FORMS: list[tuple[int, bytes, Any]] = [
    (1, b"\x02" + text(b"a") + text(b"b"), ("list", [b"a", b"b"])),
    (10, text(ziplist(*WORDS)), ("list", TEXTS)),
    (14, b"\x02" + text(ziplist(*WORDS)) + text(ziplist(b"\x01z")), ("list", [*TEXTS, b"z"])),
    (
        18,
        b"\x02\x01" + text(b"whole") + b"\x02" + text(PACK([1, b"two", -3])),
        ("list", [b"whole", b"1", b"two", b"-3"]),
    ),
    (2, b"\x02" + text(b"a") + text(b"b"), ("set", {b"a", b"b"})),
    (11, text(pack("<IIhh", 2, 2, -5, 300)), ("set", {b"-5", b"300"})),
    (11, text(pack("<IIi", 4, 1, 1 << 30)), ("set", {b"1073741824"})),
    (11, text(pack("<IIq", 8, 1, -(1 << 62))), ("set", {b"-4611686018427387904"})),
    (20, text(PACK([b"a", 5])), ("set", {b"a", b"5"})),
    (
        3,
        b"\x04" + text(b"a") + b"\x041e10" + text(b"b") + b"\xfe" + text(b"c") + b"\xff" + text(b"d") + b"\x03-.5",
        ("zset", {b"a": 1e10, b"b": float("inf"), b"c": float("-inf"), b"d": -0.5}),
    ),
    (5, b"\x01" + text(b"a") + double(2.5), ("zset", {b"a": 2.5})),
    (12, text(ziplist(b"\x01a", b"\x032.5", b"\x01b", b"\xf4")), ("zset", {b"a": 2.5, b"b": 3.0})),
    (17, text(PACK([b"a", b"2.5", b"b", 3])), ("zset", {b"a": 2.5, b"b": 3.0})),
    (4, b"\x01" + text(b"f") + text(b"v"), ("hash", {b"f": b"v"}, {})),
    (9, text(b"\x02\x01f\x02\x01vv.\x03key\x00\x00\xff"), ("hash", {b"f": b"vv", b"key": b""}, {})),
    (13, text(ziplist(*WORDS)), ("hash", PAIRS, {})),
    (16, text(PACK([b"f", 1, b"g", b"x"])), ("hash", {b"f": b"1", b"g": b"x"}, {})),
    (
        22,
        b"\x02\x00" + text(b"f") + text(b"v") + b"\x05" + text(b"g") + text(b"w"),
        ("hash", {b"f": b"v", b"g": b"w"}, {b"g": 5}),
    ),
    (23, text(PACK([b"f", b"v", DAY, b"g", b"w", 0])), ("hash", {b"f": b"v", b"g": b"w"}, {b"f": DAY})),
    (
        24,
        pack("<q", DAY) + b"\x02\x01" + text(b"f") + text(b"v") + b"\x00" + text(b"g") + text(b"w"),
        ("hash", {b"f": b"v", b"g": b"w"}, {b"f": DAY}),
    ),
    (
        25,
        pack("<q", DAY) + text(PACK([b"f", b"v", DAY, b"g", b"w", 0])),
        ("hash", {b"f": b"v", b"g": b"w"}, {b"f": DAY}),
    ),
]


@pytest.mark.parametrize(("kind", "value", "expected"), FORMS)
def test_forms_of_a_value(kind: int, value: bytes, expected: Any) -> None:
    assert entry(kind, value) == expected


NEWEST = {"redis6": 15, "redis7": 19, "redis74": 25, "redis8": 25, "valkey8": 21, "valkey": 21}  # type each can read


@pytest.mark.parametrize("name", sorted(named_servers()))
def test_servers_read_these_forms_as_we_do(name: str) -> None:
    """So that what is made by hand here is what servers have written."""
    with running(name) as server, server.client() as client:
        for kind, value, expected in FORMS:
            if kind > NEWEST[name] or kind in EARLY or (kind > 15 and name == "redis6"):
                continue
            body = bytes([kind]) + value + pack("<H", 9 if kind < 16 else 10 if kind < 22 else 12)
            assert client.call("RESTORE", "k", 0, body + pack("<Q", crc64(body)), "REPLACE") == b"OK", kind
            assert READERS[client.call("TYPE", "k")](client, b"k") == expected, kind


def stream_value(kind: int) -> bytes:
    """Entries 5-1 and 5-3, once 5-2 too; one is pending for bob, who was seen at 7 and last got something at 6."""
    id_of = pack(">QQ", 5, 1)
    node = PACK([2, 1, 1, b"f", 0, 2, 0, 0, b"v", 4, 3, 0, 1, b"gone", 4, 0, 0, 2, 1, b"g", b"w", 6])
    history = b"\x05\x01" + b"\x05\x02" + b"\x09" if kind > 15 else b""  # first id, greatest deleted, entries added
    active = pack("<q", 6) if kind == 21 else b""
    group = b"\x01g" + b"\x05\x01" + (b"\x04" if kind > 15 else b"")
    pending = b"\x01" + id_of + pack("<q", 6) + b"\x02"
    consumer = b"\x01\x03bob" + pack("<q", 7) + active + b"\x01" + id_of
    return b"\x01\x10" + id_of + text(node) + b"\x02\x05\x03" + history + b"\x01" + group + pending + consumer


@pytest.mark.parametrize(
    ("kind", "history", "read", "active"), [(15, ((0, 0), 2), 1, 7), (19, ((5, 2), 9), 4, 7), (21, ((5, 2), 9), 4, 6)]
)
def test_forms_of_a_stream(kind: int, history: Any, read: int, active: int) -> None:
    sink = loaded(file(bytes([kind]) + b"\x03key" + stream_value(kind)))
    value = sink.databases[0][0][b"key"]
    entries = {(5, 1): (b"f", b"v"), (5, 3): (b"g", b"w")}
    groups = {b"g": ((5, 1), read, {(5, 1): (b"bob", 6, 2)}, {b"bob": 7})}
    assert plain(value) == ("stream", entries, ((5, 3), *history), groups)
    assert value.groups[b"g"].consumers[b"bob"].active_ms == active


def test_type_22_is_another_in_valkey_files() -> None:
    value = b"\x02" + text(b"f") + text(b"v") + pack("<q", DAY) + text(b"g") + text(b"w") + pack("<q", -1)
    assert entry(22, value, b"VALKEY080") == ("hash", {b"f": b"v", b"g": b"w"}, {b"f": DAY})


EMPTY = [
    (1, b"\0"),
    (2, b"\0"),
    (4, b"\0"),
    (5, b"\0"),
    (10, text(ziplist())),
    (11, text(pack("<II", 2, 0))),
    (12, text(ziplist())),
    (14, b"\0"),
    (16, text(PACK([]))),
    (18, b"\0"),
    (20, text(PACK([]))),
]


@pytest.mark.parametrize(("kind", "value"), EMPTY)
def test_empty_collections_are_skipped(kind: int, value: bytes) -> None:
    body = b"".join(bytes([kind]) + text(b"%d" % n) + value for n in range(2)) + b"\0\x01k\x01v"
    assert loaded(file(body)).plain() == {0: {b"k": (b"v", None)}}


def test_deadlines_and_what_a_server_notes_of_use() -> None:
    body = (
        b"\xfd"
        + pack("<i", 2_000_000_000)
        + b"\0\x01a\x01A"
        + b"\xfc"
        + pack("<q", 5)
        + b"\0\x01b\x01B"
        + b"\xfc"
        + pack("<q", -1)
        + b"\0\x01c\x01C"
        + b"\xfc"
        + pack("<q", LATER)
        + b"\xf8\x09"
        + b"\0\x01d\x01D"
        + b"\xf9\x63"
        + b"\x01\x01e\x01\x01E"
        + b"\0\x01f\x01F"
        + b"\xfc"
        + pack("<q", 6)
        + b"\x01\x01g\x01\x01G"
    )
    sink = loaded(file(body))
    deadlines = {key: deadline for key, (_, deadline) in sink.plain()[0].items()}
    assert deadlines == {b"a": 2_000_000_000_000, b"b": 5, b"c": None, b"d": LATER, b"e": None, b"f": None, b"g": 6}
    assert sink.accesses == {b"d": (9, None), b"e": (None, 0x63)}
    assert sorted(loaded(file(body), now=1000).plain()[0]) == [b"a", b"c", b"d", b"e", b"f"]


def module(name: str, version: int = 1) -> bytes:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    number = 0
    for letter in name:
        number = number << 6 | letters.index(letter)
    return b"\x81" + pack(">Q", number << 10 | version)


MODULE_DATA = b"\x01\x05\x02\x40\x50\x03" + pack("<f", 1) + b"\x04" + pack("<d", 1) + b"\x05" + text(b"x") + b"\x00"


def test_what_modules_left_is_stepped_over_with_a_warning() -> None:
    body = (
        b"\xf7"
        + module("ReJSON-RL")
        + b"\x02\x02"
        + MODULE_DATA
        + b"\x07\x01k"
        + module("ReJSON-RL")
        + MODULE_DATA
        + b"\x07\x01l"
        + module("MBbloom--")
        + MODULE_DATA
        + b"\0\x01a\x01b"
    )
    warnings: list[str] = []
    assert loaded(file(body), warn=warnings.append, path="d.rdb").plain() == {0: {b"a": (b"b", None)}}
    assert warnings == [
        "d.rdb: data of module ReJSON-RL left out",
        'd.rdb: key "k" holds a value of module ReJSON-RL, left out',
        'd.rdb: key "l" holds a value of module MBbloom--, left out',
    ]


def test_opcodes_that_change_nothing() -> None:
    body = (
        b"\xfa\x04when\x01x" + b"\xf4\x01\x02\x03" + b"\xfb\x01\x00" + b"\0\x01a\x01b" + b"\xfe\x02\xfe\x00\0\x01c\x01d"
    )
    sink = loaded(file(body))
    assert sink.plain() == {0: {b"a": (b"b", None), b"c": (b"d", None)}}
    assert sink.facts == {b"when": b"x"}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_files_before_version_5_have_no_checksum(version: int) -> None:
    data = b"REDIS%04d\xfe\0\0\x01a\x01b\xfd" % version + pack("<i", 2_000_000_000) + b"\x02\x01s\x01\x01m\xff"
    found = {b"a": (b"b", None), b"s": (("set", {b"m"}), 2_000_000_000_000)}
    assert loaded(data).plain() == {0: found}
    assert load(data + b"*1", Collected()) == len(data)


def test_position_after_the_file() -> None:
    data = saved(sample())
    assert load(data + b"*1\r\n", Collected()) == len(data)


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "not an RDB file", 0),
        (b"REDIS", "not an RDB file", 0),
        (b"REDIS00x0", "not an RDB file", 0),
        (b"VALKEY000", "not an RDB file", 0),
        (b"REDIS0010", "cut short or damaged", 9),
        (b"REDIS0010\xff", "the file ends too early", 10),
        (b"REDIS0010\xff1234567", "the file ends too early", 17),
        (b"REDIS0010\xff" + b"12345678", "the checksum does not match", 10),
        (file(b"\0\x01a\x01b\0\x01a\x01c"), "a key is there twice", 19),
        (file(b"\x1c\x01a\x01b"), "value type 28 (ARRAY) is not supported", 9),
        (file(b"\0\x01a\x01b\x63\x01a"), "value type 99 is not supported", 14),
        (file(b"\x06\x01a"), "value type 6 (MODULE_PRE_GA) is not supported", 9),
        (file(b"\x17\x01a", b"VALKEY081"), "value type 23 (PATH_HASH) is not supported", 9),
        *[
            (file(b"\xfe\1" + bytes([kind]) + b"\x01a"), f"value type {kind} ({name}) is not supported", 11)
            for kind, name in codecs.FUTURE[False].items()
        ],
        (file(b"\xf3"), "opcode 243 (KEY_META) is not supported", 9),
        (file(b"\xf2"), "opcode 242 (HASH_TEMPLATES) is not supported", 9),
        (file(b"\xf3", b"VALKEY080"), "opcode 243 (SLOT_IMPORT) is not supported", 9),
        (file(b"\xf2", b"VALKEY081"), "opcode 242 (UPDATE) is not supported", 9),
        (file(b"\xf6"), "opcode 246 (FUNCTION_PRE_GA) is not supported", 9),
        (file(b"\x02\x01a\x02\x01x\x01x"), "a set holds a member twice", 9),
        (file(b"\x04\x01a\x02\x01x\x01x\x01x\x01y"), "a hash holds a field twice", 9),
        (file(b"\x05\x01a\x01\x01x" + double(float("nan"))), "a score is not a number", 9),
        (file(b"\0\x01a\x81" + b"\xff" * 8), "cut short or damaged", 9),
        (file(b"\x01\x01a\x81" + b"\xff" * 8), "no string starts with 0xff", 9),
        (file(b"\0\x01a\xc3\x02\x81" + b"\xff" * 8 + b"ab"), "compressed string claims an impossible size", 9),
        (file(b"\0\x01a\xc4"), "no string starts with 0xc4", 9),
        (file(b"\x10\x01a" + text(b"junk")), "damaged listpack", 9),
    ],
)
def test_damage_is_named_with_its_offset(data: bytes, reason: str, offset: int) -> None:
    with pytest.raises(errors.CorruptFile) as caught:
        loaded(data, path="the file")
    assert str(caught.value).startswith("the file: " + reason)
    assert (caught.value.reason.startswith(reason), caught.value.offset) == (True, offset)


@pytest.mark.parametrize("data", [b"", b"123456789", bytes(range(256)) * 5])
def test_both_checksums_agree(data: bytes) -> None:
    assert crc64(data) == fast()(data, 0)
    half = len(data) // 2
    assert crc64(data[half:], crc64(data[:half])) == crc64(data)


def test_checksum_of_a_span() -> None:
    data = b"123456789" * 50_000
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA
    assert crc64_of(data, 9, 400_000) == fast()(data[9:400_000], 0)


def test_missing_and_unreadable_files(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError):
        load_file(str(tmp_path / "none.rdb"), Collected())
    with pytest.raises(errors.StoreError, match="cannot read"):
        load_file(str(tmp_path), Collected())
