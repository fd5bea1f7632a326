"""What is sent again, and what never is: a node that does on purpose what a real one does by accident."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from redtool.backends import dispatch, open_backend
from redtool.backends.cluster import Cluster
from redtool.errors import ConnectError, FateUnknown, ReplyError
from redtool.resp import OK
from tests.backends.fake import Fake, Peer, Talk, fake

HELLO = b"%0\r\n"


def slots(port: int, host: bytes = b"") -> bytes:
    """CLUSTER SLOTS of a cluster of one node."""
    return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$%d\r\n%b\r\n:%d\r\n" % (len(host), host, port)


@contextmanager
def node(*talks: Talk) -> Iterator[tuple[Cluster, Fake]]:
    """A cluster of one node: its connections follow ``talks``, the first one after having told the slots."""
    port = 0

    def first(peer: Peer) -> None:
        peer.answer(HELLO, slots(port))
        talks[0](peer)

    def greeted(talk: Talk) -> Talk:
        def go(peer: Peer) -> None:
            peer.answer(HELLO)
            talk(peer)

        return go

    with fake(first, *(greeted(talk) for talk in talks[1:]), tcp=True) as server:
        port = int(server.target.rpartition(":")[2])
        with open_backend(server.target.replace("redis://", "redis+cluster://")) as c:  # type: ignore[attr-defined]
            yield c, server


def tell(peer: Peer) -> None:
    """Answer CLUSTER SLOTS with the same one node."""
    peer.answer(slots(peer.sock.getsockname()[1]))


def sent(server: Fake, word: bytes) -> int:
    """How often a command was seen."""
    return b"".join(server.log).count(word)


@pytest.mark.parametrize("pipelined", [False, True])
def test_a_write_whose_reply_was_lost_is_not_sent_again(pipelined: bool) -> None:
    """The connection ends after the node has read it; the next connection is there for what comes after."""

    def again(peer: Peer) -> None:
        tell(peer)
        peer.answer(b"+OK\r\n")

    with node(Peer.read, again if pipelined else lambda peer: peer.answer(b"+OK\r\n")) as (c, server):
        if pipelined:
            (reply,) = c.pipeline([[b"INCR", b"first"]])
            assert isinstance(reply, FateUnknown)
            assert reply.message.startswith("UNCERTAIN localhost:")
            assert reply.message.endswith(": connection lost after sending INCR: it may or may not have run")
        else:
            with pytest.raises(ConnectError, match=r"^localhost:\d+: connection lost after sending INCR: it may or"):
                c.execute("INCR", "first")
        assert sent(server, b"*2\r\n$4\r\nINCR\r\n") == 1


def test_what_the_node_never_got_is_sent_again() -> None:
    """A pipeline of more than the sockets hold: the end of it never left. What did leave is told to be uncertain."""
    many = 400

    def gone(peer: Peer) -> None:
        peer.sock.recv(10_000)  # of the first command only; closing with more unread resets the connection

    def rest(peer: Peer) -> None:
        tell(peer)
        data = b""
        while b"the-end" not in data:
            data = data[-100:] + (peer.sock.recv(1 << 20) or b"the-end")
        peer.sock.sendall(b"+OK\r\n" * many)

    with node(gone, rest) as (c, _):
        batch = [[b"SET", b"k%d" % at, b"x" * 100_000] for at in range(many - 1)] + [[b"SET", b"k", b"the-end"]]
        replies: list[Any] = c.pipeline(batch)
        unknown = [reply for reply in replies if isinstance(reply, FateUnknown)]
        assert 0 < len(unknown) < many - 100
        assert replies == unknown + [OK] * (many - len(unknown))


def test_a_read_is_sent_again() -> None:
    def again(peer: Peer) -> None:
        tell(peer)
        peer.answer(b"$1\r\nv\r\n")

    with node(Peer.read, again) as (c, server):
        assert c.pipeline([[b"GET", b"first"]]) == [b"v"]
        assert sent(server, b"first") == 2


def test_a_node_that_is_loading_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(dispatch, "sleep", pauses.append)

    def loading(peer: Peer) -> None:
        peer.answer(b"-LOADING Redis is loading the dataset in memory\r\n")
        peer.answer(b"-LOADING Redis is loading the dataset in memory\r\n")
        tell(peer)
        peer.answer(b"+OK\r\n")

    with node(loading) as (c, server):
        assert c.execute("SET", "k", "v") == OK
        assert sent(server, b"SET") == 3 and len(pauses) == 1


def test_two_nodes_that_name_each_other_are_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE", 0.0)

    def moved(peer: Peer) -> None:
        here = peer.sock.getsockname()[1]
        while request := peer.read():
            slots_asked = b"SLOTS" in request
            peer.sock.sendall(slots(here) if slots_asked else b"-MOVED 12539 localhost:%d\r\n" % here)

    with node(moved) as (c, server), pytest.raises(ReplyError, match=r"^MOVED 12539 "):
        c.execute("SET", "k", "v")
    assert sent(server, b"$3\r\nSET") < 20


def test_a_redirection_that_a_script_made_up_is_its_reply() -> None:
    with node(lambda peer: peer.answer(b"-MOVED 1 127.0.0.1:1\r\n", b"-MOVED 1 127.0.0.1:1\r\n")) as (c, _):
        replies: list[Any] = c.pipeline([[b"EVAL", b"x", b"1", b"k"]])
        assert replies[0].message == "MOVED 1 127.0.0.1:1"


def test_a_slot_that_nobody_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE", 0.0)

    def none(peer: Peer) -> None:
        peer.answer(HELLO, b"*0\r\n")

    with (
        fake(none, tcp=True) as server,
        open_backend(server.target.replace("redis://", "redis+cluster://")) as c,  # type: ignore[attr-defined]
        pytest.raises(ReplyError, match=r"^CLUSTERDOWN Hash slot not served$"),
    ):
        c.execute("GET", "k")
