"""Words: redis-cli's quoting, logical lines from a stream, and quote as split's inverse."""

from __future__ import annotations

import random

import pytest

from redtool.errors import QuotingError
from redtool.words import Lines, needs_more, quote, read_lines, split
from tests.servers import RealServer

SPLITS = [
    (b"", []),
    (b"  \t ", []),
    (b"GET foo", [b"GET", b"foo"]),
    (b"  GET\tfoo \r\n", [b"GET", b"foo"]),
    (b'SET k "hello world"', [b"SET", b"k", b"hello world"]),
    (b'SET k ""', [b"SET", b"k", b""]),
    (b"SET k ''", [b"SET", b"k", b""]),
    (b'"\\n\\r\\t\\b\\a\\x41\\xff"', [b"\n\r\t\b\aA\xff"]),
    (b'"\\q\\\\\\"\\x4g\\x"', [b'q\\"x4gx']),
    (b"'a\\'b\\n'", [b"a'b\\n"]),
    (b'pre"fix ed" next', [b"prefix ed", b"next"]),
    (b"pre'fix ed'", [b"prefix ed"]),
    (b"'a'\t'b'", [b"a", b"b"]),
    (b"a\\nb C:\\dir", [b"a\\nb", b"C:\\dir"]),
    (b"a\x0bb \x0b\x0cc", [b"a\x0bb", b"c"]),
    (b"\x0b\x0c'q'", [b"q"]),
    (b"a\x0b'q'", [b"a\x0bq"]),
    (b'"a"\x0bb', [b"a", b"b"]),
    (b"k\xff\xfe \xe2\x82\xac", [b"k\xff\xfe", b"\xe2\x82\xac"]),
    (b'"two\nlines"', [b"two\nlines"]),
    (b"nul\x00byte 'a\x00b'", [b"nul\x00byte", b"a\x00b"]),
    (b"#not a comment here", [b"#not", b"a", b"comment", b"here"]),
]


@pytest.mark.parametrize(("line", "argv"), SPLITS)
def test_split(line: bytes, argv: list[bytes]) -> None:
    assert split(line) == argv


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'"', 'a " quote is not closed'),
        (b"SET k 'abc", "a ' quote is not closed"),
        (b"'ends in \\'", "a ' quote is not closed"),
        (b'"ends in \\"', 'a " quote is not closed'),
        (b'"a"b', "there is text right after a closing \""),
        (b"'a''b'", "there is text right after a closing '"),
    ],
)
def test_wrong_quotes(line: bytes, reason: str) -> None:
    with pytest.raises(QuotingError) as raised:
        split(line)
    assert str(raised.value).startswith(reason)


def test_quote_shows_what_redis_cli_shows() -> None:
    assert quote(b"plain text") == b'"plain text"'
    assert quote(b'\\ " \n\r\t\a\b \x00\x7f\xff') == b'"\\\\ \\" \\n\\r\\t\\a\\b \\x00\\x7f\\xff"'


def test_quote_is_the_inverse_of_split() -> None:
    rng = random.Random(7)
    words = [bytes(range(256)), b"", b" ", b"\\x41"]
    words += [bytes(rng.choices(b"\\\"' xn4\n\xff\x00a", k=rng.randrange(12))) for _ in range(2000)]
    assert split(b" ".join(map(quote, words))) == words


def test_split_agrees_with_redis_cli(redis7: RealServer) -> None:
    """The same random lines, read by redis-cli from its standard input, give the same words."""
    rng = random.Random(11)
    lines = [bytes(rng.choices(b"ab \"'\\nx41\t\x0b", k=rng.randrange(1, 14))) for _ in range(1500)]
    source, wanted = [], []
    for line in lines:
        try:
            argv = split(b"ECHO. " + line)
        except QuotingError:
            continue
        if len(argv) == 2:
            source.append(b"ECHO " + line)
            wanted.append(argv[1])
    output = redis7.cli("--no-raw", input=b"\n".join(source) + b"\n")
    shown = [split(line)[0] for line in output.splitlines() if line]
    assert len(wanted) > 200
    assert shown == wanted


STREAMS = [
    (b"", []),
    (b"PING\n", [(1, [b"PING"])]),
    (b"PING", [(1, [b"PING"])]),
    (b"\n\n PING \r\n\r\nGET a\r\n", [(3, [b"PING"]), (5, [b"GET", b"a"])]),
    (b"# don't\nGET a\n  # \"more\nGET b # no\n", [(2, [b"GET", b"a"]), (4, [b"GET", b"b", b"#", b"no"])]),
    (b"# ends in \\\nGET a\n", [(2, [b"GET", b"a"])]),
    (b'SET "#k" 1\n"#k"\n', [(1, [b"SET", b"#k", b"1"]), (2, [b"#k"])]),
    (b"SET a \\\n  1\nGET a\n", [(1, [b"SET", b"a", b"1"]), (3, [b"GET", b"a"])]),
    (b"SET a \\\r\n1\r\n", [(1, [b"SET", b"a", b"1"])]),
    (b"SET long\\\nname 1\n", [(1, [b"SET", b"longname", b"1"])]),
    (b"SET a even\\\\\nGET a\n", [(1, [b"SET", b"a", b"even\\\\"]), (2, [b"GET", b"a"])]),
    (b"SET a \\\n# b\n", [(1, [b"SET", b"a", b"#", b"b"])]),
    (b"SET a 1 \\\n", [(1, [b"SET", b"a", b"1"])]),
    (b"SET a 1 \\", [(1, [b"SET", b"a", b"1"])]),
    (b"SET a 'x\n y' 2\nPING\n", [(1, [b"SET", b"a", b"x\n y", b"2"]), (3, [b"PING"])]),
    (b'SET a "x\n\n#y\n" \\\nNX\nPING', [(1, [b"SET", b"a", b"x\n\n#y\n", b"NX"]), (6, [b"PING"])]),
    (b'SET a "it\'s\n \\" still\n" b\n', [(1, [b"SET", b"a", b'it\'s\n " still\n', b"b"])]),
    (b"SET a '1'\\\n\\\nb\n", "line 1: there is text"),
    (b"SET a\x0bb\x0b 'c'\n", [(1, [b"SET", b"a\x0bb\x0b", b"c"])]),
    (b"a\x0bb\nc\n", [(1, [b"a\x0bb"]), (2, [b"c"])]),
    (b"PING\nSET a 'x'y\nPING\n", "line 2: there is text right after a closing '"),
    (b"PING\nSET a 'x\ny\n", "line 2: the ' quote opened on line 2 is not closed"),
    (b"PING\nSET a 'x\ny' \"z\nw", 'line 2: the " quote opened on line 3 is not closed'),
    (b"SET a 'x\ny' 'z\nw", "line 1: the ' quote opened on line 2 is not closed"),
    (b"SET a 'x\ny", "line 1: the ' quote opened on line 1 is not closed"),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(("stream", "wanted"), STREAMS)
def test_read_lines(stream: bytes, wanted: list[tuple[int, list[bytes]]] | str, size: int) -> None:
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    if isinstance(wanted, str):
        with pytest.raises(QuotingError) as raised:
            list(read_lines(chunks))
        assert str(raised.value).startswith(wanted)
    else:
        assert list(read_lines(chunks)) == wanted


def test_a_wrong_line_does_not_end_the_stream() -> None:
    lines = Lines()
    entries = [*lines.feed(b"GET a\nSET 'b'c\nGET d\nSET 'e\n"), *lines.end()]
    assert [(n, argv if isinstance(argv, list) else None) for n, argv in entries] == [
        (1, [b"GET", b"a"]), (2, None), (3, [b"GET", b"d"]), (4, None),
    ]  # fmt: skip


def test_lines_come_as_soon_as_they_are_complete() -> None:
    lines = Lines()
    assert lines.feed(b"GET a\nGE") == [(1, [b"GET", b"a"])]
    assert lines.pending
    assert lines.feed(b"T b\n") == [(2, [b"GET", b"b"])]
    assert not lines.pending
    assert lines.end() == []


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (b"", False), (b"GET a", False), (b"SET a 'x", True), (b"SET a 'x\ny'", False), (b"SET a \\", True),
        (b"SET a \\\n1", False), (b"SET a 'x'y", False), (b"# don't", False), (b'SET a "\\"', True),
        (b"GET a\nSET b 'c", True),
    ],
)  # fmt: skip
def test_needs_more(text: bytes, more: bool) -> None:
    assert needs_more(text) is more
