"""``redtool demo``: a scratch store with an example of everything, each shown as its table; then the REPL on it."""

from __future__ import annotations

import os
from textwrap import wrap
from time import time

import typer

from redtool import exits
from redtool.backends import ADDRESSING, open_backend
from redtool.cli.output import colored, columns
from redtool.cli.story import Section, sections
from redtool.errors import UsageError
from redtool.oneshot import write
from redtool.options import Options, as_typed
from redtool.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

NAME = "demo"
EXAMPLES = """
redtool demo
redtool demo --mem
redtool demo --store ./playground
"""
PREFIX = "redtool-demo-"
BOLD, DIM, CYAN = "1", "2", "36"
REMOTE = ADDRESSING - {"mem", "db", "resp2", "resp3"}


def verb(ctx: typer.Context) -> int:
    """Fill a scratch store with a small shop's data and show it.

    Users, sessions with a TTL, a leaderboard, a feed, a job queue, daily visitors, friends: each with the commands
    that make and read it. On a terminal the REPL follows, in that store. The store is a new directory in the
    system's place for temporary files; --mem keeps nothing, --store names another that must be empty.
    """
    options: Options = ctx.obj
    if wrong := sorted(REMOTE & options.flags.keys()):
        raise UsageError(f"the demo fills a store of its own, never a server: leave out {as_typed(wrong[0])}")
    path = _place(options)
    backend = open_backend(options)
    try:
        if backend.execute(b"DBSIZE"):
            raise UsageError(f"the store {path} is not empty; the demo wants one that is")
        page = Page(colored(options), columns())
        _introduce(page, path)
        for section in sections(time()):
            _tell(page, section, backend)
        stay = os.isatty(0) and os.isatty(1)
        _end(page, path, backend, stay)
        if not stay:
            return exits.OK
        backend.name = "demo"
        return options.shell(options, backend, "HELP explains, Ctrl-D leaves.")
    finally:
        backend.close()


def _place(options: Options) -> str:
    """Where the demo takes place, also put into the options; empty for memory."""
    flags = options.flags
    if "mem" in flags:
        return ""
    if "store" not in flags:
        from tempfile import mkdtemp

        flags["store"] = mkdtemp(prefix=PREFIX)
    return flags["store"]


class Page:
    """Writes the story on stdout, in colour or not, folded to the screen."""

    def __init__(self, color: bool, width: int) -> None:
        self.color, self.width = color, width

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text

    def line(self, text: str = "") -> None:
        write(text.encode("utf-8", "surrogateescape") + b"\n")

    def prose(self, text: str, code: str = "") -> None:
        for part in wrap(text, min(self.width, 100), break_long_words=False, break_on_hyphens=False):
            self.line(self.paint(part, code) if code else part)

    def command(self, typed: str, answered: bool) -> None:
        """A command as it would be typed; the one whose reply follows stands out."""
        name, _, rest = typed.partition(" ")
        mark = self.paint("> ", DIM)
        self.line(f"{mark}{self.paint(name, f'{BOLD};{CYAN}' if answered else CYAN)} {rest}")

    def reply(self, argv: list[bytes], reply: object) -> None:
        from redtool.render.terminal import to_text

        self.line(to_text(argv, reply, width=self.width, color=self.color, json_pretty=True).rstrip("\n"))


def _introduce(page: Page, path: str) -> None:
    page.line(page.paint("A small shop, in Redis", BOLD))
    page.prose("Seven things that Redis is used for, with the commands that make and read them. "
               "No server runs: the store is " + (f"the directory {path}" if path else "in memory") + ".")  # fmt: skip


def _tell(page: Page, section: Section, backend: Backend) -> None:
    """Write a section's data and show it."""
    page.line()
    page.line(page.paint(section.title, BOLD))
    page.prose(section.about, DIM)
    for typed in section.quiet:
        backend.execute(*split(typed.encode()))
    for typed in section.made:
        backend.execute(*split(typed.encode()))
        page.command(typed, False)
    for typed in section.read:
        argv = split(typed.encode())
        page.command(typed, True)
        page.reply(argv, backend.execute(*argv))


def _end(page: Page, path: str, backend: Backend, stay: bool) -> None:
    """Say what is there now, and how to go on."""
    page.line()
    page.line(page.paint("All of it", BOLD))
    page.command("KEYS *", True)
    keys = backend.execute(b"KEYS", b"*")
    page.reply([b"KEYS", b"*"], sorted(keys) if isinstance(keys, list) else keys)
    page.line()
    if not path:
        page.prose("This store is in memory and ends with the demo.")
    elif stay:
        page.prose(f"The store stays in {path}; remove it with rm -r when done. Below is the REPL on it: try HGETALL "
                   "user:4, Tab after a few letters, or HELP ZADD.")  # fmt: skip
    else:
        page.line("Go on:")
        for typed in ("redtool", "redtool scan --long", "redtool policy list"):
            name, _, verb_words = typed.partition(" ")
            page.line(f"  {page.paint(name, CYAN)} --store {path} {verb_words}".rstrip())
        page.line(f"  {page.paint('rm', CYAN)} -r {path}")
