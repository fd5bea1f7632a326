"""A second Ctrl-C ends the process while a script does not heed the first.

A loop of Lua is stopped by its hook. A single call into Lua's own C code, such as a pattern that backtracks for ever,
knows no hook; but lupa has let go of Python's lock, so a thread can listen for signals: Python writes their numbers
into a pipe the moment they come. Only in redtool's own process, never in a program that uses redtool as a library.
What the script has done so far is in no journal yet, so nothing is left half done.
"""

from __future__ import annotations

import os
import signal
from threading import Thread, current_thread, main_thread

from redtool import exits

PATIENCE = 2  # the Ctrl-C that ends the process


class Stubborn:
    """Listens while scripts run in the main thread. The pipe and the thread are made by the first of them."""

    def __init__(self) -> None:
        self.strikes = 0
        self._write = -1
        self._before = -1
        self._on = False

    def start(self) -> None:
        """A script starts."""
        if not exits.own_process or current_thread() is not main_thread():
            return
        if self._write < 0:
            read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            Thread(target=self._listen, args=(read,), name="redtool-ctrl-c", daemon=True).start()
        self.strikes = 0
        self._before, self._on = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False), True

    def over(self) -> None:
        """It has ended."""
        if self._on:
            self._on = False
            signal.set_wakeup_fd(self._before)

    def _listen(self, read: int) -> None:
        while numbers := os.read(read, 64):
            self.strikes += numbers.count(signal.SIGINT)
            if self._on and self.strikes >= PATIENCE:
                os.write(2, b"redtool: ended in the middle of a script\n")
                os._exit(exits.INTERRUPTED)
