"""``redtool bgsave``: save dump.rdb in the background, and wait for it when asked."""

from __future__ import annotations

from typing import Annotated

import typer

from redtool import errors, exits, oneshot
from redtool.backends import open_backend
from redtool.cli.background import start_and_wait
from redtool.cli.rdbformat import RdbFormat, written_as
from redtool.options import Options

NAME = "bgsave"
EXAMPLES = """
redtool bgsave
redtool bgsave --wait && cp "$(redtool config get dir | tail -1)/dump.rdb" backup/
redtool bgsave --wait --rdb-format 0009     for a server of Redis 6.2
redtool bgsave schedule            as the Redis command
"""


def verb(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[schedule]", help="save as soon as a running rewrite has ended")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait until it is saved; exit 1 when that failed")] = False,
    rdb_format: RdbFormat = "",
) -> int:
    """Save the dataset to dump.rdb in the background.

    The dump is a snapshot: what is written after it began is not in it. redtool, redis-server and valkey-server all
    open it. With --rdb-format it is written for others; what that format has no place for is an error, and the old
    dump stays.
    """
    options: Options = ctx.obj
    words = words or []
    if not wait and not rdb_format:
        return oneshot.run(options.with_words([NAME, *words]))
    if [word.lower() for word in words] not in ([], ["schedule"]):
        raise errors.UsageError(f"redtool bgsave takes no '{words[0]}'; see redtool bgsave --help")
    if words and rdb_format:
        raise errors.UsageError("--rdb-format is for a dump that is begun now, not for a scheduled one")
    command = (b"BGSAVE", *(word.upper().encode() for word in words))
    running, status = ("rdb_bgsave_in_progress", "rdb_last_bgsave_status") if wait else ("", "")
    backend = open_backend(options)
    try:
        with written_as(backend, rdb_format):
            return start_and_wait(backend, command, "saving", running, status, options)
    except errors.Unfit as error:
        oneshot.complain(f"redtool: {error}; nothing is saved")
        return exits.ERROR_REPLY
    finally:
        backend.close()
