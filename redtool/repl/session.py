"""The session: prompt, run, again; and what is done while nobody types."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from redtool import exits
from redtool.repl.editor import Earlier, Hint, Judge, RoleLexer, WordCompleter, key_bindings, prompt_of
from redtool.repl.history import LineHistory, history_path
from redtool.repl.interrupts import Interrupts
from redtool.repl.looks import STYLES
from redtool.repl.shell import Leave, Shell
from redtool.repl.toolbar import toolbar

if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.options import Options

IDLE = 0.2  # seconds between rounds of housekeeping
BUSY = 0.02  # and while there is work to be done ahead


def run(backend: Backend, options: Options, greeting: str = "") -> int:
    """Run a shell until it is left; gives the exit code."""
    with Interrupts() as interrupts:
        shell = Shell(backend, options, interrupts)
        try:
            shell.say([("facts", (greeting or welcome(backend)) + "\n")])
            converse(shell)
        finally:
            shell.close()
    return exits.OK


def welcome(backend: Backend) -> str:
    """The first line: what is open, where it is, how to get help and out."""
    from redtool.backends.embedded import Embedded

    where = backend.name
    persistence = getattr(backend, "persistence", None)
    if path := getattr(backend, "directory", "") or (persistence.directory if persistence is not None else ""):
        home = os.path.expanduser("~")
        shown = "~" + path[len(home) :] if home != "/" and path.startswith(home + "/") else path
        where = f"store {shown}" if where == path else f"store {where}: {shown}"
        if persistence is None:
            where += " · shared"
    elif isinstance(backend, Embedded):
        where = "a store in memory: nothing is kept" if where == "memory" else f"{where}, read-only"
    return f"{where} · HELP for help, Ctrl-D to leave"


def converse(shell: Shell) -> None:
    """Ask for lines and run them until the person leaves."""
    pool = ThreadPoolExecutor(1, "redtool-completion")
    session = editor(shell, pool)
    try:
        while True:
            shell.interrupts.take()
            shell.interrupts.deaf = True
            try:
                text = session.prompt(pre_run=lambda: _work_ahead(shell, pool), handle_sigint=False)
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            shell.interrupts.deaf = False
            try:
                shell.run(text)
            except Leave:
                return
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def editor(shell: Shell, pool: ThreadPoolExecutor) -> PromptSession[str]:
    """Make the line editor."""
    judged = Judge(shell)

    def bar() -> StyleAndTextTuples:
        verdict = judged.at_cursor(session.default_buffer.document)
        return styled(toolbar(verdict, shell.facts, session.output.get_size().columns))

    session: PromptSession[str] = PromptSession(
        lambda: styled(prompt_of(shell)),
        multiline=True,
        prompt_continuation=lambda columns, number, wrapped: [("class:continuation", "... ".rjust(columns)[-columns:])],
        lexer=RoleLexer(judged),
        completer=WordCompleter(shell, pool),
        complete_while_typing=True,
        auto_suggest=Earlier(),
        input_processors=[Hint(judged, shell)],
        bottom_toolbar=bar,
        history=LineHistory(history_path(os.environ)),
        key_bindings=key_bindings(shell),
        style=Style(list(STYLES.items())),
        include_default_pygments_style=False,
        color_depth=ColorDepth.DEPTH_4_BIT if shell.color else ColorDepth.DEPTH_1_BIT,
        enable_suspend=True,
        enable_open_in_editor=True,
        tempfile_suffix=".redis",
    )
    return session


def styled(pieces: list[tuple[str, str]]) -> StyleAndTextTuples:
    return [(f"class:{role}" if role else "", text) for role, text in pieces]


def _work_ahead(shell: Shell, pool: ThreadPoolExecutor) -> None:
    get_app().create_background_task(housekeeping(shell, pool, get_app().invalidate))


async def housekeeping(shell: Shell, pool: ThreadPoolExecutor, redraw: Callable[[], None]) -> None:
    """Expiry, the journal, the index of keys; the commands and the size of a server, asked by the other thread."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)  # the prompt comes first
    if not shell.known:
        shell.prepare()
        redraw()
    if shell.source is not None and shell.source.slow:
        await loop.run_in_executor(pool, shell.count_keys)
        await loop.run_in_executor(pool, shell.learn)
        redraw()
    seen = shell.facts.keys
    while True:
        more = shell.source.step() if shell.source is not None else False
        await asyncio.sleep(BUSY if more else IDLE)
        shell.tick()
        if seen != shell.facts.keys:
            seen = shell.facts.keys
            redraw()
