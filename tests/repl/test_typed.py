"""Reading a line while it is typed: words and their places, open quotes, writing a word back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redtool.errors import QuotingError
from redtool.repl.typed import Typed, encode, logical, written
from redtool.words import needs_more, split

WORDS = [
    # text, values, the open quote of the last word, the prefix before the cursor
    ("", [], "", None),
    ("GET", [b"GET"], "", b"GET"),
    ("GET ", [b"GET"], "", None),
    ('GET "a b', [b"GET", b"a b"], '"', b"a b"),
    ("GET 'a b", [b"GET", b"a b"], "'", b"a b"),
    ('GET "a b"', [b"GET", b"a b"], "", b"a b"),
    ('GET "a\\', [b"GET", b"a"], '"', b"a"),
    ('GET "a\\x41\\n', [b"GET", b"aA\n"], '"', b"aA\n"),
    ("GET 'it\\'s", [b"GET", b"it's"], "'", b"it's"),
    ('GET a"b c"', [b"GET", b"ab c"], "", b"ab c"),
    ("SET k \\\nv", [b"SET", b"k", b"v"], "", b"v"),
    ("GET é", [b"GET", "é".encode()], "", "é".encode()),
    ("# GET a", [], "", None),
]


@pytest.mark.parametrize(("text", "values", "quote", "prefix"), WORDS)
def test_words(text: str, values: list[bytes], quote: str, prefix: bytes | None) -> None:
    typed = Typed(text)
    assert typed.values == values
    assert (typed.words[-1].quote if typed.words else "") == quote
    assert (typed.partial.value if typed.partial else None) == prefix


def test_words_know_their_places() -> None:
    text = '  SET  "a b" c'
    assert [text[word.start : word.end] for word in Typed(text).words] == ["SET", '"a b"', "c"]


@pytest.mark.parametrize("text", ['SET "a"b', "SET 'a'b", 'SET "a""b" c'])
def test_text_after_a_quote_is_a_problem(text: str) -> None:
    assert Typed(text).problem.startswith("put a blank after the closing")


ALPHABET = st.text(alphabet=" ab\\\"'\n\tx4é", max_size=12)


@given(ALPHABET)
def test_a_whole_line_reads_as_words_split_reads_it(text: str) -> None:
    data = encode(text)
    if "\\\n" in text or needs_more(data):
        return
    try:
        words = split(data)
    except QuotingError:
        assert Typed(text).problem
        return
    assert (Typed(text).values, Typed(text).problem) == (words, "")


@given(st.binary(max_size=8) | ALPHABET.map(encode), st.sampled_from(["", "'", '"']))
def test_a_written_word_is_read_back(value: bytes, mark: str) -> None:
    text = written(value, mark)
    assert split(encode(f"GET {text} x")) == [b"GET", value, b"x"]


@pytest.mark.parametrize(
    ("value", "mark", "text"),
    [
        (b"user:1", "", "user:1"),
        (b"my key", "", '"my key"'),
        (b"my key", "'", "'my key'"),
        (b"user:1", '"', '"user:1"'),
        (b"it's", "", '"it\'s"'),
        (b'say "hi"', "'", "'say \"hi\"'"),
        (b"\xff\x00", "", '"\\xff\\x00"'),
        (b"", "", '""'),
        (b"#1", "", '"#1"'),
        ("größe".encode(), "", "größe"),
    ],
)
def test_words_are_written_as_a_person_would(value: bytes, mark: str, text: str) -> None:
    assert written(value, mark) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("GET a", [(0, "GET a")]),
        ("GET a\nGET b", [(0, "GET a"), (6, "GET b")]),
        ('SET a "x\ny"\nGET a', [(0, 'SET a "x\ny"'), (12, "GET a")]),
        ("GET a\n", [(0, "GET a"), (6, "")]),
        ('SET a "x\n', [(0, 'SET a "x\n')]),
    ],
)
def test_pasted_text_is_split_into_the_lines_that_will_run(text: str, lines: list[tuple[int, str]]) -> None:
    assert logical(text) == lines
