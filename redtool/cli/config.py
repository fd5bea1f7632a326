"""``redtool config get`` and ``config set``: the Redis commands, with help and examples."""

from __future__ import annotations

from typing import Annotated

import typer

from redtool import errors, oneshot
from redtool.options import Options

NAME = "config"
HELP = """Read and change the configuration, in redis.conf's names.

An embedded store keeps what is set, in its redtool.conf; a server keeps it until it restarts, unless redtool config
rewrite follows. Any other word after config makes it the Redis command."""
EXAMPLES = """
redtool config get 'save*'
redtool config set maxmemory 2gb maxmemory-policy allkeys-lru
redtool -u redis://prod:6379 config get '*' --json
"""
GET_EXAMPLES = """
redtool config get '*'
redtool config get 'maxmemory*' appendonly
"""
SET_EXAMPLES = """
redtool config set appendfsync always
redtool config set maxmemory 2gb maxmemory-policy allkeys-lru
"""

app = typer.Typer(rich_markup_mode=None)


@app.command("get", epilog=GET_EXAMPLES)
def get(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="PARAMETER…", help="names, or patterns in quotes: 'save*'")
    ] = None,
) -> int:
    """Show parameters and their values."""
    options: Options = ctx.obj
    if not names:
        raise errors.UsageError("which parameter? All of them: redtool config get '*'")
    return oneshot.run(options.with_words([NAME, "get", *names]))


@app.command("set", epilog=SET_EXAMPLES, context_settings={"ignore_unknown_options": True})
def change(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="PARAMETER VALUE…", help="names and values in turn")
    ] = None,
) -> int:
    """Change parameters, all of them or none."""
    options: Options = ctx.obj
    if not words or len(words) % 2:
        raise errors.UsageError("names and values in turn, for example: redtool config set maxmemory 2gb")
    return oneshot.run(options.with_words([NAME, "set", *words]))
