"""Connection commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from redtool import words
from redtool.errors import ReplyError
from redtool.resp import NULL_ARRAY
from tests import embedded
from tests.commands.conftest import Runner
from tests.servers import RealServer

NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"
WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled."
BAD_NAME = "-ERR Client names cannot contain spaces, newlines or special characters."
REASON = "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"

TABLES: dict[str, list[tuple[str, Any]]] = {
    "ping and echo": [
        ("PING", b"PONG"),
        ("ping hello", b"hello"),
        ('PING ""', b""),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command"),
        ("ECHO x", b"x"),
        ("ECHO", "-ERR wrong number of arguments for 'echo' command"),
    ],
    "select": [
        ("SELECT 3", b"OK"),
        ("SET k v", b"OK"),
        ("SELECT 0", b"OK"),
        ("GET k", None),
        ("SELECT 15", b"OK"),
        ("SELECT 16", "-ERR DB index is out of range"),
        ("SELECT -1", "-ERR DB index is out of range"),
        ("SELECT x", NOT_INT),
        ("SELECT 99999999999999999999", NOT_INT),
        ("SELECT", "-ERR wrong number of arguments for 'select' command"),
        ("SELECT 3", b"OK"),
        ("GET k", b"v"),
    ],
    "select inside a transaction": [
        ("MULTI", b"OK"),
        ("SELECT 2", b"QUEUED"),
        ("SET k 2", b"QUEUED"),
        ("EXEC", [b"OK", b"OK"]),
        ("GET k", b"2"),
        ("SELECT 0", b"OK"),
        ("EXISTS k", 0),
    ],
    "auth without a password set": [
        ("AUTH foo", "-ERR AUTH <password> called without any password configured for the default user. "
                     "Are you sure your configuration is correct?"),
        ("AUTH default foo", b"OK"),
        ("AUTH bob foo", WRONGPASS),
        ("AUTH a b c", SYNTAX),
        ("AUTH", "-ERR wrong number of arguments for 'auth' command"),
    ],
    "auth with a password set": [
        ("CONFIG SET requirepass s3cret", b"OK"),
        ("AUTH s3cret", b"OK"),
        ("AUTH wrong", WRONGPASS),
        ("AUTH default s3cret", b"OK"),
        ("AUTH default wrong", WRONGPASS),
        ("HELLO 2 AUTH default wrong", WRONGPASS),
        ('CONFIG SET requirepass ""', b"OK"),
    ],
    "hello refuses": [
        ("HELLO 4", "-NOPROTO unsupported protocol version"),
        ("HELLO 1", "-NOPROTO unsupported protocol version"),
        ("HELLO x", "-ERR Protocol version is not an integer or out of range"),
        ("HELLO SETNAME z", "-ERR Protocol version is not an integer or out of range"),
        ("HELLO 2 FOO", "-ERR Syntax error in HELLO option 'FOO'"),
        ("HELLO 2 AUTH a", "-ERR Syntax error in HELLO option 'AUTH'"),
        ("HELLO 2 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"),
        ('HELLO 2 SETNAME "b c"', BAD_NAME),
        ("HELLO 2 AUTH bob x", WRONGPASS),
        ("HELLO 4 AUTH bob x", "-NOPROTO unsupported protocol version"),
        ("CLIENT GETNAME", None),
    ],
    "names": [
        ("CLIENT GETNAME", None),
        ("CLIENT SETNAME foo", b"OK"),
        ("CLIENT GETNAME", b"foo"),
        ('CLIENT SETNAME "a b"', BAD_NAME),
        ('CLIENT SETNAME "a\\n"', BAD_NAME),
        ('CLIENT SETNAME "\\xe9"', BAD_NAME),
        ("CLIENT GETNAME", b"foo"),
        ('CLIENT SETNAME ""', b"OK"),
        ("CLIENT GETNAME", None),
        ("CLIENT GETNAME x", "-ERR wrong number of arguments for 'client|getname' command"),
    ],
    "reset": [
        ("CLIENT SETNAME foo", b"OK"),
        ("SELECT 4", b"OK"),
        ("MULTI", b"OK"),
        ("SET a 1", b"QUEUED"),
        ("RESET", b"RESET"),
        ("EXEC", "-ERR EXEC without MULTI"),
        ("CLIENT GETNAME", None),
        ("SET a 1", b"OK"),
        ("SELECT 0", b"OK"),
        ("EXISTS a", 1),
        ("RESET x", "-ERR wrong number of arguments for 'reset' command"),
    ],
    "client setinfo and switches": [
        ("CLIENT SETINFO LIB-NAME foo", b"OK"),
        ("CLIENT SETINFO lib-ver 1.0", b"OK"),
        ('CLIENT SETINFO LIB-NAME "a b"', "-ERR LIB-NAME cannot contain spaces, newlines or special characters."),
        ("CLIENT SETINFO FOO x", "-ERR Unrecognized option 'FOO'"),
        ("CLIENT NO-TOUCH ON", b"OK"),
        ("CLIENT NO-TOUCH off", b"OK"),
        ("CLIENT NO-TOUCH x", SYNTAX),
        ("CLIENT NO-EVICT on", b"OK"),
        ("CLIENT NO-EVICT OFF", b"OK"),
        ("CLIENT NO-EVICT x", SYNTAX),
    ],
    "client refuses": [
        ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
        ("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP."),
        ("CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command"),
        ("CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'"),
        ("CLIENT LIST TYPE", SYNTAX),
        ("CLIENT LIST ID", SYNTAX),
        ("CLIENT LIST FOO", SYNTAX),
        ("CLIENT LIST TYPE pubsub", b""),
        ("CLIENT LIST TYPE master", b""),
        ("CLIENT UNBLOCK 9999", 0),
        ("CLIENT UNBLOCK x", NOT_INT),
        ("CLIENT UNBLOCK 9999 FOO", REASON),
        ("CLIENT UNBLOCK 9999 ERROR", 0),
    ],
    "quit": [("QUIT", b"OK")],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(r: Runner, name: str) -> None:
    r.table(TABLES[name])


@pytest.mark.parametrize("proto", [2, 3])
def test_hello_says_who_answers(r: Runner, proto: int) -> None:
    reply = r(f"HELLO {proto} SETNAME me")
    facts = dict(zip(reply[::2], reply[1::2], strict=True)) if isinstance(reply, list) else reply
    assert isinstance(reply, dict) == (proto == 3)
    assert list(facts) == [b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"]
    assert (facts[b"proto"], facts[b"mode"], facts[b"role"]) == (proto, b"standalone", b"master")
    assert facts[b"id"] == r("CLIENT ID")
    assert r("CLIENT GETNAME") == b"me"
    assert isinstance(r("HELLO"), dict) == (proto == 3)
    assert r("RESET") == b"RESET"
    assert isinstance(r("HELLO"), list)


def fields(line: bytes) -> dict[str, str]:
    return dict(word.split("=", 1) for word in line.decode().rstrip("\n").split(" "))


# Fields of Redis 7.4; Valkey has more.
FIELDS = words.split(
    b"id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp obl "
    b"oll omem tot-mem events cmd user redir resp lib-name lib-ver"
)


def test_client_info_and_list(r: Runner) -> None:
    for line in ("CLIENT SETNAME bob", "SELECT 2", "CLIENT SETINFO LIB-NAME lib", "CLIENT SETINFO LIB-VER 9",
                 "CLIENT NO-EVICT on", "CLIENT NO-TOUCH on", "WATCH a b"):  # fmt: skip
        assert r(line) == b"OK"
    facts = fields(r("CLIENT INFO"))
    assert [name for name in facts if name.encode() in FIELDS] == [name.decode() for name in FIELDS]
    known = {"name": "bob", "db": "2", "watch": "2", "sub": "0", "cmd": "client|info", "user": "default", "resp": "2",
             "lib-name": "lib", "lib-ver": "9", "redir": "-1"}  # fmt: skip
    assert {name: facts[name] for name in known} == known
    assert {"e", "T"} <= set(facts["flags"])
    number = facts["id"]
    for line in (f"CLIENT LIST ID {number}", f"CLIENT LIST ID 9999 {number}"):
        (only,) = r(line).splitlines()
        assert (fields(only)["id"], fields(only)["cmd"]) == (number, "client|list")
    assert number in [fields(line)["id"] for line in r("CLIENT LIST").splitlines()]
    assert number in [fields(line)["id"] for line in r("CLIENT LIST TYPE normal").splitlines()]
    assert r("CLIENT LIST ID 9999") == b""


def test_client_ids_rise(r: Runner) -> None:
    assert r.other()("CLIENT ID") > r("CLIENT ID")


UNBLOCKED = "UNBLOCKED client unblocked via CLIENT UNBLOCK"


@pytest.mark.parametrize(
    ("line", "reply"),
    [("CLIENT UNBLOCK {}", None), ("client unblock {} timeout", None), ("CLIENT UNBLOCK {} ERROR", UNBLOCKED)],
)
def test_client_unblock_ends_a_wait(line: str, reply: str | None) -> None:
    from redtool.session import Block

    client = embedded.Client()
    waiting = embedded.Client(client.store)
    argv = (b"BLPOP", b"k", b"0")
    got: list[Any] = []
    try:
        client.store.execute(waiting.session, argv)
    except Block as block:
        client.store.waiting.park(waiting.session, argv, block, got.append)
    number = str(waiting.session.id)
    (found,) = [fields(row) for row in client.call("CLIENT", "LIST").splitlines() if f"id={number} " in row.decode()]
    assert (found["flags"], found["cmd"]) == ("b", "blpop")
    assert b"blocked_clients:1" in client.call("INFO", "clients")
    assert client.call(*line.format(number).split()) == 1
    got = [None if answer is NULL_ARRAY else answer for answer in got]
    assert [error.message if isinstance(error, ReplyError) else error for error in got] == [reply]
    assert client.call("CLIENT", "UNBLOCK", number) == 0
    assert b"blocked_clients:0" in client.call("INFO", "clients")


def test_help_names_every_subcommand(r: Runner) -> None:
    """Our words, the server's shape: a first line, then names, indented text below."""
    lines = r("CLIENT HELP")
    assert re.fullmatch(rb"CLIENT <subcommand> .*\. Subcommands are:", lines[0])
    assert any(line.startswith(b"SETNAME") for line in lines)
    assert lines[-2] == b"HELP"
    assert lines[-1].startswith(b"    ")


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("line", ["PING", "PING x", "SELECT 0", "CLIENT GETNAME", "AUTH default x", "RESET", "QUIT"])
def test_replies_on_the_wire(valkey: RealServer, proto: int, line: str) -> None:
    """Types that values do not show: status, null."""
    with valkey.client(proto) as server:
        assert embedded.Client(proto=proto).wire(*line.split()) == server.wire(*line.split())


@pytest.mark.parametrize("proto", [2, 3])
def test_client_info_is_verbatim(valkey: RealServer, proto: int) -> None:
    with valkey.client(proto) as server:
        assert embedded.Client(proto=proto).wire("CLIENT", "INFO")[:1] == server.wire("CLIENT", "INFO")[:1]
