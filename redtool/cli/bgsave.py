"""``redtool bgsave``: save dump.rdb in the background, and wait for it when asked."""

from __future__ import annotations

from typing import Annotated

import typer

from redtool import errors, oneshot
from redtool.backends import open_backend
from redtool.cli.background import start_and_wait
from redtool.options import Options

NAME = "bgsave"
EXAMPLES = """
redtool bgsave
redtool bgsave --wait && cp "$(redtool config get dir | tail -1)/dump.rdb" backup/
redtool bgsave schedule            as the Redis command
"""


def verb(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[schedule]", help="save as soon as a running rewrite has ended")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait until it is saved; exit 1 when that failed")] = False,
) -> int:
    """Save the dataset to dump.rdb in the background.

    The dump is a snapshot: what is written after it began is not in it. redtool, redis-server and valkey-server all
    open it.
    """
    options: Options = ctx.obj
    words = words or []
    if not wait:
        return oneshot.run(options.with_words([NAME, *words]))
    if [word.lower() for word in words] not in ([], ["schedule"]):
        raise errors.UsageError(f"redtool bgsave takes no '{words[0]}'; see redtool bgsave --help")
    backend = open_backend(options)
    try:
        command = (b"BGSAVE", *(word.upper().encode() for word in words))
        return start_and_wait(backend, command, "saving", "rdb_bgsave_in_progress", "rdb_last_bgsave_status", options)
    finally:
        backend.close()
