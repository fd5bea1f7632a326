"""``redtool repl``: the interactive terminal by name."""

from __future__ import annotations

import typer

from redtool.options import Options

NAME = "repl"
EXAMPLES = """
redtool repl
redtool repl --store ./mystore
redtool -u redis://prod:6379 repl
"""


def verb(ctx: typer.Context) -> int:
    """Open the interactive terminal, as redtool alone does.

    Tab completes commands, options, keys and fields; Ctrl-C clears the line; Ctrl-D ends; HELP explains.
    """
    options: Options = ctx.obj
    return options.shell(options, None, "")
