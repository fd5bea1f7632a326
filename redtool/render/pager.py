"""Show a text in the pager, when it is taller than the screen."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

_SGR = re.compile(r"\x1b\[[0-9;]*m")
_SHELL = frozenset("|&;<>()$`*?\n")
NOT_RUN = (126, 127)  # a shell's codes for a command it could not run


def page(
    text: str, height: int, environ: Mapping[str, str], config: Mapping[str, object] | None = None, width: int = 80
) -> bool:
    """Show ``text`` in the pager and give True; give False when the caller must print it.

    height: lines of the terminal, 0 when the output is none.
    config: ``pager`` names another pager, or is False for none. After it come $PAGER and less; LESS is set
    to ``-SRXF`` when it is unset, so that colours stay and a text that fits ends the pager at once.
    """
    if height <= 0 or screen_lines(text, width, height) < height:
        return False
    command = _command(environ, config or {})
    return bool(command) and _run(command, text, environ)


def screen_lines(text: str, width: int, enough: int) -> int:
    """Count the lines a text takes on the screen, wrapped ones too, until there are ``enough``."""
    count = text.count("\n")
    if count >= enough:
        return count
    width = max(width, 1)
    return sum(max(1, -(-len(_SGR.sub("", line)) // width)) for line in text.split("\n")[: count or 1])


def _command(environ: Mapping[str, str], config: Mapping[str, object]) -> str:
    """Give the pager's command line, empty for none; ``cat`` is none too."""
    chosen = config.get("pager")
    if chosen is False:
        return ""
    command = str(chosen) if chosen not in (None, True, "") else environ.get("PAGER", "less")
    return "" if command.strip() == "cat" else command.strip()


def _run(command: str, text: str, environ: Mapping[str, str]) -> bool:
    """Give the text to the pager and wait for its end. False when it could not be run."""
    import shlex

    try:
        words = ["sh", "-c", command] if _SHELL & set(command) else shlex.split(command)
        process = subprocess.Popen(words, stdin=subprocess.PIPE, env={"LESS": "-SRXF", "LV": "-c", **environ})
    except (OSError, ValueError):  # no such program; a quote left open
        return False
    assert process.stdin is not None
    try:
        process.stdin.write(text.encode("utf-8", "surrogateescape"))
        process.stdin.close()
    except (BrokenPipeError, KeyboardInterrupt):
        _close(process)
    while True:
        try:
            return process.wait() not in NOT_RUN
        except KeyboardInterrupt:  # Ctrl-C belongs to the pager
            continue


def _close(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe to a pager that has ended or no longer reads."""
    from contextlib import suppress

    with suppress(BrokenPipeError):
        if process.stdin:
            process.stdin.close()
