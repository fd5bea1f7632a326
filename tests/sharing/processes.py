"""Processes that use a store, started and ended as people and their scripts do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

REDTOOL = (sys.executable, "-m", "redtool")
PATIENCE = 60.0  # seconds that anything may take on a busy machine


def environment(store: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("REDIS", "REDTOOL"))}
    return kept | {"REDTOOL_STORE": str(store)}


def run(store: Path, *words: str) -> str:
    """One command from a shell: what it printed. It must succeed."""
    done = subprocess.run([*REDTOOL, *words], env=environment(store), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.002)


class Process:
    """A redtool at work on a store. ``ask`` sends a line of a script and reads one line of its output."""

    def __init__(self, store: Path, *words: str) -> None:
        self.process = subprocess.Popen([*REDTOOL, *words], env=environment(store), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.line()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> tuple[int, str, str]:
        """Close its input: exit code, rest of the output, errors."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
