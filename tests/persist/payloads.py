"""Values as files hold them, in every encoding: what damage is done to. ``python -m tests.persist.payloads`` gathers.

``collected`` are payloads of DUMP from real servers, one of each kind of value and encoding, kept in
tests/data/payloads.txt. ``made`` are by hand: what no server writes any more, or only with modules.
A value is (family, type byte, body); the family is ``REDIS`` or ``VALKEY``, which differ from type 22 on.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from struct import pack

from redtool.persist import listpack
from redtool.persist.codecs import pack_length
from tests.servers import RealServer, named_servers, running

Value = tuple[str, int, bytes]
REDIS, VALKEY = "REDIS", "VALKEY"

FILE = Path(__file__).parent.parent / "data" / "payloads.txt"
LONGEST = 1500  # bytes of a payload that is kept
FOOTER = 10
VALKEY_VERSION = 80
VECTORS = [
    [("VADD", "k", "VALUES", 3, n, 1, -n, f"e{n}", "NOQUANT", "SETATTR", f'{{"n":{n}}}') for n in range(6)],
    [("VADD", "k", "VALUES", 3, n, 1, -n, f"e{n}") for n in range(6)],
    [("VADD", "k", "REDUCE", 2, "VALUES", 4, n, 1, -n, 2, f"e{n}", "BIN") for n in range(4)],
]


def text(data: bytes) -> bytes:
    """A string as RDB files hold it."""
    return pack_length(len(data)) + data


def signed(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=True)


def ziplist(*items: bytes) -> bytes:
    """A ziplist of entries that are encoded already."""
    body, previous, tail = b"", 0, 10
    for item in items:
        tail = 10 + len(body)
        entry = (bytes([previous]) if previous < 254 else b"\xfe" + pack("<I", previous)) + item
        body, previous = body + entry, len(entry)
    return pack("<IIH", 11 + len(body), tail, len(items)) + body + b"\xff"


def zl(item: bytes) -> bytes:
    """A string in a ziplist."""
    size = len(item)
    if size < 64:
        return bytes([size]) + item
    return (0x4000 | size).to_bytes(2, "big") + item if size < 16384 else b"\x80" + pack(">I", size) + item


NUMBERS = [b"\xc0" + signed(-300, 2), b"\xd0" + signed(-70000, 4), b"\xe0" + signed(2**40, 8),
           b"\xf0" + signed(-70000, 3), b"\xfe" + signed(-100, 1), b"\xf1", b"\xfd"]  # fmt: skip
ITEMS = [b"a", b"", b"x" * 70, -1, 5, 127, 4000, -4096, 30000, -8000000, 2**31 - 1, 2**62, b"y" * 5000]


def pairs(items: list[bytes]) -> bytes:
    return b"".join(map(text, items))


def node(*items: int | bytes) -> bytes:
    return text(listpack.pack(items))


def id_of(ms: int, seq: int) -> bytes:
    return pack(">QQ", ms, seq)


def stream(kind: int) -> bytes:
    """Two nodes, a deleted entry, one with its own fields, two groups, one of them with pending entries."""
    first = text(id_of(5, 0)) + node(2, 1, 2, b"f", b"g", 0, 2, 0, 0, b"v", b"w", 5, 3, 0, 1, b"v", b"w", 5,
                                     0, 2, 0, 1, b"own", b"value", 6)  # fmt: skip
    second = text(id_of(9, 9)) + node(1, 0, 1, b"f", 0, 2, 0, 0, b"v", 4)
    out = b"\x02" + first + second + b"\x03" + b"\x09\x09"
    if kind > 15:
        out += b"\x05\x00" + b"\x05\x01" + b"\x04"
    times = pack("<q", 1700000000000) * (2 if kind == 21 else 1)
    read = b"\x02" if kind > 15 else b""
    pending = [id_of(5, 0) + pack("<q", 1700000000000) + b"\x01", id_of(7, 0) + pack("<q", 1700000000001) + b"\x02"]
    group = text(b"g1") + b"\x07\x00" + read + b"\x02" + b"".join(pending)
    group += b"\x02" + text(b"c1") + times + b"\x01" + id_of(5, 0) + text(b"c2") + times + b"\x01" + id_of(7, 0)
    idle = text(b"g2") + b"\x00\x00" + (b"\x81" + b"\xff" * 8 if kind > 15 else b"") + b"\x00\x00"
    return out + b"\x02" + group + idle


def module() -> bytes:
    """A value of a module that nobody knows, with every kind of item."""
    name = b"\x81" + (0x123456789ABC << 10 | 1).to_bytes(8, "big")
    numbers = b"\x01\x05\x02\x80\x00\x00\xff\xff\x03" + bytes(4) + b"\x04" + bytes(8)
    return name + numbers + b"\x05" + text(b"abc") + b"\0"


def made() -> list[Value]:
    """A value of every type that has no other source, and plain ones of the rest."""
    lzf = b"\xc3" + pack_length(11) + pack_length(63) + b"\x00a\xe0\x30\x00\x04bcdef"
    soon = pack("<q", 4102444800000)
    hashed = ziplist(zl(b"f"), NUMBERS[1], zl(b"g" * 300), NUMBERS[5], zl(b"h"), zl(b""))
    timed = [b"f", b"v", 4102444800000, b"g", b"w", 4102444800001, b"h", b"x", 0]
    plain: list[tuple[int, bytes]] = [
        (0, text(b"hello")), (0, b"\xc0\x05"), (0, b"\xc1\x00\x80"), (0, b"\xc2" + signed(-(2**31), 4)), (0, lzf),
        (0, b"\x80" + pack(">I", 100) + b"z" * 100), (0, b"\x81" + pack(">Q", 3) + b"abc"),
        (1, b"\x03" + pairs([b"a", b"", b"b" * 70])), (2, b"\x03" + pairs([b"a", b"", b"b"])),
        (3, b"\x05" + b"".join(text(m) + s for m, s in [(b"a", b"\x031.5"), (b"b", b"\xfe"), (b"c", b"\xff"),
                                                      (b"d", b"\x02-1"), (b"e", b"\x041e17")])),
        (4, b"\x02" + pairs([b"f", b"v", b"g", b""])),
        (5, b"\x02" + text(b"a") + pack("<d", 1.5) + text(b"b") + pack("<d", float("-inf"))),
        (7, module()),
        (9, text(b"\x02\x01f\x03\x02val\0\0" + b"\xfe" + pack("<I", 1) + b"g\x01\0w\xff")),
        (10, text(ziplist(*NUMBERS, zl(b"a"), zl(b"x" * 70), zl(b"z" * 300), zl(b"")))),
        (11, text(pack("<II3h", 2, 3, -5, 1, 300))), (11, text(pack("<II2i", 4, 2, -70000, 70000))),
        (11, text(pack("<II2q", 8, 2, -(2**63), 2**63 - 1))),
        (12, text(ziplist(zl(b"a"), NUMBERS[5], zl(b"b"), zl(b"2.5"), zl(b"c"), zl(b"inf")))),
        (13, text(hashed)), (14, b"\x02" + text(ziplist(zl(b"a"), NUMBERS[0])) + text(ziplist(zl(b"b")))),
        (15, stream(15)), (16, node(b"f", b"v", b"g", 5, b"h", b"")),
        (17, node(b"a", -1, b"b", b"2.5", b"c", 7)),
        (18, b"\x03\x02" + node(*ITEMS) + b"\x01" + text(b"plain") + b"\x02" + node(1, b"b")),
        (19, stream(19)), (20, node(b"a", -1, b"b", 5)), (21, stream(21)),
    ]  # fmt: skip
    early = b"\x02" + b"\x81" + pack(">Q", 4102444800000) + pairs([b"f", b"v"]) + b"\0" + pairs([b"g", b"w"])
    wide = soon + b"\x03\x01" + pairs([b"f", b"v"]) + b"\x40\x99" + pairs([b"g", b"w"]) + b"\0" + pairs([b"h", b"x"])
    redis = [(22, early), (23, node(*timed)), (24, wide), (25, soon + node(*timed))]
    valkey = b"\x02" + pairs([b"f", b"v"]) + soon + pairs([b"g", b"w"]) + pack("<q", -1)
    return [*((REDIS, *value) for value in (*plain, *redis)), *((VALKEY, *value) for value in plain),
            (VALKEY, 22, valkey)]  # fmt: skip


@cache
def collected() -> list[tuple[str, Value]]:
    """The payloads that were gathered: where from and for what case, and the value."""
    out = []
    for line in FILE.read_text().splitlines():
        name, family, packed = line.split("\t")
        payload = b64decode(packed)
        out.append((name, (family, payload[0], payload[1:])))
    return out


@cache
def values() -> list[Value]:
    """Everything: gathered and made by hand."""
    return [*(value for _, value in collected()), *made()]


def gathered(server: RealServer, name: str) -> Iterator[tuple[str, Value]]:
    """The payloads of one server, for every case of the exchange of payloads and some vector sets."""
    from tests.persist.exchange import CASES, DEFAULTS
    from tests.persist.exchange import made as make

    with server.client() as client:
        cases = {**CASES, **{f"vector set {n}": lines for n, lines in enumerate(VECTORS)}}
        for case, lines in cases.items():
            client.call("FLUSHALL")
            for line in DEFAULTS:
                client.call(*line)
            payload = client.call("DUMP", "k") if make(client.call, list(lines)) else None
            if isinstance(payload, bytes) and len(payload) <= LONGEST:
                version = int.from_bytes(payload[-FOOTER:-8], "little")
                family = VALKEY if version == VALKEY_VERSION else REDIS
                yield f"{name} {case}", (family, payload[0], payload[1:-FOOTER])


def main() -> None:
    """Gather from every server that there is (REDTOOL_TEST_SERVERS), each encoding once."""
    from tests.persist.exchange import options

    seen: set[Value] = set()
    rows = []
    for name in sorted(named_servers()):
        with running(name, *options(name)) as server:
            for title, value in gathered(server, name):
                if value not in seen:
                    seen.add(value)
                    packed = b64encode(bytes([value[1]]) + value[2]).decode()
                    rows.append(f"{title}\t{value[0]}\t{packed}\n")
    FILE.write_text("".join(rows))
    print(f"{len(rows)} payloads, {os.path.getsize(FILE)} bytes")


if __name__ == "__main__":
    main()
