"""--csv against redis-cli --csv, and its own rule that a reply is one line."""

from __future__ import annotations

import pytest
from hypothesis import given

from redtool.errors import WrongType
from redtool.render import choose
from redtool.resp import OK, Verbatim
from tests.render.replies import COMMANDS, replies
from tests.servers import RealServer


def line(command: str, reply: object) -> bytes:
    return choose("csv")(command.encode().split(), reply)


@pytest.mark.needs("redis-cli")
@pytest.mark.parametrize(
    ("lua", "reply"),
    [
        ("return 1", 1),
        ("return 'a\\nb\\\"c'", b'a\nb"c'),
        ("return '東'", "東".encode()),
        ("return {1,'two',{3,{'four'},false},{}}", [1, b"two", [3, [b"four"], None], []]),
        ("return {ok='fine'}", type(OK)(b"fine")),
        ("redis.setresp(3) return {map={a={map={b={1,2}}}}}", {b"a": {b"b": [1, 2]}}),
        ("redis.setresp(3) return {{double=1.5},{double=1/0},true,false}", [1.5, float("inf"), True, False]),
        ("redis.setresp(3) return {{set={q=true}},{map={}}}", [{b"q"}, {}]),
        ("return {redis.error_reply('ERR x')}", [type(WrongType()).of("ERR x")]),
    ],
)
def test_line_is_redis_cli_s(valkey: RealServer, lua: str, reply: object) -> None:
    assert line("EVAL", reply) == valkey.cli("--csv", "-3", "eval", lua, "0")


def test_error_and_text() -> None:
    assert line("GET k", WrongType()) == b'ERROR,"%s"\n' % WrongType.text.encode()
    assert line("INFO", b"# Server\r\nhz:10\r\n") == b'"# Server\\r\\nhz:10\\r\\n"\n'
    assert line("X", Verbatim(b"a\n")) == b'"a\\n"\n'
    assert line("GET k", None) == b"NULL\n"


@given(COMMANDS, replies())
def test_always_one_line_of_ascii(command: str, reply: object) -> None:
    text = line(command, reply)
    assert text.isascii() and text.count(b"\n") == 1 and text.endswith(b"\n")
