"""``redtool run``: a script from a file."""

from __future__ import annotations

from typing import Annotated

import typer

from redtool import script
from redtool.options import Options

NAME = "run"
EXAMPLES = """
redtool run commands.txt
redtool run commands.txt --errexit --json > replies.jsonl
redtool -u redis://prod:6379 run fix.redis
producer | redtool run -           the same as: producer | redtool
"""


def verb(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="commands, one a line; - is stdin")],
) -> int:
    """Run the commands of a file, one a line.

    Quoting is redis-cli's. A line that begins with # is a comment, a backslash at its end or an open quote continues
    it on the next. Replies go to stdout, errors to stderr with file and line; the rest runs unless --errexit.
    """
    options: Options = ctx.obj
    return script.run(options, file)
