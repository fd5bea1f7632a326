"""cjson, cmsgpack, struct, bit and math.random against real servers, on values drawn at random."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests import embedded
from tests.lua.cases import told_apart
from tests.servers import RealServer

ROUNDS = 300
CHARACTERS = [b"a", b"Z", b"0", b" ", b'"', b"\\", b"/", b"\n", b"\x00", b"\x7f", b"\xc3\xa9", b"\xff", b"'", b"\x1f"]


def quoted(text: bytes) -> bytes:
    """A Lua string literal."""
    return b'"' + b"".join(b"\\%03d" % byte for byte in text) + b'"'


def text(rng: Random) -> bytes:
    return b"".join(rng.choices(CHARACTERS, k=rng.choice((0, 1, 3, 8, 40))))


def number(rng: Random) -> bytes:
    return rng.choice((
        b"%d" % rng.randrange(-40, 140), b"%d" % rng.randrange(-(2**33), 2**33), b"%d" % rng.randrange(-(2**53), 2**53),
        b"%.17g" % rng.uniform(-2, 2), b"%.17g" % rng.uniform(-1e300, 1e300), b"0.5", b"1e15", b"2^31", b"2^32",
        b"2^63", b"-2^63", b"127", b"128", b"255", b"256", b"65535", b"65536", b"-32", b"-33", b"-128", b"-129",
    ))  # fmt: skip


def value(rng: Random, depth: int = 0) -> bytes:
    """A Lua expression."""
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind < 2:
        return number(rng)
    if kind < 4:
        return quoted(text(rng))
    if kind == 4:
        return rng.choice((b"true", b"false", b"cjson.null"))
    if kind in (5, 6):
        return b"{" + b",".join(value(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 5, 20)))) + b"}"
    key = rng.choice((quoted(b"k" + text(rng)[:5]), number(rng)))
    return b"{[" + key + b"]=" + value(rng, depth + 1) + b"}"


def json_text(rng: Random, depth: int = 0) -> bytes:
    """JSON, or almost."""
    kind = rng.randrange(9 if depth < 3 else 5)
    if kind == 0:
        return rng.choice(
            (b"1", b"-1.5e3", b"01", b"0x1F", b"1.", b".5", b"-", b"1e", b"NaN", b"-Infinity", b"+1", b"1e400")
        )
    if kind == 1:
        return rng.choice((b"true", b"false", b"null", b"tru", b"nul", b"True"))
    if kind in (2, 3):
        inner = rng.choice(
            (b"abc", b"\\u00e9", b"\\ud83d\\ude00", b"\\ud800", b"\\u12", b"\\n\\t\\/", b"\\x", b"\xff\x01", b"")
        )
        return b'"' + inner + rng.choice((b'"', b'"', b'"', b""))
    if kind == 4:
        return b" " * rng.randrange(3) + b"%d" % rng.randrange(10**9)
    gap = rng.choice((b",", b",", b", ", b" ", b",,"))
    if kind in (5, 6):
        return (
            b"["
            + gap.join(json_text(rng, depth + 1) for _ in range(rng.randrange(4)))
            + rng.choice((b"]", b"]", b""))
        )
    pairs = [
        b'"k%d"%b%b' % (n, rng.choice((b":", b" : ", b"")), json_text(rng, depth + 1))
        for n in range(rng.randrange(3))
    ]
    return b"{" + gap.join(pairs) + rng.choice((b"}", b"}", b"]"))


def struct_format(rng: Random) -> bytes:
    return b"".join(rng.choices([b"b", b"B", b"h", b"H", b"i", b"I2", b"i3", b"l", b"L", b"T", b"f", b"d", b"s", b"x", b"c3",
                                 b"c0", b">", b"<", b"!4", b"!8", b"i8", b" "], k=rng.randrange(1, 6)))  # fmt: skip


def scripts(kind: str, rng: Random) -> bytes:
    """One script that shows what a module makes of something."""
    if kind == "encode":
        return b"return cjson.encode(" + value(rng) + b")"
    if kind == "decode":
        return b"return cjson.encode({cjson.decode(" + quoted(json_text(rng)) + b")})"
    if kind == "pack":
        return b"return cmsgpack.pack(" + b",".join(value(rng) for _ in range(rng.randrange(1, 3))) + b")"
    if kind == "unpack":
        return b"return {cmsgpack.unpack(cmsgpack.pack(" + value(rng) + b"," + value(rng) + b"))}"
    if kind == "garbage":
        data = quoted(rng.randbytes(rng.randrange(1, 12)))
        call = rng.choice(
            (b"unpack(%b)", b"unpack_one(%b)", b"unpack_limit(%b,2)", b"unpack_one(%b,1)", b"unpack_limit(%b,-1)")
        )
        return (
            b"local t={cmsgpack." + call % data + b"} for i=1,#t do t[i]=tostring(t[i]):gsub('0x.*','') end return t"
        )
    if kind == "struct":
        items = b",".join(rng.choice((number(rng), quoted(text(rng)))) for _ in range(6))
        return b"return struct.pack(" + quoted(struct_format(rng)) + b"," + items + b")"
    if kind == "unstruct":
        data = quoted(rng.randbytes(rng.randrange(24)))
        return (b"local t={struct.unpack(" + quoted(struct_format(rng)) + b"," + data + rng.choice((b"", b",2")) + b")} "
                b"for i=1,#t do t[i]=tostring(t[i]) end return t")  # fmt: skip
    name = rng.choice((b"tobit", b"tohex", b"bnot", b"band", b"bor", b"bxor", b"lshift", b"rshift", b"arshift", b"rol", b"ror",
                       b"bswap"))  # fmt: skip
    small = rng.choice(
        (b"%d" % rng.randrange(2**32), b"%d" % rng.randrange(-40, 40), b"%.3f" % rng.uniform(-9e9, 9e9), b"'7'")
    )
    return b"return tostring(bit." + name + b"(" + small + b"," + b"%d" % rng.randrange(-9, 40) + b"))"


@pytest.mark.parametrize("kind", ["encode", "decode", "pack", "unpack", "garbage", "struct", "unstruct", "bit"])
def test_random(real: RealServer, kind: str) -> None:
    rng = Random(kind)
    ours = embedded.Client(frozen=False)
    valkey = real.name == "valkey"
    different: list[Any] = []
    with real.client() as theirs:
        for _ in range(ROUNDS):
            script = scripts(kind, rng)
            words = ("EVAL", script, 0)
            expected, got = told_apart(theirs.wire(*words), valkey), told_apart(ours.wire(*words), valkey)
            if expected != got:
                different.append((script, expected[:200], got[:200]))
    assert not different, "\n".join(map(str, different[:5])) + f"\n{len(different)} of {ROUNDS}"
