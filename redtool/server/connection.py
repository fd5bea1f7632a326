"""One client of the server: bytes in, commands through the choke point, replies out, one write a read.

Commands are run in the order in which they came; while one of them waits, those behind it do too. What comes out of
turn (messages, MONITOR's lines, invalidations) follows the reply of the command that was running.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from redtool import errors
from redtool.commands.slowlog import note_size
from redtool.resp import NULL_ARRAY, Requests, encode, pack
from redtool.session import Block, Ended, Session

if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.server.listener import Listener
    from redtool.session import Argv
    from redtool.waiting import Waiter


class Connection(asyncio.Protocol):
    """A client's socket and session."""

    def __init__(self, listener: Listener) -> None:
        self.listener, self.store = listener, listener.store
        self.session = Session(self.store)
        self.session.no_array = NULL_ARRAY
        self.session.deliver = self.deliver
        self.session.on_end = self.end
        self.session.on_switch = self.encode_so_far
        self.requests = Requests(self.store.config["proto-max-bulk-len"])
        self.todo: deque[Argv] = deque()
        self.replies: list[Reply] = []
        self.late: list[tuple[int, Reply]] = []  # what came out of turn, and after how many replies
        self.out: list[bytes] = []
        self.running = self.full = False
        self.broken: errors.ProtocolError | None = None  # what came that is no request
        self.apart = False  # a script of this client runs in a thread
        self.fed = 0  # bytes read since commands were last run
        self.batch: list[Argv] = []
        self.done = 0  # commands of the batch whose replies are encoded
        self.waiter: Waiter | None = None
        self.timer: asyncio.TimerHandle | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.session.peer = addresses(self.transport)
        self.listener.connections.add(self)
        self.listener.welcome(self.session)

    def connection_lost(self, error: Exception | None) -> None:
        self.listener.connections.discard(self)
        self.todo.clear()
        self._stop_timer()
        with self.listener.lock:
            if self.waiter is not None:
                self.store.waiting.unpark(self.waiter)
            self.session.close()

    def data_received(self, data: bytes) -> None:
        self.store.net_in += len(data)
        self.fed += len(data)
        self.requests.feed(data)
        self.serve()

    def pause_writing(self) -> None:
        """The client does not read: nothing more is run for it until it does."""
        self.full = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.full = False
        self.transport.resume_reading()
        self.serve()

    # -- commands

    def serve(self) -> None:
        """Run what has come, as far as it goes."""
        try:
            while argvs := self.requests.take():  # what is wrong behind them is told when there is no more
                self.todo.extend(argvs)
        except errors.ProtocolError as error:
            self.broken = error
        busy = self.waiter is not None or self.full or self.running or self.apart
        if busy or not (self.todo or self.out or self.broken is not None):
            return
        batch = [argv for argv in self.todo if argv]
        self.todo.clear()
        self.run(batch)
        if self.broken is not None and self.waiter is None and not self.apart and not self.transport.is_closing():
            if str(self.broken):
                self.out.append(encode(errors.ReplyError(str(self.broken))))
            self.write()
            self.transport.close()

    def run(self, batch: list[Argv]) -> None:
        """Run commands and write their replies; those behind one that waits are kept."""
        self.running, self.done, self.batch = True, 0, batch
        with self.listener.lock:
            script = self._run(batch)
        if script is not None:
            self.apart = True
            finished, reply = self.listener.scripts.run(self.session, script, self.back)
            if finished:
                self.listener.loop.call_soon(self.back, reply)

    def _run(self, batch: list[Argv]) -> Argv | None:
        """Run commands up to one that waits, or that is to run in a thread, which is given."""
        script = None
        if self.fed > self.listener.large_request:
            for argv in batch:
                note_size(self.session, b"large-request", argv, len(pack(argv)))
        self.fed, ended = 0, False
        try:
            self.store.run(self.session, batch, self.replies)
        except Block as block:
            at = self.done + len(self.replies)
            self.todo.extendleft(reversed(batch[at + 1 :]))
            if block.apart:
                script = batch[at]
            else:
                self.waiter = self.store.waiting.park(self.session, batch[at], block, self.wake)
                self._start_timer()
        except Ended:
            ended = True
        finally:
            self.running = False
            self.write()
        if ended or self.session.ended:
            self.transport.close()
        return script

    def back(self, reply: Reply) -> None:
        """Answer the command that ran apart, and go on with those behind it."""
        self.apart = False
        self.replies.append(reply)
        self.encode_so_far()
        self.go_on()
        if self.session.ended:
            self.transport.close()

    def wake(self, reply: Reply) -> None:
        """Answer the command that waited, and go on with those behind it."""
        self.waiter = None
        self._stop_timer()
        self.out.append(encode(reply, self.session.proto))
        self.listener.soon(self.go_on)

    def go_on(self) -> None:
        self.write()
        self.serve()

    def _start_timer(self) -> None:
        waiter = self.waiter
        if waiter is not None and waiter.block.deadline is not None:
            left = waiter.block.deadline / 1000 - self.store.time_ns() / 1e9
            self.timer = self.listener.loop.call_later(max(left, 0), self._overdue, waiter)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _overdue(self, waiter: Waiter) -> None:
        self.timer = None
        with self.listener.lock:
            self.store.waiting.overdue(waiter)
            self.listener.flush()
        if not waiter.done:
            self._start_timer()

    # -- output

    def deliver(self, reply: Reply) -> None:
        """Send what comes out of turn."""
        if self.running or self.apart:
            self.late.append((len(self.replies), reply))
        else:
            self.out.append(encode(reply, self.session.proto))
            self.listener.soon(self.write)

    def encode_so_far(self) -> None:
        """Turn replies into bytes: at the end of a batch, and before the protocol changes."""
        proto = self.session.proto
        encoded = [encode(reply, proto) for reply in self.replies]
        whole = b"".join(encoded)
        if len(whole) > self.listener.large_reply:
            for argv, piece in zip(self.batch[self.done :], encoded, strict=False):
                note_size(self.session, b"large-reply", argv, len(piece))
        if self.late:
            place = 0
            for at, message in self.late:
                self.out += [*encoded[place : at + 1], encode(message, proto)]
                place = max(place, at + 1)
            self.out += encoded[place:]
            self.late.clear()
        else:
            self.out.append(whole)
        self.done += len(self.replies)
        self.replies.clear()

    def write(self) -> None:
        """Hand the journal to the kernel, then the replies to the socket."""
        if self.running or self.apart:
            return
        if self.replies or self.late:
            self.encode_so_far()
        if not self.out:
            return
        data = b"".join(self.out)
        self.out.clear()
        if not self.listener.flush():
            self.transport.abort()  # a reply would say that something is kept which is not
        elif data and not self.transport.is_closing():
            self.store.net_out += len(data)
            self.transport.write(data)

    def end(self) -> None:
        """End the session from outside (CLIENT KILL): what has been written still leaves."""
        if not self.running:
            self.write()
            self.transport.close()


def addresses(transport: asyncio.Transport) -> tuple[str, str, int]:
    """The client's address, our own, and the descriptor, as CLIENT LIST shows them."""
    socket = transport.get_extra_info("socket")
    name, peer = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
    if isinstance(name, (str, bytes)):
        path = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
        return f"{path}:0", f"{path}:0", socket.fileno()
    return address(peer), address(name), socket.fileno()


def address(name: tuple[str, int]) -> str:
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
