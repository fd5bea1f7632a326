"""Arbitrary replies for property tests: every kind of value, nested, and the commands that have rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from redtool.errors import ReplyError
from redtool.render.shape import RULES
from redtool.resp import OK, Push, Verbatim

Strategy = st.SearchStrategy[Any]

STRINGS: Strategy = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=12).map(str.encode),
    st.sampled_from([b"", b" ", b"0", b"-1", b"1.5", b"inf", b"a b=c,d", b'{"a": [1, {}]}']),
    st.sampled_from([b"k" * 300, b"\xff" * 300, "東京🗼".encode() * 40]),
    st.sampled_from([b"# Server\r\nhz:10\r\n:\r\nx\r\n", b"id=1 addr=x\n", b"a b c d e f g h 1-2\n"]),
)
SCALARS: Strategy = st.one_of(
    STRINGS,
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.booleans(),
    st.floats(),
    st.just(OK),
    st.builds(Verbatim, STRINGS),
    st.builds(ReplyError.of, st.text(max_size=20)),
)
KEYS: Strategy = st.one_of(STRINGS, st.integers(), st.booleans())


def replies() -> Strategy:
    """Any reply tree."""

    def nested(inner: Strategy) -> Strategy:
        return st.one_of(
            st.lists(inner, max_size=6),
            st.lists(STRINGS, max_size=8),
            st.lists(st.tuples(STRINGS, inner).map(list), max_size=4),
            st.tuples(STRINGS, inner).map(list),
            st.dictionaries(KEYS, inner, max_size=4),
            st.lists(st.dictionaries(STRINGS, inner, max_size=9), min_size=1, max_size=3),
            st.sets(STRINGS, max_size=5),
            st.builds(Push, st.lists(inner, max_size=4)),
        )

    return st.recursive(SCALARS, nested, max_leaves=25)


_NAMES = [name.decode() for name in [*RULES, b"EXEC", b"EVAL", b"TTL", b"GET", b"OBJECT HELP", b"XADD"]]
_OPTIONS = ["", " k", " k 0 -1", " k -3 -1 WITHSCORES", " k 0 9 REV WITHSCORES", " k 5 WITHVALUES", " k a b c"]
_OPTIONS += [" 1 k WITHSCORES", " k 0 NOVALUES", " k - + LIMIT 3 4", " k WITHDIST WITHCOORD", " k FIELDS 2 a b"]
COMMANDS: Strategy = st.one_of(
    st.builds(
        lambda name, words: name + words,
        st.sampled_from(_NAMES),
        st.sampled_from(_OPTIONS),
    ),
    st.just(""),
)
