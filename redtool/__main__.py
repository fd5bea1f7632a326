"""The entry point: sends a command line to the one-shot path, a script, the REPL or a verb, importing late."""

from __future__ import annotations

import os
import sys

from redtool import exits
from redtool.errors import ConnectError, RedtoolError, UsageError

# Words that are redtool's own in lower case (DESIGN 7); cli/ has a module for each.
VERBS = frozenset({"aof", "bgsave", "config", "demo", "memory", "policy", "repl", "run", "scan"})


def main(argv: list[str]) -> int:
    """Run one command line (without the program's name); gives the exit code."""
    from redtool.options import parse

    options = parse(argv)
    if "version" in options.flags:
        from redtool import __version__

        print(f"redtool {__version__}")
        return exits.OK
    words = options.words
    if "help" in options.flags or (words and not options.forced and words[0] in VERBS):
        from redtool.cli.app import run_verb

        collect_garbage()
        return run_verb(options)
    if words:
        from redtool import oneshot

        return oneshot.run(options)
    if options.forced or "stdin" in options.flags:
        raise UsageError("give a command, for example: redtool PING")
    if sys.stdin.isatty() and sys.stdout.isatty():
        from redtool.repl import run_repl

        collect_garbage()
        return run_repl(options)
    from redtool import script

    collect_garbage()
    return script.run(options)


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


def fail(error: object, code: int) -> int:
    sys.stderr.write(f"redtool: {error}\n")
    return code


def run() -> None:
    """The console script. Ends the process without tearing the interpreter down, which costs more than a GET."""
    import gc

    gc.disable()
    code = guarded(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass
    os._exit(code)


if __name__ == "__main__":
    run()
