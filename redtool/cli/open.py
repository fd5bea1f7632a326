"""``redtool open``: the terminal, or one command, on a dump (read-only) or a store's directory that is there."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from redtool import oneshot, script
from redtool.backends import ADDRESSING, open_backend
from redtool.cli.facts import info, number
from redtool.errors import UsageError
from redtool.options import VERBS, Options, as_typed
from redtool.render.cells import plural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend

NAME = "open"
EXAMPLES = """
redtool open dump.rdb
redtool open dump.rdb HGETALL user:1
redtool open dump.rdb scan 'user:*' --long
redtool open /var/lib/redis/dump.rdb --json ZRANGE board 0 9 WITHSCORES
redtool open ./mystore < commands.txt
"""
SETTINGS = {"allow_interspersed_args": False, "ignore_unknown_options": True}
ELSEWHERE = ADDRESSING - {"db", "resp2", "resp3", "user", "password", "askpass", "password_file", "password_command"}
SIGNS = ("appendonlydir", "dump.rdb", "redtool.conf", "appendonly.aof")  # a directory with one of them is a store


def verb(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="an RDB file of any server, or a store's directory")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD…]", help="a Redis command or a verb; none: the terminal")
    ] = None,
) -> int:
    """Open a dump for reading, or a store's directory that is there already.

    Nothing is written to a dump: commands that would are refused. A directory is what --store names, but is not made
    when it is missing. Without words it is the terminal; where stdin is none, its lines are the commands.
    """
    options: Options = ctx.obj
    if wrong := sorted((ELSEWHERE | {"store"}) & options.flags.keys()):
        raise UsageError(f"redtool open says itself what is opened: leave out {as_typed(wrong[0])}")
    _must_be_there(path)
    options.flags["store"] = path
    words = words or []
    forced = words[:1] == ["--"]
    if forced:
        words = words[1:]
    if words and words[0] in VERBS and not forced:
        from redtool.cli.app import run_verb

        options.words = words
        return run_verb(options)
    if words:
        return oneshot.run(options.with_words(words))
    if not (os.isatty(0) and os.isatty(1)):
        return script.run(options)
    backend = open_backend(options)
    try:
        return options.shell(options, backend, _greeting(path, backend))
    finally:
        backend.close()


def _must_be_there(path: str) -> None:
    """A typing error must not make a new store."""
    if not os.path.exists(path):
        raise UsageError(f"there is no {path}")
    if os.path.isdir(path) and not any(os.path.exists(os.path.join(path, name)) for name in SIGNS):
        raise UsageError(f"{path} is not a store's directory; to make it one: redtool --store {path}")


def _greeting(path: str, backend: Backend) -> str:
    """What was opened, and how much is in it."""
    counts = [number(dict(part.partition("=")[::2] for part in text.split(",")), "keys")
              for text in info(backend, b"keyspace").values()]  # fmt: skip
    where = f" in {plural(len(counts), 'database')}" if len(counts) > 1 else ""
    mode = "" if os.path.isdir(path) else ", for reading"
    name = os.path.basename(os.path.abspath(path))
    return f"{name}: {plural(sum(counts), 'key')}{where}{mode}. HELP explains, Ctrl-D leaves."
