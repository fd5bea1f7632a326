"""A server as a backend: state that is followed, connections that end, and writes that are never sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from redtool import connect
from redtool.backends import open_backend
from redtool.backends.remote import Remote
from redtool.backends.target import parse
from redtool.errors import ConnectError, ReplyError, UsageError
from redtool.resp import OK, Push, Status
from tests.backends.fake import Fake, Peer, fake
from tests.servers import RealServer, running


@pytest.fixture(params=["", "&protocol=2"], ids=["resp3", "resp2"])
def r(real: RealServer, request: pytest.FixtureRequest) -> Iterator[Remote]:
    """A connected backend, in both protocols, on an empty server."""
    real.flush()
    with connect(f"unix://{real.socket}?db=0{request.param}") as remote:
        yield remote


def run(remote: Remote, line: str) -> Any:
    """Run a line; an error is a value."""
    try:
        return remote.execute(*line.split())
    except ReplyError as error:
        return error.message


def test_commands_and_their_replies(r: Remote) -> None:
    assert r.execute(b"SET", "k", 1) == OK
    assert type(r.execute("SET", "k", 1)) is Status
    assert r.execute("GET", "k") == b"1"
    assert r.execute("GET", "none") is None
    assert r.execute("RPUSH", "l", "é", 1.5) == 2
    assert r.execute("LRANGE", "l", 0, -1) == ["é".encode(), b"1.5"]
    r.execute("HSET", "h", "f", "v")
    assert r.execute("HGETALL", "h") == ({b"f": b"v"} if r.proto == 3 else [b"f", b"v"])
    with pytest.raises(ReplyError) as caught:
        r.execute("INCR", "l")
    assert caught.value.code == "WRONGTYPE"
    with pytest.raises(UsageError, match="no command given"):
        r.execute()
    with pytest.raises(UsageError, match="not bool"):
        r.execute("SET", "k", True)


# Commands whose reply is a list that begins with a list or a map; some in RESP2, some in RESP3, some in both
NESTED = ["XRANGE s - +", "XREAD STREAMS s 0", "XINFO CONSUMERS s g", "GEOPOS g m", "COMMAND INFO GET", "SLOWLOG GET",
          "ZRANGE g 0 -1 WITHSCORES", "CLUSTER SLOTS", "EVAL return{{1},2} 0"]  # fmt: skip


@pytest.mark.parametrize("listening", [False, True], ids=["alone", "subscribed"])
def test_replies_that_begin_with_a_list(r: Remote, listening: bool) -> None:
    run(r, "CONFIG SET slowlog-log-slower-than 0")
    for line in ("XADD s 1-1 f v", "XGROUP CREATE s g 0", "XGROUP CREATECONSUMER s g c", "GEOADD g 1 2 m"):
        run(r, line)
    if listening:
        r.execute("SUBSCRIBE", "news")
    one: dict[str, Any] = {line: run(r, line) for line in NESTED}
    many = r.pipeline([line.encode().split() for line in NESTED if not line.startswith("XREAD")])
    if not listening or r.proto == 3:  # in RESP2 only some commands may follow SUBSCRIBE
        assert one["XRANGE s - +"] == many[0] == [[b"1-1", [b"f", b"v"]]]
        assert isinstance(one["SLOWLOG GET"][0], list)
        assert r.execute("PING") == b"PONG"
    run(r, "RESET")
    run(r, "CONFIG SET slowlog-log-slower-than 10000")


def test_the_server_is_known(real: RealServer) -> None:
    with connect(f"unix://{real.socket}") as remote:
        assert remote.proto == 3
        assert remote.server[b"mode"] == b"standalone"
        assert remote.name == real.socket


# Lines run one after the other, and what db and in_multi are then
STATES: list[tuple[str, int, bool]] = [
    ("SELECT 3", 3, False),
    ("select 3|SELECT 99", 3, False),
    ("SELECT 3|MULTI", 3, True),
    ("SELECT 3|MULTI|SELECT 5", 5, True),
    ("SELECT 3|MULTI|SELECT 5|EXEC", 5, False),
    ("SELECT 3|MULTI|SELECT 5|DISCARD", 3, False),
    ("SELECT 3|MULTI|SELECT 5|SELECT|EXEC", 3, False),
    ("SELECT 3|MULTI|SET k v|SELECT 5|SELECT 99|EXEC", 5, False),
    ("SELECT 3|MULTI|SELECT 99|EXEC", 3, False),
    ("SELECT 3|WATCH k|SET k v|MULTI|SELECT 5|EXEC", 3, False),
    ("SELECT 3|MULTI|MULTI|SELECT 5|EXEC foo", 3, False),
    ("SELECT 3|MULTI|SELECT 5|RESET", 0, False),
    ("SELECT 3|RESET", 0, False),
    ("EXEC|DISCARD|SELECT x|SELECT 4", 4, False),
    ("SELECT 3|SWAPDB 3 4", 3, False),
]


def client_id(remote: Remote) -> int:
    number = remote.execute("CLIENT", "ID")
    assert isinstance(number, int)
    return number


def server_db(remote: Remote) -> int:
    info: Any = remote.execute("CLIENT", "INFO")
    return int(info.split(b" db=")[1].split()[0])


@pytest.mark.parametrize(("lines", "db", "in_multi"), STATES, ids=[state[0] for state in STATES])
def test_state_is_followed(r: Remote, lines: str, db: int, in_multi: bool) -> None:
    for line in lines.split("|"):
        run(r, line)
    assert (r.db, r.in_multi) == (db, in_multi)
    if not in_multi:
        assert server_db(r) == db


@pytest.mark.parametrize(("lines", "db", "in_multi"), STATES, ids=[state[0] for state in STATES])
def test_state_is_followed_in_a_pipeline(r: Remote, lines: str, db: int, in_multi: bool) -> None:
    r.pipeline([line.encode().split() for line in lines.split("|")])
    assert (r.db, r.in_multi) == (db, in_multi)


def test_an_error_in_a_pipeline_is_a_value(r: Remote) -> None:
    replies: list[Any] = r.pipeline([[b"SET", b"k", b"v"], [b"INCR", b"k"], [b"GET", b"k"], [b"MULTI"], [b"INCR", b"k"],
                                     [b"EXEC"]])  # fmt: skip
    assert replies[:1] + replies[2:5] == [OK, b"v", OK, b"QUEUED"]
    assert isinstance(replies[1], ReplyError)
    assert isinstance(replies[5][0], ReplyError)
    assert r.pipeline([]) == []


def test_a_large_pipeline(r: Remote) -> None:
    """What is sent and what comes back are both more than the sockets' buffers hold."""
    value = b"x" * 200
    batch = [[b"SET", b"k:%d" % n, value] for n in range(50_000)] + [[b"GET", b"k:%d" % n] for n in range(50_000)]
    replies = r.pipeline(batch)
    assert replies == [OK] * 50_000 + [value] * 50_000


def test_a_large_value(r: Remote) -> None:
    value = os.urandom(1000) * 50_000
    assert r.execute("SET", "big", value) == OK
    assert r.execute("GET", "big") == value
    assert r.pipeline([[b"SET", b"big", value], [b"GET", b"big"]]) == [OK, value]


def test_an_idle_connection_that_was_closed_is_opened_again(r: Remote, real: RealServer) -> None:
    run(r, "SELECT 3")
    run(r, "SET k v")
    for kill in range(3):
        assert real.call("CLIENT", "KILL", "ID", client_id(r)) == 1
        replies: list[Any] = [r.execute("GET", "k")] if kill else r.pipeline([[b"GET", b"k"]])
        assert (replies, r.db, server_db(r)) == ([b"v"], 3, 3)


LOSSES = [
    ("MULTI|SELECT 5|SET k v", "connection lost: the transaction is gone, none of it has run"),
    ("WATCH k", "connection lost: the watched keys are watched no more"),
    ("SUBSCRIBE c", "connection lost: the subscriptions have ended"),
]


@pytest.mark.parametrize(("lines", "message"), LOSSES, ids=[line for line, _ in LOSSES])
def test_state_lost_while_idle_is_told_once(r: Remote, real: RealServer, lines: str, message: str) -> None:
    run(r, "SELECT 3")
    client = client_id(r)
    for line in lines.split("|"):
        run(r, line)
    assert real.call("CLIENT", "KILL", "ID", client) == 1
    with pytest.raises(ConnectError, match=f"^{message}$"):
        r.execute("SET", "k", "lost")
    assert (r.db, r.in_multi) == (3, False)
    assert r.execute("GET", "k") is None
    assert r.execute("SET", "k", "kept") == OK


def closes_after(*replies: bytes) -> Callable[[Peer], None]:
    """Answer, then read one more request and close without an answer."""

    def talk(peer: Peer) -> None:
        peer.answer(*replies)
        peer.read()

    return talk


GREETING = b"%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n"
READONLY = b"*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*0\r\n*0\r\n"
WRITE = b"*1\r\n*10\r\n$4\r\nincr\r\n:2\r\n*2\r\n+write\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*0\r\n*0\r\n"


def opened(server: Fake) -> Remote:
    remote = Remote(parse(server.target))
    remote.connect()
    return remote


def test_a_write_whose_fate_is_unknown_is_not_sent_again() -> None:
    with (
        fake(closes_after(GREETING), lambda peer: peer.answer(GREETING, WRITE, b":7\r\n")) as server,
        opened(server) as remote,
    ):
        with pytest.raises(ConnectError, match=r"^connection lost after sending INCR: it may or may not have run$"):
            remote.execute("incr", "n")
        assert server.commands() == [b"HELLO", b"incr", b"HELLO", b"COMMAND"]
        assert remote.execute("INCR", "n") == 7


def test_the_fate_is_unknown_when_the_server_is_gone_too() -> None:
    with running("valkey") as real, connect(f"unix://{real.socket}") as remote:
        threading.Timer(0.2, real.process.kill).start()
        with pytest.raises(ConnectError, match=r"^connection lost after sending BLMOVE: it may or may not have run$"):
            remote.execute("BLMOVE", "a", "b", "LEFT", "LEFT", 0)
        with pytest.raises(ConnectError, match=r"^cannot connect to .*/s: connection refused$"):
            remote.execute("GET", "a")


def test_a_command_that_only_reads_is_sent_again_once() -> None:
    greeted = lambda peer: peer.answer(GREETING, READONLY, b"$1\r\nv\r\n")  # noqa: E731
    with fake(closes_after(GREETING), greeted) as server, opened(server) as remote:
        assert remote.execute("GET", "k") == b"v"
        assert server.commands() == [b"HELLO", b"GET", b"HELLO", b"COMMAND", b"GET"]
    twice = closes_after(GREETING, READONLY)
    with fake(closes_after(GREETING), twice) as server, opened(server) as remote:
        with pytest.raises(
            ConnectError, match="connection lost after sending GET, twice: the server closed the connection"
        ):
            remote.execute("GET", "k")
        assert server.commands() == [b"HELLO", b"GET", b"HELLO", b"COMMAND", b"GET"]


def test_a_transaction_that_is_cut_off() -> None:
    with (
        fake(closes_after(GREETING, b"+OK\r\n"), lambda peer: peer.answer(GREETING)) as server,
        opened(server) as remote,
    ):
        remote.execute("MULTI")
        with pytest.raises(ConnectError, match="connection lost: the transaction is gone, none of it has run"):
            remote.execute("GET", "k")
    exec_lost = closes_after(GREETING, b"+OK\r\n", b"+QUEUED\r\n")
    with fake(exec_lost, lambda peer: peer.answer(GREETING, WRITE)) as server, opened(server) as remote:
        remote.execute("MULTI")
        remote.execute("INCR", "n")
        with pytest.raises(ConnectError, match="connection lost after sending EXEC: it may or may not have run"):
            remote.execute("EXEC")
        assert not remote.in_multi


def test_a_pipeline_that_is_cut_off() -> None:
    with (
        fake(lambda peer: peer.answer(GREETING, b"+OK\r\n:1\r\n"), lambda peer: peer.answer(GREETING)) as server,
        opened(server) as remote,
    ):
        with pytest.raises(ConnectError) as caught:
            remote.pipeline([[b"SELECT", b"4"], [b"INCR", b"n"], [b"INCR", b"n"], [b"INCR", b"n"]])
        assert str(caught.value) == "connection lost after 2 of 4 replies: the rest may or may not have run"
        assert caught.value.replies == (OK, 1)  # type: ignore[attr-defined]
        assert remote.db == 4


def test_a_pipeline_is_read_while_it_is_sent() -> None:
    """The server answers a request before it reads the next, and stops when its answers are not read."""
    count, size = 2000, 4096
    word = b"y" * (size - len(b"*2\r\n$4\r\nPING\r\n$4000\r\n\r\n"))

    def talk(peer: Peer) -> None:
        peer.answer(GREETING)
        received = answered = 0
        while answered < count:
            received += len(peer.sock.recv(size))
            due = received // size - answered
            peer.sock.sendall((b"$4000\r\n" + b"x" * 4000 + b"\r\n") * due)
            answered += due

    with fake(talk) as server, opened(server) as remote:
        assert remote.pipeline([[b"PING", word]] * count) == [b"x" * 4000] * count


def test_garbage_ends_the_connection() -> None:
    garbage = lambda peer: peer.answer(GREETING, b"HTTP\r\n")  # noqa: E731
    refused = pytest.raises(ConnectError, match="a reply begins with 'HTTP'")
    with fake(garbage) as server, opened(server) as remote, refused:
        remote.execute("PING")


def interrupt_soon() -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()


@pytest.mark.parametrize("timeout", [0, 100])
def test_ctrl_c_ends_a_wait(r: Remote, real: RealServer, timeout: int) -> None:
    run(r, "SELECT 2")
    interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        r.execute("BLPOP", "queue", timeout)
    assert r.execute("RPUSH", "queue", "kept") == 1
    assert r.db == 2
    assert r.execute("LPOP", "queue") == b"kept"


def strike_unnoticed(server: RealServer, waiting: str) -> None:
    """Have SIGINT come to another thread once a client waits: as one that comes right before recv, it wakes nobody."""

    def strike() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        with server.client() as other:
            while waiting not in str(other.call("CLIENT", "LIST")):
                pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=strike, daemon=True).start()


@pytest.mark.parametrize("form", ["execute", "pipeline", "messages"])
def test_ctrl_c_that_comes_right_before_the_wait(r: Remote, real: RealServer, form: str) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        if form == "messages":
            r.execute("SUBSCRIBE", "a")
        with pytest.raises(KeyboardInterrupt):  # the signal may come before the wait does
            strike_unnoticed(real, "cmd=subscribe" if form == "messages" else "cmd=blpop")
            if form == "execute":
                r.execute("BLPOP", "queue", 0)
            elif form == "pipeline":
                r.pipeline([[b"BLPOP", b"queue", b"0"]])
            else:
                next(r.messages())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    listens = form == "messages" and r.listening  # it came before the wait, which then did not end the subscription
    assert r.execute("PING") == ([b"pong", b""] if listens and r.proto == 2 else b"PONG")


def test_ctrl_c_in_a_pipeline(r: Remote) -> None:
    interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        r.pipeline([[b"BLPOP", b"queue", b"0"], [b"SET", b"k", b"w"]])
    assert r.execute("GET", "k") is None


def test_a_pipeline_answers_before_it_waits(r: Remote) -> None:
    batch = [[b"RPUSH", b"queue", b"x"], [b"BLPOP", b"queue", b"0"], [b"PING"]]
    assert r.pipeline(batch) == [1]
    assert r.pipeline(batch[1:]) == [[b"queue", b"x"], b"PONG"]


def test_a_pipeline_that_stops_at_an_error(r: Remote) -> None:
    replies = r.pipeline([[b"SET", b"k", b"v"], [b"INCR", b"k"], [b"SET", b"k", b"w"]], stop=True)
    assert (len(replies), replies[0]) == (2, OK)
    assert isinstance(replies[1], ReplyError)
    assert r.execute("GET", "k") == b"v"


def test_replies_before_a_lost_command_apart_are_kept() -> None:
    talk = closes_after(GREETING, b"+OK\r\n")
    with fake(talk, lambda peer: peer.answer(GREETING, WRITE)) as server, opened(server) as remote:
        with pytest.raises(ConnectError, match="connection lost after sending INCR") as caught:
            remote.pipeline([[b"SET", b"k", b"v"], [b"INCR", b"k"]], stop=True)
        assert caught.value.replies == (OK,)  # type: ignore[attr-defined]


def test_a_blocking_command_waits_longer_than_the_connect_timeout(real: RealServer) -> None:
    real.flush()
    with connect(f"unix://{real.socket}?timeout=0.1") as remote:
        later = threading.Timer(0.3, real.call, ("RPUSH", "queue", "x"))
        later.start()
        assert remote.execute("BLPOP", "queue", 0) == [b"queue", b"x"]
        later.join()


def test_publish_and_subscribe(r: Remote, real: RealServer) -> None:
    assert r.execute("SUBSCRIBE", "a", "b") == [[b"subscribe", b"a", 1], [b"subscribe", b"b", 2]]
    assert r.execute("PSUBSCRIBE", "c*") == [[b"psubscribe", b"c*", 3]]
    for channel in ("a", "b", "cc"):
        real.call("PUBLISH", channel, "hi")
    messages = r.messages()
    assert [next(messages) for _ in range(3)] == [
        [b"message", b"a", b"hi"],
        [b"message", b"b", b"hi"],
        [b"pmessage", b"c*", b"cc", b"hi"],
    ]
    real.call("PUBLISH", "a", "later")
    assert run(r, "PING") in (Status(b"PONG"), [b"pong", b""])
    gone: Any = r.execute("UNSUBSCRIBE")
    assert sorted(channel for _, channel, _ in gone) == [b"a", b"b"]
    assert r.execute("PUNSUBSCRIBE", "c*", "d*") == [[b"punsubscribe", b"c*", 0], [b"punsubscribe", b"d*", 0]]
    assert [type(message) for message in messages] == [Push]
    assert r.execute("UNSUBSCRIBE") == [[b"unsubscribe", None, 0]]
    assert r.execute("PING") == Status(b"PONG")


def test_subscribing_in_a_pipeline(r: Remote, real: RealServer) -> None:
    replies: list[Any] = r.pipeline([[b"SET", b"k", b"v"], [b"SUBSCRIBE", b"a", b"b"], [b"SUBSCRIBE"], [b"UNSUBSCRIBE"],
                                     [b"GET", b"k"]])  # fmt: skip
    assert replies[:2] == [OK, [[b"subscribe", b"a", 1], [b"subscribe", b"b", 2]]]
    assert "wrong number of arguments for 'subscribe'" in str(replies[2])
    assert [len(replies[3]), replies[4]] == [2, b"v"]


def test_ctrl_c_ends_a_subscription(r: Remote) -> None:
    r.execute("SUBSCRIBE", "a")
    interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        next(r.messages())
    assert list(r.messages()) == []
    assert r.execute("SET", "k", "v") == OK


def test_monitor(r: Remote, real: RealServer) -> None:
    assert r.execute("MONITOR") == OK
    real.call("SET", "k", "v")
    kind, line = next(r.messages())
    assert kind == b"monitor"
    assert isinstance(line, bytes)
    assert line.endswith(b'"SET" "k" "v"')


def test_pushes_come_between_replies(real: RealServer) -> None:
    real.flush()
    with connect(f"unix://{real.socket}") as remote:
        remote.execute("CLIENT", "TRACKING", "ON")
        remote.execute("GET", "k")
        real.call("SET", "k", "v")
        assert remote.execute("GET", "k") == b"v"
        assert list(remote.messages()) == [Push([b"invalidate", [b"k"]])]
        real.call("SET", "k", "w")
        assert remote.pipeline([[b"GET", b"k"], [b"PING"]]) == [b"w", b"PONG"]
        assert list(remote.messages()) == [Push([b"invalidate", [b"k"]])]


REFUSED = ["CLIENT REPLY OFF", "client reply skip", "SYNC", "PSYNC ? -1"]


@pytest.mark.parametrize("line", REFUSED)
def test_what_would_lose_count_of_replies_is_refused(r: Remote, line: str) -> None:
    with pytest.raises(UsageError):
        r.execute(*line.split())
    with pytest.raises(UsageError):
        r.pipeline([[b"SET", b"k", b"v"], line.encode().split()])
    assert r.execute("GET", "k") is None
    assert r.execute("CLIENT", "REPLY", "ON") == OK


def test_shutdown_and_quit() -> None:
    with running("valkey") as real, connect(f"unix://{real.socket}") as remote:
        for _ in range(20):
            assert remote.execute("QUIT") == OK
            assert remote.execute("PING") == Status(b"PONG")
        assert remote.pipeline([[b"MULTI"], [b"QUIT"], [b"PING"]]) == [OK, OK, b"PONG"]
        assert remote.execute("SHUTDOWN", "NOSAVE") == OK
        with pytest.raises(ConnectError, match="cannot connect"):
            remote.execute("PING")


@pytest.fixture(scope="module", params=["valkey", "redis7"])
def guarded(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """A server with a password, and a user who may do little."""
    from tests.servers import real_servers

    if request.param not in real_servers():
        request.param = "valkey"
    options = ["--requirepass", "open sesame", "--user", "ann", "on", ">annpw", "~*", "+get", "+select", "+@connection"]
    with running(request.param, *options) as server:
        yield server


@pytest.mark.parametrize("protocol", ["", "&protocol=2"], ids=["resp3", "resp2"])
def test_passwords_and_users(guarded: RealServer, protocol: str) -> None:
    with connect(f"unix://:open%20sesame@{guarded.socket}?db=3{protocol}") as remote:
        assert remote.execute("SET", "k", "v") == OK
        assert (remote.execute("ACL", "WHOAMI"), server_db(remote)) == (b"default", 3)
    with connect(f"unix://ann:annpw@{guarded.socket}?db=3{protocol}") as remote:
        assert remote.execute("GET", "k") == b"v"
        assert run(remote, "SET k w").startswith("NOPERM")


@pytest.mark.parametrize("protocol", ["", "&protocol=2"], ids=["resp3", "resp2"])
@pytest.mark.parametrize("user", [":wr0ng", "ann:wr0ng", "nobody:wr0ng"])
def test_a_wrong_password(guarded: RealServer, user: str, protocol: str) -> None:
    with pytest.raises(ConnectError) as caught:
        connect(f"unix://{user}@{guarded.socket}?db=0{protocol}")
    text = "WRONGPASS invalid username-password pair or user is disabled."
    assert str(caught.value) == f"{guarded.socket}: {text}"


def test_without_a_password_one_may_type_it(guarded: RealServer) -> None:
    with connect(f"unix://{guarded.socket}?db=2") as remote:
        assert run(remote, "GET k").startswith("NOAUTH")
        assert remote.execute("AUTH", "open sesame") == OK
        assert remote.execute("SET", "k", "v") == OK
        with connect(f"unix://:open%20sesame@{guarded.socket}") as other:
            other.execute("CLIENT", "KILL", "TYPE", "normal")
        assert remote.execute("GET", "k") == b"v"
        assert server_db(remote) == 2
        assert remote.execute("AUTH", "ann", "annpw") == OK
        with connect(f"unix://:open%20sesame@{guarded.socket}") as other:
            other.execute("CLIENT", "KILL", "TYPE", "normal")
        assert run(remote, "SET k w").startswith("NOPERM")


def test_a_server_without_hello_is_spoken_to_in_resp2() -> None:
    unknown = b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"
    with fake(lambda peer: peer.answer(unknown, b"+OK\r\n", b"+OK\r\n", b"*2\r\n$1\r\na\r\n$-1\r\n")) as server:
        with connect(server.target.replace("unix://", "unix://:pw@") + "?db=3") as remote:
            assert (remote.proto, remote.execute("MGET", "a", "b")) == (2, [b"a", None])
        assert server.commands() == [b"HELLO", b"AUTH", b"SELECT", b"MGET"]
    with fake(lambda peer: peer.answer(unknown)) as server, pytest.raises(ConnectError, match="does not speak RESP3"):
        connect(server.target + "?protocol=3")


GREETINGS = [
    (b"-ERR max number of clients reached\r\n", "{}: ERR max number of clients reached"),
    (b"-DENIED Redis is running in protected mode.\r\n", "{}: DENIED Redis is running in protected mode."),
    (b"HTTP/1.1 400 Bad Request\r\n", "cannot connect to {}: this is not a Redis server: "
     "a reply begins with 'HTTP/1.1 400 Bad Request'"),
    (b"\x15\x03\x03\x00\x02\x02\x32", "cannot connect to {}: the server speaks TLS: use --tls or rediss://"),
    (b"", "cannot connect to {}: the server closed the connection without an answer (does it want TLS?)"),
]  # fmt: skip


@pytest.mark.parametrize(("greeting", "message"), GREETINGS, ids=[repr(g)[:20] for g, _ in GREETINGS])
def test_greetings_that_are_no_welcome(greeting: bytes, message: str) -> None:
    with fake(lambda peer: peer.answer(greeting)) as server:
        with pytest.raises(ConnectError) as caught:
            connect(server.target)
        assert str(caught.value) == message.format(server.target.removeprefix("unix://"))


UNREACHABLE = [
    ("redis://127.0.0.1:1", "cannot connect to 127.0.0.1:1: connection refused"),
    ("redis://[::1]:1", "cannot connect to [::1]:1: "),
    ("unix:///none/s", "cannot connect to /none/s: no such file or directory"),
    ("redis://host.invalid", "cannot connect to host.invalid:6379: "),
    ("rediss://127.0.0.1:1", "cannot connect to 127.0.0.1:1: connection refused"),
]


@pytest.mark.parametrize(("url", "message"), UNREACHABLE, ids=[url for url, _ in UNREACHABLE])
def test_servers_that_cannot_be_reached(url: str, message: str) -> None:
    with pytest.raises(ConnectError) as caught:
        connect(url)
    assert str(caught.value).startswith(message)


def test_a_server_that_does_not_answer() -> None:
    with fake(Peer.drain) as server, pytest.raises(ConnectError) as caught:
        connect(server.target + "?timeout=0.05")
    assert str(caught.value).endswith(": timed out")


def test_a_database_that_does_not_exist(valkey: RealServer) -> None:
    with pytest.raises(ConnectError, match=r"cannot select database 99 of .*: ERR DB index is out of range"):
        connect(f"unix://{valkey.socket}?db=99")


def test_tcp(real: RealServer) -> None:
    real.flush()
    for text in (f"127.0.0.1:{real.port}", f"localhost:{real.port}"):
        with connect(text) as remote:
            assert (remote.execute("PING"), remote.name) == (Status(b"PONG"), text)


def test_connect_wants_a_server() -> None:
    with pytest.raises(UsageError, match=r"./here is a store, not a server: use redtool.open"):
        connect("./here")


def test_open_backend(valkey: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    valkey.flush()
    remote = open_backend(f"unix://{valkey.socket}?db=3")
    assert (remote.remote, remote.db) == (True, 3)
    remote.close()
    memory = open_backend(":memory:")
    assert (memory.remote, memory.db) == (False, 0)
    memory.close()
    monkeypatch.setenv("REDIS_URL", f"unix://{valkey.socket}?db=4")
    fallback = open_backend()
    assert (fallback.remote, fallback.db) == (True, 4)
    fallback.close()


def test_the_grammar_is_the_servers(r: Remote) -> None:
    r.execute("MULTI")  # asking does not disturb the session
    known = r.commands()
    assert r.execute("DISCARD") == OK
    assert {b"SET", b"CONFIG", b"XADD", b"CLUSTER"} <= known.keys()
    assert known[b"SET"].line.startswith("SET key value [NX | XX")
    assert known[b"GET"].flags >= {"readonly", "fast"}
    assert known[b"GET"].doc
    subcommands = known[b"CONFIG"].subs
    assert subcommands is not None
    assert subcommands[b"GET"].line == "CONFIG GET parameter [parameter ...]"
    assert known is r.commands()


def test_syntax_lines_of_a_server_give_its_arity(real: RealServer) -> None:
    """But for a few whose documented arguments and whose arity the servers do not keep in step themselves."""
    infos = {info[0].decode().upper(): info[1] for info in real.call("COMMAND")}
    with connect(f"unix://{real.socket}") as remote:
        known = remote.commands()
    assert {name.decode() for name in known} == infos.keys()
    differ = {name.decode() for name, command in known.items() if command.syntax.arity != infos[name.decode()]}
    assert differ <= {"GEOHASH", "GEOPOS", "GEOSEARCH", "GEOSEARCHSTORE", "PFMERGE", "PSYNC"}


def test_a_command_that_does_not_describe_itself() -> None:
    docs = b"%1\r\n$3\r\nget\r\n%1\r\n$7\r\nsummary\r\n$3\r\nOne\r\n"
    infos = b"*2\r\n*3\r\n$3\r\nget\r\n:1\r\n*0\r\n*3\r\n$7\r\nmod.cmd\r\n:-3\r\n*1\r\n+readonly\r\n"
    with fake(lambda peer: peer.answer(GREETING, docs, infos)) as server:
        known = Remote(parse(server.target)).commands()
    assert [(command.line, command.doc, command.flags) for command in known.values()] == [
        ("GET", "One", frozenset()),
        ("MOD.CMD arg [arg ...]", "", frozenset({"readonly"})),
    ]


@pytest.mark.parametrize("answer", [b"-ERR unknown subcommand 'DOCS'.\r\n", b"*0\r\n", b"%0\r\n", b"garbage\r\n", b""])
def test_without_docs_the_grammar_is_our_own(answer: bytes) -> None:
    from redtool.commands.table import load_all

    with fake(lambda peer: peer.answer(GREETING, answer)) as server:
        assert Remote(parse(server.target)).commands() is load_all()
    assert Remote(parse("unix:///none/s")).commands() is load_all()


PROBE = """
import sys, os
before = set(sys.modules)
from redtool.backends.remote import connect
with connect(sys.argv[1]) as remote:
    remote.execute("PING")
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("redtool")))
"""


def test_a_connection_without_tls_loads_nothing_heavy(valkey: RealServer) -> None:
    """The socket module alone would double the start-up time."""
    words = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n" + PROBE, f"unix://{valkey.socket}"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert set(done.stdout.decode().split()) <= {"__future__", "_socket", "itertools"}
