"""One client of the server: bytes in, commands through the choke point, replies out, one write a turn.

Commands are run in the order in which they came; while one of them waits, those behind it do too. What comes out of
turn (messages, MONITOR's lines, invalidations) follows the reply of the command that was running.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from redtool import errors
from redtool.commands.slowlog import note_size
from redtool.requests import Requests
from redtool.resp import NULL_ARRAY, encode, encode_all, pack
from redtool.server.limits import IDLE_OF_MEMORY
from redtool.session import Block, Ended, Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redtool.resp import Reply
    from redtool.server.listener import Listener
    from redtool.server.loop import Timer
    from redtool.session import Argv
    from redtool.waiting import Waiter

READ = 1 << 15  # bytes read at a time from one client, so that a long pipeline does not keep others waiting
READ_MORE = 1 << 20  # in the middle of a long argument
PIECE = 1 << 18  # bytes sent at a time to a client that is slow to read
SENDS = 16  # such pieces in a turn
FIRST, CHUNK = 8, 128  # commands of one client that are run in a turn when it has sent more: at first, and at most
MADE = 1 << 20  # bytes of replies in a turn that are enough: fewer commands are run in the next
UNREAD = 1 << 23  # bytes of replies that a client has not taken, with which nothing more is run for it
HANDOVER = b"-HANDOVER the owner of the store has closed it\r\n"


class Connection:
    """A client's socket and session. All but ``deliver``, ``wake`` and ``end`` is for the thread of the loop alone."""

    __slots__ = ("backlog", "batch", "chunk", "closing", "crammed", "dirty", "done", "fd", "fed", "gone", "held",
                 "late", "limits", "listener", "next", "out", "owed", "recv", "replies", "requests", "running", "send",
                 "session", "sock", "store", "timer", "todo", "unfed", "waiter", "wire", "wrote")  # fmt: skip

    def __init__(self, listener: Listener, sock: socket.socket, trusted: bool = False) -> None:
        self.listener, self.store, self.sock = listener, listener.store, sock
        self.fd, self.recv, self.send = sock.fileno(), sock.recv, sock.send
        self.session = session = Session(self.store)
        session.no_array = NULL_ARRAY
        session.deliver = self.deliver
        session.on_end = self.end
        session.buffers = self.buffers
        session.on_switch = self.encode_so_far
        session.peer = addresses(sock)
        if trusted:
            session.on_attach = self.attach
        self.wire = 0  # the protocol of replies where that is not the session's
        self.limits = listener.limits
        self.requests = Requests(self.store.config["proto-max-bulk-len"], CHUNK)
        self.unfed: list[bytes] = []  # read, but not looked at while nothing is run
        self.held = 0  # bytes of that
        self.todo: Sequence[Argv] = ()  # behind a command that waits, or for the next turn
        self.chunk = FIRST  # so many of its commands are run in a turn
        self.next = False  # the listener goes on with it in the next turn
        self.replies: list[Reply] = []
        self.late: list[tuple[int, Reply]] = []  # what came out of turn, and after how many replies
        self.out: list[bytes] = []  # to be sent at the end of the turn
        self.backlog: deque[bytes | memoryview] = deque()  # what the system would not take
        self.owed = 0  # bytes of it
        self.crammed = 0.0  # since when that is more than the soft limit
        self.running = False  # one of its commands is running: perhaps a slow script, in whose turn we are called
        self.closing = False  # nothing more is run; it ends when all is sent
        self.gone = False  # the client has closed
        self.dirty = False  # the listener will call ``write``
        self.wrote = False  # ``out`` says that something is kept
        self.fed = 0  # bytes read since commands were last run
        self.batch: Sequence[Argv] = ()
        self.done = 0  # commands of the batch whose replies are encoded
        self.waiter: Waiter | None = None
        self.timer: Timer | None = None

    # -- in

    def readable(self) -> None:
        """Take in what the client has sent, and run it."""
        if self.next:
            return  # there is enough to do
        requests = self.requests
        try:
            data = self.recv(READ if requests.pending < READ else READ_MORE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost()
            return
        size = len(data)
        self.store.net_in += size
        self.fed += size
        if (self.running or self.waiter is not None or self.closing or self.owed > UNREAD
                or self.todo or self.unfed):  # behind what is to be run at the end of the turn  # fmt: skip
            self.unfed.append(data)
            self.held += size
            self._mind_size()
        else:
            argv = requests.alone(data)
            if argv is not None:
                self.run((argv,))
                if self.unfed:  # it was a slow script, in whose turns more has come
                    self.serve()
                return
            if requests.strange:
                requests.strange = not self.session.authenticated
            requests.feed(data)
            if requests.pending > READ:
                self._mind_size()
            self.serve()

    @property
    def asked(self) -> int:
        """Bytes of requests that have not been looked at."""
        return self.requests.pending + self.held

    def _mind_size(self) -> None:
        """End a client that sends more than is kept for it."""
        if self.closing:
            self.unfed.clear()
            self.held = 0
        elif self.asked > self.limits.query:
            self.limits.cut_query(self)
        else:
            self.limits.grown(self)

    def serve(self) -> None:
        """Run what has come, as far as it goes in this turn."""
        left = self.chunk
        while not self.running and self.waiter is None and not self.closing and self.owed <= UNREAD:
            try:
                batch = self.todo or self._more()  # what is wrong behind them is told when there is no more
            except errors.ProtocolError as error:
                if str(error):
                    self.out.append(encode(errors.ReplyError(str(error))))
                self.leave()
                return
            if not batch:
                return
            if self.listener.made > UNREAD:  # enough for one turn, of whomever
                self.todo = batch
                self._put_off()
                return
            chunk = self.chunk
            self.todo = batch[left:]
            self.run(batch[:left] if self.todo else batch)
            left -= len(batch)
            if left <= 0 and (self.todo or self.requests.pending) and self.waiter is None and not self.closing:
                if self.chunk == chunk < CHUNK and not self.requests.strange:
                    self.chunk = min(chunk * 2, CHUNK)
                self._put_off()
                return

    def _put_off(self) -> None:
        """Go on in the next turn."""
        if not self.next:
            self.next = True
            self.listener.next.append(self)

    def _more(self) -> list[list[bytes]]:
        """The next requests, of those that were put aside, too."""
        requests = self.requests
        batch = requests.take()
        if not batch and requests.cut:
            requests.strange = requests.strange and not self.session.authenticated
            requests.feed(b"")
            batch = requests.take()
        if not batch and self.unfed:
            data, self.held = b"".join(self.unfed), 0
            self.unfed.clear()
            requests.strange = requests.strange and not self.session.authenticated
            requests.feed(data)
            batch = requests.take()
        return batch

    def go_on(self) -> None:
        """In the next turn: run what was left over."""
        self.next = False
        self.serve()

    def run(self, batch: Sequence[Argv]) -> None:
        """Run commands and encode their replies; those behind one that waits are kept."""
        store, listener = self.store, self.listener
        large = self.fed > READ
        if self.fed > listener.large_request:
            for argv in batch:
                note_size(self.session, b"large-request", argv, len(pack(argv)))
        self.fed = self.done = 0
        self.running, self.batch = True, batch
        changes = store.changes
        try:
            store.run(self.session, batch, self.replies)
        except Block as block:
            at = self.done + len(self.replies)
            self.todo = [*batch[at + 1 :], *self.todo]
            self.waiter = store.waiting.park(self.session, batch[at], block, self.wake)
            self._start_timer()
            self._look_for_end()
        except Ended:
            self.closing = True
        except Exception as error:  # a fault of redtool's own: others must not suffer from it
            self._broke(error)
        finally:
            self.running = False
        if store.changes != changes:
            self.wrote = True
        if large:  # its name is enough to remember of a command with a large argument
            self.session.last = [word[:READ] for word in self.session.last[:2]]
        if self.replies or self.late:
            self.encode_so_far()
        if self.session.ended:
            self.closing = True
        if large:
            self.batch = ()
        if self.gone:
            self.finish()
        elif not self.dirty and (self.out or self.closing):
            self.dirty = True
            listener.dirty.append(self)

    def _broke(self, error: Exception) -> None:
        """Answer a command that raised what no command should, and leave the client alone."""
        import sys
        import traceback

        traceback.print_exception(error, file=sys.stderr)
        self.store.repair()
        self.replies.append(errors.ReplyError(f"ERR internal error: {type(error).__name__}"))
        self.closing = True

    def wake(self, reply: Reply) -> None:
        """Answer the command that waited, and go on with those behind it."""
        self.waiter = None
        self._stop_timer()
        self.out.append(encode(reply, self.wire or self.session.proto))
        if reply is not self.session.no_array:  # else its time was up
            self.wrote = True
        self.listener.touch(self)
        self.listener.soon(self.serve)

    def _look_for_end(self) -> None:
        """Notice at once if a client that begins to wait has left already: what it waits for is for others."""
        if type(self.sock) is socket.socket:  # not one that speaks TLS, nor a client in this process
            try:
                self.gone = self.sock.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                return
            except OSError:
                self.gone = True

    def _start_timer(self) -> None:
        waiter = self.waiter
        if waiter is not None and waiter.block.deadline is not None:
            left = waiter.block.deadline / 1000 - self.store.time_ns() / 1e9
            self.timer = self.listener.loop.later(max(left, 0), self._overdue)

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _overdue(self) -> None:
        self.timer, waiter = None, self.waiter
        if waiter is not None:
            self.store.waiting.overdue(waiter)
            if not waiter.done:
                self._start_timer()

    # -- out

    def deliver(self, reply: Reply) -> None:
        """Send what comes out of turn."""
        if self.running:
            self.late.append((len(self.replies), reply))
        else:
            self.out.append(encode(reply, self.wire or self.session.proto))
            self.listener.touch(self)

    def encode_so_far(self) -> None:
        """Turn replies into bytes: at the end of a batch, and before the protocol changes."""
        proto, replies = self.wire or self.session.proto, self.replies
        if self.late:
            data = b"".join(self._with_late(proto))
        else:
            data = encode(replies[0], proto) if len(replies) == 1 else encode_all(replies, proto)
        if len(data) > MADE:
            self.listener.made += len(data)
            self.chunk = max(len(replies) * MADE // len(data), 1)
        if len(data) > self.listener.large_reply:
            for argv, reply in zip(self.batch[self.done :], replies, strict=False):
                note_size(self.session, b"large-reply", argv, len(encode(reply, proto)))
        if data:
            self.out.append(data)
        self.done += len(replies)
        replies.clear()

    def _with_late(self, proto: int) -> Iterator[bytes]:
        """The replies as bytes, each followed by what came out of turn while its command ran."""
        place = 0
        for at, message in self.late:
            yield encode_all(self.replies[place : at + 1], proto)
            yield encode(message, proto)
            place = max(place, at + 1)
        yield encode_all(self.replies[place:], proto)
        self.late.clear()

    def write(self, kept: bool = True) -> None:
        """Send what there is to be sent. Not ``kept``: the journal could not be written."""
        if self.running:  # a slow script, in whose turn we are: its client has replies of before at most
            self.listener.dirty.append(self)
            return
        self.dirty = False
        if self.gone:
            return
        if self.wrote and not kept:
            self.finish()  # a reply would say that something is kept which is not
            return
        self.wrote = False
        out = self.out
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            sent = 0
            if not self.backlog:
                try:
                    sent = self.send(data)
                except BlockingIOError:
                    pass
                except OSError:
                    self.lost()
                    return
                self.store.net_out += sent
            if sent < len(data):
                if not self.backlog:
                    self.listener.loop.want_write(self.fd, True)
                self.backlog.append(memoryview(data)[sent:] if sent else data)
                self.owed += len(data) - sent
                if self.limits.overrun(self):
                    self.limits.cut_output(self)
                    return
                self.limits.grown(self)
        if self.closing and not self.backlog:
            self.finish()

    def writable(self) -> None:
        """Send more of what the system would not take at once."""
        backlog = self.backlog
        for _ in range(SENDS):
            if not backlog:
                break
            piece = backlog.popleft()
            if len(piece) < PIECE and backlog:
                parts, size = [piece], len(piece)
                while backlog and size < PIECE:
                    parts.append(backlog.popleft())
                    size += len(parts[-1])
                piece = b"".join(parts)
            try:
                sent = self.send(piece)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.lost()
                return
            self.store.net_out += sent
            self.owed -= sent
            if sent < len(piece):
                backlog.appendleft(memoryview(piece)[sent:])
                break
        if not backlog:
            self.listener.loop.want_write(self.fd, False)
            if self.closing:
                self.finish()
        if self.owed <= UNREAD and (self.unfed or self.todo):
            self.serve()

    def buffers(self) -> dict[str, int]:
        """What is held of requests and replies, as CLIENT LIST shows it."""
        waiting = sum(map(len, self.out))
        memory = self.owed + waiting
        return {"qbuf": self.asked, "oll": len(self.backlog) + len(self.out), "omem": memory,
                "tot-mem": IDLE_OF_MEMORY + self.asked + memory}  # fmt: skip

    # -- the end

    def attach(self) -> None:
        """The client is another process that has the store open: values keep their types, and it is told of the end."""
        self.wire = 3
        self.session.no_array = None

    def end(self) -> None:
        """End the session from outside (CLIENT KILL): what has been written still leaves."""
        self.closing = True
        self.listener.touch(self)

    def leave(self) -> None:
        """Run nothing more; end when all is sent."""
        if self.wire and not self.closing:
            self.out.append(HANDOVER)
        self.closing = True
        self.listener.touch(self)

    def lost(self) -> None:
        """The client has closed its side, or the connection is broken."""
        if not self.gone:
            self.gone = True
            self.listener.loop.forget(self.fd)
            if not self.running:
                self.finish()

    def finish(self) -> None:
        """End the session and close the socket."""
        if self not in self.listener.connections:
            return
        self.listener.connections.discard(self)
        self.gone = self.closing = True
        self.listener.loop.forget(self.fd)
        self.todo = ()
        self.unfed.clear()
        self.held = self.owed = 0
        self.out.clear()
        self.backlog.clear()
        self._stop_timer()
        if self.waiter is not None:
            self.store.waiting.unpark(self.waiter)
            self.waiter = None
        self.session.close()
        # What may be large goes now, not when garbage is collected; and nothing that refers to itself is left for that:
        # with thousands of clients that come and go it would stop all others for a while.
        session = self.session
        session.last = self.batch = ()
        session.deliver, session.buffers = _to_nobody, None
        session.on_end = session.on_switch = session.on_attach = None
        self.requests.forget()
        self.requests = Requests(0, CHUNK)
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)  # a child that writes a snapshot may have the socket, too
        self.sock.close()


def _to_nobody(reply: Reply) -> None:
    """The client has gone."""


def addresses(sock: socket.socket) -> tuple[str, str, int]:
    """The client's address, our own, and the descriptor, as CLIENT LIST shows them."""
    name = sock.getsockname()
    if isinstance(name, (str, bytes)):
        path = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
        return f"{path}:0", f"{path}:0", sock.fileno()
    try:
        return address(sock.getpeername()), address(name), sock.fileno()
    except OSError:  # it has gone already
        return "?:0", address(name), sock.fileno()


def address(name: tuple[str, int]) -> str:
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
