"""Transcripts in documents: find the blocks, run them on a terminal of their own, compare.

In a block marked ``console`` a line ``$ …`` is a shell command, in ``repl`` a line ``> …`` is typed at the prompt; the
lines after it are what it shows. ``…`` stands for any text, alone on a line for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

COLUMNS = 80
MARK = "\x01"
# What the prompt's shell does with a line, without a line editor.
PROMPT = """
import sys
from redtool.backends import open_backend
from redtool.options import Options
from redtool.repl.shell import Shell
options = Options()
options.flags["no_pager"] = "yes"
shell = Shell(open_backend(options), options)
for line in sys.argv[1:]:
    shell.run(line)
    print("\\x01", flush=True)
shell.backend.close()
"""

Step = tuple[str, list[str]]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def steps(block: str, sign: str) -> list[Step]:
    """(line typed, lines shown) of a block."""
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith(f"{sign} "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def same(shown: list[str], expected: list[str]) -> bool:
    """Whether the lines shown are those expected."""
    if not expected:
        return not shown
    first, rest = expected[0], expected[1:]
    if first == "…":
        return any(same(shown[at:], rest) for at in range(len(shown) + 1))
    alike = shown and re.fullmatch(re.escape(first).replace("…", ".+"), shown[0])
    return bool(alike) and same(shown[1:], rest)


class Machine:
    """A home directory with redtool on the path, as a person has it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = home / "bin" / "redtool"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m redtool "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.env = {"HOME": str(home), "PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "xterm",
                    "PYTHONPATH": str(Path(__file__).parent.parent), "PAGER": "cat", "NO_COLOR": "1",
                    "LC_ALL": "C.UTF-8", "COLUMNS": str(COLUMNS)}  # fmt: skip

    def console(self, typed: list[str]) -> list[list[str]]:
        """Run shell commands in one shell; gives the lines that each shows."""
        # printf leaves the exit code of the command to be asked for
        script = "".join(f"{line}\n(code=$?; printf '{MARK}\\n'; exit $code)\n" for line in typed)
        return self._run(["sh", "-c", script], len(typed))

    def repl(self, typed: list[str]) -> list[list[str]]:
        return self._run([sys.executable, "-c", PROMPT, *typed], len(typed))

    def _run(self, words: list[str], count: int) -> list[list[str]]:
        import fcntl
        import struct
        import termios

        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=self.env,
                              cwd=self.home) as process:  # fmt: skip
            os.close(theirs)
            data = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # EIO: everyone has closed it
                    break
                if not part:
                    break
                data += part
            process.wait(60)
        os.close(ours)
        parts = data.decode().replace("\r\n", "\n").split(f"{MARK}\n")
        assert len(parts) == count + 1, parts
        return [[line.rstrip() for line in part.splitlines()] for part in parts[:-1]]
