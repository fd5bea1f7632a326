"""One command from the shell: open the target, run it, print the reply, give an exit code."""

from __future__ import annotations

import os
import sys

from redtool import errors, exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.options import Options
    from redtool.resp import Reply


def run(options: Options) -> int:
    """Run ``options.words`` as a Redis command; gives the exit code."""
    argv = tuple([os.fsencode(word) for word in options.words])
    if "stdin" in options.flags:
        argv = (*argv, sys.stdin.buffer.read())
    from redtool.backends import open_backend

    backend = open_backend(options)
    try:
        if "repeat" in options.flags or "interval" in options.flags:
            return repeat(backend, argv, options)
        return once(backend, argv, options)
    finally:
        backend.close()


def once(backend: Backend, argv: tuple[bytes, ...], options: Options) -> int:
    """Run a command and print its reply."""
    reply: Reply
    code = exits.OK
    try:
        reply = backend.execute(*argv)
    except errors.ReplyError as error:
        reply, code = error, exits.ERROR_REPLY
    show(argv, reply, options)
    if code == exits.OK and "test" in options.flags and is_empty(reply):
        return exits.ERROR_REPLY
    return code


def repeat(backend: Backend, argv: tuple[bytes, ...], options: Options) -> int:
    """Run a command ``-r`` times, ``-i`` seconds apart."""
    from time import sleep

    try:
        times, pause = int(options.get("repeat", "1")), float(options.get("interval", "0"))
    except ValueError:
        raise errors.UsageError("-r takes a number of times, -i a number of seconds") from None
    if "repeat" not in options.flags:
        times = -1
    code, done = exits.OK, 0
    while times < 0 or done < times:
        if done and pause:
            sleep(pause)
        code = max(code, once(backend, argv, options))
        done += 1
    return code


def is_empty(reply: Reply) -> bool:
    """What --test counts as no: nil, 0, false, an empty string or collection."""
    return not reply or reply == b"0"


def show(argv: tuple[bytes, ...], reply: Reply, options: Options) -> None:
    """Print a reply in the chosen format: stdout for replies, stderr for errors."""
    flags = options.flags
    if "json" in flags or "csv" in flags:
        from redtool.render import choose

        write(choose("json" if "json" in flags else "csv")(argv, reply))
    elif isinstance(reply, errors.ReplyError):
        complain(reply.message)
    elif "raw" in flags or ("human" not in flags and not os.isatty(1)):
        from redtool.render.plain import raw

        write(raw(reply))
    else:
        from redtool.render.terminal import show_reply

        show_reply(argv, reply, options)


def write(data: bytes) -> None:
    """Write all of ``data`` to stdout. A closed pipe raises BrokenPipeError."""
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def complain(message: str) -> None:
    """Write one line to stderr."""
    os.write(2, os.fsencode(message) + b"\n")
