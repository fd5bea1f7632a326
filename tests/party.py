"""Several clients of one store, and what each of them receives: replies and what comes out of turn, in order.

``run("a", "GET k")`` lets client a send a line and gives ``{name: [values]}`` of everybody who received something. A
push of RESP3 is a list that begins with ``PUSH``; an error is its text behind a ``-``; ``CLOSED`` is the end of a
connection. A line may name another client's number: ``CLIENT KILL ID {b}``. Nothing waits for a time: what a server
writes before it answers a bystander has arrived when that has its answer.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from typing import Any, Protocol

import hiredis

from redtool import errors, resp, words
from redtool.config import Config
from redtool.session import Block, Ended, Session
from redtool.store import Store
from tests.embedded import import_all
from tests.servers import request

PUSH, CLOSED = ">", "closed"
Received = dict[str, list[Any]]
STAMP = re.compile(rb"^(\d{10}\.\d{6}) \[(\d+) (lua|[^]]+)\] ")
SECONDS = 1_800_000_000


class Reader:
    """Bytes that a client received -> values."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader(replyError=errors.ReplyError.of, notEnoughData=Reader)

    def values(self, data: bytes) -> list[Any]:
        self._reader.feed(data)
        found = []
        while (value := self._reader.gets()) is not Reader:
            found.append(tidy(value))
        return found


def tidy(value: Any) -> Any:
    """A value as tables write it; MONITOR's lines without their time and address."""
    if isinstance(value, errors.ReplyError):
        return f"-{value.message}"
    if isinstance(value, hiredis.PushNotification):
        return [PUSH, *map(tidy, value)]
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, bytes) and (stamp := STAMP.match(value)):
        place = stamp[3] if stamp[3] == b"lua" else b"addr"
        return b"[%b %b] " % (stamp[2], place) + value[stamp.end() :]
    return value


class Party(Protocol):
    """Clients by name, made when they are first spoken of."""

    def number(self, name: str) -> int: ...

    def send(self, name: str, argv: list[bytes]) -> Received: ...

    def close(self) -> None: ...


def run(party: Party, name: str, line: str) -> Received:
    """Let a client send a line; gives who received what."""
    numbered = re.sub(r"\{(\w)\}", lambda found: str(party.number(found[1])), line)
    return party.send(name, words.split(numbered.encode("utf-8", "surrogateescape")))


def table(party: Party, rows: Iterable[tuple[str, Any]]) -> None:
    """Run rows ("a GET k", {"a": [b"v"]}): a bare value is what the sender alone receives, ``...`` is anything."""
    rows = list(rows)
    for row, _ in rows:
        party.number(row[0])
    for row, wanted in rows:
        name, _, line = row.partition(" ")
        got = run(party, name, line)
        expected = wanted if isinstance(wanted, dict) else {name: [wanted]}
        assert alike(got, expected), f"{row}\n  gave     {got!r}\n  expected {expected!r}"


def alike(got: Received, expected: Received) -> bool:
    return got.keys() == expected.keys() and all(
        len(got[name]) == len(expected[name])
        and all(wanted is ... or value == wanted for value, wanted in zip(got[name], expected[name], strict=True))
        for name in got
    )


class Sockets:
    """Clients of a server, through its unix socket."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sockets: dict[str, socket.socket] = {}
        self.readers: dict[str, Reader] = {}
        self.numbers: dict[str, int] = {}
        self.bystander = self._connect()

    def _connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(30)
        made.connect(self.path)
        return made

    def _meet(self, name: str) -> None:
        if name not in self.sockets:
            self.sockets[name], self.readers[name] = self._connect(), Reader()
            self.sockets[name].sendall(request(("CLIENT", "ID")))
            (self.numbers[name],) = self.readers[name].values(self.sockets[name].recv(100))

    def number(self, name: str) -> int:
        self._meet(name)
        return self.numbers[name]

    def send(self, name: str, argv: list[bytes]) -> Received:
        self._meet(name)
        self.sockets[name].sendall(request(tuple(argv)))
        self._settle()
        received: Received = {}
        for each in list(self.sockets):
            if values := self._take(each):
                received[each] = values
        return received

    def _settle(self) -> None:
        """Wait until the server has answered three times more: what it had to write is written.

        It is asked for a command that does not exist, which no pause holds and no monitor sees.
        """
        for _ in range(3):
            self.bystander.sendall(b"NOSUCH\r\n")
            assert self.bystander.recv(100).endswith(b"\r\n")

    def _take(self, name: str) -> list[Any]:
        """All that has arrived."""
        data, line = b"", self.sockets[name]
        line.setblocking(False)
        closed = False
        try:
            while part := line.recv(65536):
                data += part
            closed = True
        except BlockingIOError:
            pass
        except ConnectionError:
            closed = True
        line.settimeout(30)
        values = self.readers[name].values(data)
        if closed:
            line.close()
            del self.sockets[name]
            values.append(CLOSED)
        return values

    def close(self) -> None:
        for line in (*self.sockets.values(), self.bystander):
            line.close()


class Embedded:
    """Sessions of one store in this process. Time stands still until ``advance``."""

    def __init__(self) -> None:
        import_all()
        self.ns = SECONDS * 1_000_000_000
        self.store = Store(Config(), time_ns=lambda: self.ns)
        self.sessions: dict[str, Session] = {}
        self.streams: dict[str, list[bytes]] = {}
        self.running = ""
        self.late: list[bytes] = []

    def _meet(self, name: str) -> Session:
        if name not in self.sessions:
            session = self.sessions[name] = Session(self.store)
            stream = self.streams[name] = []

            def deliver(reply: Any) -> None:
                (self.late if self.running == name else stream).append(resp.encode(reply, session.proto))

            session.deliver = deliver
            session.no_array = resp.NULL_ARRAY
        return self.sessions[name]

    def number(self, name: str) -> int:
        return self._meet(name).id

    def send(self, name: str, argv: list[bytes]) -> Received:
        session, self.running = self._meet(name), name
        replies: list[Any] = []
        proto = session.proto
        try:
            self.store.run(session, (tuple(argv),), replies)
        except Block as block:
            self.store.waiting.park(session, argv, block, lambda reply: self._woken(name, reply))
        except Ended:
            replies = []
        self.running = ""
        if replies:
            self.streams[name].append(resp.encode(replies[0], proto if argv[0].upper() != b"HELLO" else session.proto))
        self.streams[name] += self.late
        self.late.clear()
        return self.received()

    def _woken(self, name: str, reply: Any) -> None:
        self.streams[name].append(resp.encode(reply, self.sessions[name].proto))

    def advance(self, ms: int) -> None:
        """Let time pass, and the store notice."""
        self.ns += ms * 1_000_000
        self.store.tick()

    def received(self) -> Received:
        """What has been received since the last time."""
        received: Received = {}
        for name in list(self.sessions):
            values = Reader().values(b"".join(self.streams[name]))
            self.streams[name].clear()
            if self.sessions[name].ended:
                del self.sessions[name]
                values.append(CLOSED)
            if values:
                received[name] = values
        return received

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()
