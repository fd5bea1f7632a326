"""The entry point: sends a command line to the one-shot path, a script, the REPL or a verb, importing late."""

from __future__ import annotations

import os
import sys

from redtool import exits
from redtool.errors import ConnectError, RedtoolError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.options import Options


def main(argv: list[str]) -> int:
    """Run one command line (without the program's name); gives the exit code."""
    from redtool.options import VERBS, parse

    options = parse(argv)
    words, flags = options.words, options.flags
    if "version" in flags:
        from redtool import __version__

        os.write(1, f"redtool {__version__}\n".encode())
        return exits.OK
    if "help" in flags or (words and not options.forced and words[0] in VERBS):
        from redtool.cli.app import run_verb

        collect_garbage()
        options.shell = open_shell
        return run_verb(options)
    if words:
        from redtool import oneshot

        return oneshot.run(options)
    if options.forced or "stdin" in flags:
        raise UsageError("no command given; for example: redtool PING")
    if os.isatty(0) and os.isatty(1):
        collect_garbage()
        return open_shell(options, None, "")
    from redtool import script

    collect_garbage()
    return script.run(options)


def open_shell(options: Options, backend: Backend | None, greeting: str) -> int:
    """Run the interactive shell on a backend, or on the one that the options name."""
    from redtool.repl import run_repl, run_repl_on

    return run_repl(options) if backend is None else run_repl_on(backend, options, greeting)


def collect_garbage() -> None:
    """Collect cycles again, for what runs longer than one command; what is loaded by now stays out of it."""
    import gc

    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def guarded(argv: list[str]) -> int:
    """``main`` with every failure turned into a line on stderr and its exit code."""
    try:
        return main(argv)
    except UsageError as error:
        return fail(error, exits.USAGE)
    except ConnectError as error:
        return fail(error, exits.NO_TARGET)
    except RedtoolError as error:
        return fail(error, exits.ERROR_REPLY)
    except BrokenPipeError:
        return exits.OK
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except MemoryError:
        return fail("not enough memory", exits.ERROR_REPLY)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        return fail(f"{where}{(error.strerror or str(error)).lower()}", exits.ERROR_REPLY)


def fail(error: object, code: int) -> int:
    """Write the reason on stderr, whether or not anyone can read it; gives the code."""
    try:  # noqa: SIM105 - contextlib is slow to import
        os.write(2, f"redtool: {error}\n".encode("utf-8", "surrogateescape"))
    except OSError:
        pass
    return code


def open_closed_streams() -> None:
    """Put /dev/null where the caller closed stdin, stdout or stderr: a file opened later must not take the number.

    Else replies would be written into the journal.
    """
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)


def run() -> None:
    """The console script. Ends the process without tearing the interpreter down, which costs more than a GET."""
    import gc

    gc.disable()
    exits.own_process = True
    open_closed_streams()
    code = guarded(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(code)


if __name__ == "__main__":
    run()
