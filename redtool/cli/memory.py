"""``redtool memory usage``: how much memory keys take, several at once, with their sum."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from redtool import errors, exits, oneshot
from redtool.backends import open_backend
from redtool.cli.output import Field, line, show_rows, size_text
from redtool.options import Options

NAME = "memory"
HELP = """How much memory keys take.

Any other word after memory makes it the Redis command: redtool memory stats, redtool memory doctor."""
EXAMPLES = """
redtool memory usage user:1 user:2 leaderboard
redtool scan 'feed:*' -0 | xargs -0 redtool memory usage
redtool memory doctor
"""
USAGE_EXAMPLES = """
redtool memory usage user:1
redtool memory usage user:1 user:2 leaderboard
redtool memory usage feed:1 samples 0      as the Redis command
"""

app = typer.Typer(rich_markup_mode=None)
FIELDS = (Field("bytes", "number", size_text), Field("key", "key"))


@app.callback()
def group() -> None:
    """Nothing is common to the subverbs; typer would make a single one the verb itself."""


@app.command("usage", epilog=USAGE_EXAMPLES)
def usage(
    ctx: typer.Context,
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY…", help="one key, or several for a table with their sum")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", min=0, help="elements to measure a key, 0 for all")
    ] = None,
) -> int:
    """Show how many bytes keys and their values take.

    A collection is measured by some of its elements, five unless told otherwise.
    """
    options: Options = ctx.obj
    if not keys:
        raise errors.UsageError("which key? For example: redtool memory usage user:1")
    more = ["SAMPLES", str(samples)] if samples is not None else []
    if len(keys) == 1 or (len(keys) == 3 and keys[1].lower() == "samples"):
        return oneshot.run(options.with_words(["memory", "usage", *keys, *more]))
    return _several([os.fsencode(key) for key in keys], [os.fsencode(word) for word in more], options)


def _several(keys: list[bytes], more: list[bytes], options: Options) -> int:
    """Print a line a key and the sum. A key that does not exist counts nothing."""
    backend = open_backend(options)
    try:
        replies: list[object] = []
        while len(replies) < len(keys):
            replies += backend.pipeline([[b"MEMORY", b"USAGE", key, *more] for key in keys[len(replies) :]])
    finally:
        backend.close()
    failed = next((reply for reply in replies if isinstance(reply, errors.ReplyError)), None)
    if failed is not None:
        raise failed
    rows = [(reply, key) for reply, key in zip(replies, keys, strict=True)]
    total = sum(reply for reply in replies if isinstance(reply, int))
    name = oneshot.format_of(options)
    if name == "human":
        show_rows(FIELDS, rows, options, "key", f"{_sum(total)} in all")
    elif name == "json":
        from redtool.render import choose

        oneshot.write(choose("json")((), {b"keys": {key: size for size, key in rows}, b"total": total}))
    else:
        oneshot.write(b"".join(line(FIELDS, row, name) for row in [*rows, (total, b"total")]))
    return exits.OK


def _sum(total: int) -> str:
    text = size_text(total)
    return f"{total} bytes" if text == str(total) else f"{text} ({total:,} bytes)"
