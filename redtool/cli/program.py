"""A program that runs while a server does: it finds the server in its environment, and its end is the server's."""

from __future__ import annotations

import os
import subprocess
from signal import SIGHUP, SIGINT, SIGTERM
from threading import Thread
from typing import Any
from urllib.parse import quote

from redtool.oneshot import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

CANNOT_RUN, NOT_FOUND = 126, 127  # as shells say it
SIGNALLED = 128


def url_of(host: str, port: int, socket: str, password: str) -> str:
    """The URL of a server, its password included."""
    login = f":{quote(password, safe='')}@" if password else ""
    if not port:
        return f"unix://{login}{quote(socket)}"
    return f"redis://{login}{f'[{host}]' if ':' in host else host}:{port}"


def environment(url: str, host: str, port: int) -> dict[str, str]:
    """What tells a program where the server is, beside what is in the environment already."""
    found = {**os.environ, "REDIS_URL": url}
    return {**found, "REDIS_HOST": host, "REDIS_PORT": str(port)} if port else found


class Program:
    """A program at work. ``ended`` is called, in a thread of its own, when it has ended; ``code`` is its exit code."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        self.words, self.env = words, env
        self.code = CANNOT_RUN
        self._running: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []  # signals that came while it was being started

    def start(self, ended: Callable[[], None]) -> bool:
        """Start it; False, with ``code`` set, when it cannot be."""
        try:
            self._running = subprocess.Popen(self.words, env=self.env)
        except (OSError, ValueError) as error:
            self.code = NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN
            complain(f"redtool: cannot run {self.words[0]}: {(getattr(error, 'strerror', None) or str(error)).lower()}")
            return False
        for number in self._early:
            self._running.send_signal(number)
        Thread(target=self._wait, args=(ended,), name="redtool-program", daemon=True).start()
        return True

    def _wait(self, ended: Callable[[], None]) -> None:
        assert self._running is not None
        status = self._running.wait()
        self.code = SIGNALLED - status if status < 0 else status
        ended()

    @property
    def hears(self) -> dict[int, Callable[[int, Any], None]]:
        """What signals do meanwhile: Ctrl-C reaches the program by itself, SIGTERM and SIGHUP are passed on."""
        return {SIGINT: lambda number, frame: None, SIGTERM: self._pass_on, SIGHUP: self._pass_on}

    def _pass_on(self, number: int, frame: Any) -> None:
        if self._running is None:
            self._early.append(number)
        else:
            self._running.send_signal(number)
