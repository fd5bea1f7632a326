"""The interactive shell; the line editor and the rest are imported when it starts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.options import Options


def run_repl(options: Options) -> int:
    """Open the target that the options name and run the shell on it; gives the exit code."""
    from redtool.backends import open_backend

    return run_repl_on(open_backend(options, share=True), options)


def run_repl_on(backend: Backend, options: Options, greeting: str = "") -> int:
    """Run the shell on an open backend, which is closed at the end. ``greeting`` replaces the line it starts with."""
    from redtool.repl.session import run

    return run(backend, options, greeting)
