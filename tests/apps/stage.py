"""What every application's run needs: a server of its own, workers that can be killed, a table of figures.

A run is ``play(stage) -> figures``: it starts workers, hands out jobs and counts. ``main`` runs it on each server
and says whether the figures are the same; the tests do that with a small count.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis

from tests.servers import die_with_parent, named_servers, running

REDTOOL = "redtool"
PATIENCE = 120.0  # seconds for what takes one
Figures = dict[str, Any]


@dataclass
class Stage:
    """A server, the processes that work on it, and how much there is to do."""

    port: int
    count: int
    seed: int
    directory: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def crew(self) -> int:
        """How many workers the jobs are worth."""
        return 2 if self.count < 100 else 4

    def client(self, **more: Any) -> Redis:
        return Redis(port=self.port, **more)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a worker: a program of its own, what it says goes to a file."""
        log = self.directory / f"worker-{len(self.workers)}.log"
        env = {**os.environ, "SERVER_URL": self.url}
        with log.open("wb") as out:
            worker = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                      start_new_session=True, preexec_fn=die_with_parent)  # fmt: skip
        self.workers.append(worker)
        return worker

    def said(self) -> str:
        """The last lines of every worker, for a failure."""
        logs = sorted(self.directory.glob("worker-*.log"))
        return "\n".join(f"{log.name}: …{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def until(self, check: Callable[[], object], what: str) -> None:
        """Wait for a condition; what the workers said comes with the failure."""
        patience = PATIENCE + self.count
        end = time.monotonic() + patience
        while not check():
            if time.monotonic() > end:
                raise TimeoutError(f"{what}: not within {patience:g} s\n{self.said()}")
            time.sleep(0.02 + self.count / 2000)

    def dismiss(self) -> None:
        """Kill what is left of the workers and of their children."""
        for worker in self.workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@contextmanager
def served(directory: Path) -> Iterator[int]:
    """``redtool serve`` on a directory, as a process; gives its port. It has nothing to warn of."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = [sys.executable, "-m", "redtool", "serve", "--store", str(directory / "store"), "--port", str(port)]
    words += ["--loglevel", "warning"]
    quiet = subprocess.DEVNULL
    with (directory / "server.log").open("wb") as log:
        server = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=log, preexec_fn=die_with_parent)
    try:
        _await_server(server, port, directory / "server.log")
        yield port
        if server.poll() is not None:
            raise RuntimeError(f"the server ended: {(directory / 'server.log').read_text()}")
    finally:
        server.kill()
        server.wait()
    if said := (directory / "server.log").read_text():
        raise RuntimeError(f"the server said: {said}")


def _await_server(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError(f"the server ended: {log.read_text()}") from None
            time.sleep(0.02)


@contextmanager
def stage(server: str, count: int, seed: int = 1) -> Iterator[Stage]:
    """An empty server of this kind with nobody on it yet; everything is ended and removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="rt-app-"))
    try:
        if server == REDTOOL:
            with served(directory) as port:
                yield from _peopled(Stage(port, count, seed, directory))
        else:
            with running(server, "--appendonly", "yes") as real:
                yield from _peopled(Stage(real.port, count, seed, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _peopled(one: Stage) -> Iterator[Stage]:
    try:
        yield one
    finally:
        one.dismiss()


def run(play: Callable[[Stage], Figures], server: str, count: int, seed: int = 1) -> Figures:
    """Run it in a process of its own: clients of many kinds keep threads and connections."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, play, server, count, seed).result()


def _run(play: Callable[[Stage], Figures], server: str, count: int, seed: int) -> Figures:
    with stage(server, count, seed) as one:
        return play(one)


def report(results: Mapping[str, tuple[Figures, float]]) -> bool:
    """Print a column a server; True when they agree."""
    names = list(results)
    rows = {row: None for figures, _ in results.values() for row in figures}
    for row in rows:
        values = [results[name][0].get(row) for name in names]
        mark = "" if all(value == values[0] for value in values) else "   <-- differs"
        print(f"{row:28}" + "".join(f"{value!s:>16}" for value in values) + mark)
    print(f"{'seconds':28}" + "".join(f"{results[name][1]:16.1f}" for name in names))
    figures = [results[name][0] for name in names]
    return all(one == figures[0] for one in figures)


def main(play: Callable[[Stage], Figures], count: int = 1000) -> None:
    """Run an application on redtool and on a real server and print both columns; exit 1 when they differ."""
    parser = ArgumentParser(description=play.__doc__)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", action="append", help=f"of {[REDTOOL, *named_servers()]}; may be given again")
    options = parser.parse_args()
    servers = options.server or [REDTOOL, "redis7" if "redis7" in named_servers() else "valkey"]
    results = {}
    print(f"{'':28}" + "".join(f"{name:>16}" for name in servers), flush=True)
    for name in servers:
        begin = time.perf_counter()
        figures = run(play, name, options.count, options.seed)
        results[name] = figures, time.perf_counter() - begin
    sys.exit(0 if report(results) else 1)
