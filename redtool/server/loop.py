"""An event loop: sockets that are ready, times that have come, and calls from other threads.

Own rather than asyncio's, with or without uvloop: with one turn for all sockets that are ready, one write of the
journal and one send a client it answers twice as many requests a second (tests/bench/served.py), and it costs no
import. A turn may be made within a turn: a slow script lets other clients in that way, as a server does.
"""

from __future__ import annotations

import os
import select
from heapq import heappop, heappush
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Ready(Protocol):
        """What is called for a descriptor."""

        def readable(self) -> object: ...

        def writable(self) -> object: ...


READ, WRITE = select.POLLIN, select.POLLOUT  # epoll's bits are the same


class Timer:
    """A call at a time; ``cancel`` makes it nothing."""

    __slots__ = ("call", "number", "when")

    def __init__(self, when: float, number: int, call: Callable[[], object]) -> None:
        self.when, self.number = when, number
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return (self.when, self.number) < (other.when, other.number)


class Loop:
    """Descriptors, timers and a way in for other threads. ``poll``, then ``dispatch``; never by two threads."""

    def __init__(self) -> None:
        self.ready: dict[int, Ready] = {}
        self._timers: list[Timer] = []
        self._numbers = 0
        if hasattr(select, "epoll"):
            self._poller = select.epoll()
            self._second = 1.0
        else:
            self._poller = select.poll()  # type: ignore[assignment]
            self._second = 1000.0
        self._inlet, self._outlet = os.pipe()
        os.set_blocking(self._inlet, False)
        os.set_blocking(self._outlet, False)
        self.watch(self._inlet, self)

    # -- descriptors

    def watch(self, fd: int, ready: Ready) -> None:
        """Call ``ready.readable`` whenever there is something to read."""
        self.ready[fd] = ready
        self._poller.register(fd, READ)

    def want_write(self, fd: int, wanted: bool) -> None:
        """Call ``writable``, too, whenever there is room; or no more."""
        self._poller.modify(fd, READ | WRITE if wanted else READ)

    def forget(self, fd: int) -> None:
        """Watch a descriptor no more: before it is closed."""
        if self.ready.pop(fd, None) is not None:
            self._poller.unregister(fd)

    # -- time

    def later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call once, that much later."""
        self._numbers += 1
        timer = Timer(monotonic() + seconds, self._numbers, call)
        heappush(self._timers, timer)
        return timer

    def run_timers(self) -> None:
        """Make the calls whose time has come."""
        timers = self._timers
        if timers and timers[0].when <= monotonic():
            now = monotonic()
            while timers and timers[0].when <= now:
                call = heappop(timers).call
                if call is not None:
                    call()

    # -- turning

    def poll(self, most: float) -> list[tuple[int, int]]:
        """Wait ``most`` seconds, or until the next timer or event, for descriptors: (fd, what it is ready for)."""
        timers = self._timers
        while timers and timers[0].call is None:
            heappop(timers)
        if timers:
            most = min(most, max(timers[0].when - monotonic(), 0.0))
        return self._poller.poll(most * self._second)

    def dispatch(self, events: list[tuple[int, int]]) -> None:
        """Call those whose descriptors are ready. One that went meanwhile is passed over."""
        ready = self.ready
        for fd, what in events:
            one = ready.get(fd)
            if one is not None:
                if what & WRITE:
                    one.writable()
                if what != WRITE:  # an error or the end is found by reading
                    one.readable()

    def wake(self) -> None:
        """End a wait from another thread or a signal's handler."""
        try:
            os.write(self._outlet, b"\0")
        except (BlockingIOError, OSError):
            return  # it is full: the loop wakes in any case; or closed

    def readable(self) -> None:
        """Take in what ``wake`` wrote."""
        os.read(self._inlet, 4096)

    def writable(self) -> None:
        """Never asked for."""

    def close(self) -> None:
        """Let go of the poller and the pipe."""
        self.forget(self._inlet)
        self.disown()

    def disown(self) -> None:
        """The same of copies of them, in a process that was forked: what is watched is not altered."""
        os.close(self._inlet)
        os.close(self._outlet)
        if hasattr(self._poller, "close"):
            self._poller.close()
