"""The program under test: as a subprocess, in this process, and on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import pytest

COMMAND = [sys.executable, "-m", "redtool"]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
FOREIGN = ("REDIS_URL", "REDISCLI_AUTH", "REDTOOL_CONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PAGER")


@dataclass
class Done:
    """How a run ended. ``err`` is text; ``lines`` are the lines of ``out``."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[bytes]:
        return self.out.splitlines()


class Program:
    """redtool with a store and a home of its own."""

    def __init__(self, home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.store = home, home / "store"
        self.capfd = capfd
        settings = {"HOME": str(home), "REDTOOL_STORE": str(self.store), "XDG_DATA_HOME": str(home / "data"),
                    "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state"),
                    "TERM": "xterm"}  # fmt: skip
        for name in FOREIGN:
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

    def run(self, *words: str | bytes, input: bytes = b"", env: dict[str, str] | None = None, **more: Any) -> Done:
        """Run it as a program of its own."""
        done = subprocess.run([*COMMAND, *words], input=input, capture_output=True, timeout=60, check=False,
                              env={**os.environ, **(env or {})}, **more)  # fmt: skip
        return self.checked(Done(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")))

    def start(self, *words: str, **more: Any) -> subprocess.Popen[bytes]:
        """Start it with pipes at its three streams."""
        pipe = subprocess.PIPE
        streams = {"stdin": pipe, "stdout": pipe, "stderr": pipe, **more}
        return subprocess.Popen([*COMMAND, *words], **streams)

    def call(self, *words: str) -> Done:
        """Run it in this process, which is faster; stdout is no terminal."""
        from redtool.__main__ import guarded

        self.capfd.readouterr()
        code = guarded(list(words))
        out, err = self.capfd.readouterr()
        return self.checked(Done(code, out.encode("utf-8", "surrogateescape"), err))

    def terminal(self, *words: str, columns: int = 80, lines: int = 50, env: dict[str, str] | None = None) -> Done:
        """Run it on a terminal until it ends; ``out`` is what was written there, without control sequences."""
        child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *words], dimensions=(lines, columns), timeout=30,
                              env={**os.environ, "PAGER": "cat", **(env or {})})  # fmt: skip
        child.expect(pexpect.EOF)
        child.close()
        text = CONTROL.sub("", (child.before or b"").decode().replace("\r\n", "\n"))
        return self.checked(Done(child.exitstatus or 0, text.encode(), ""))

    @staticmethod
    def checked(done: Done) -> Done:
        assert "Traceback" not in done.err, done.err
        assert b"Traceback" not in done.out, done.out
        return done
