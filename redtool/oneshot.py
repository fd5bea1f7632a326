"""One command from the shell: open the target, run it, print the reply, give an exit code."""

from __future__ import annotations

import os

from redtool import errors, exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends import Backend
    from redtool.options import Options
    from redtool.resp import Reply

# Commands after which messages come until Ctrl-C
STREAMING = frozenset((b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"MONITOR"))

REDIRECTS = ("MOVED", "ASK")
REDIRECTED = "the server is one of a cluster: redtool -c finds the node of each key"


def run(options: Options) -> int:
    """Run ``options.words`` as a Redis command; gives the exit code."""
    argv = tuple([os.fsencode(word) for word in options.words])
    flags = options.flags
    if "stdin" in flags:
        argv = (*argv, read_all(0))
    plan = repeats(options) if "repeat" in flags or "interval" in flags else None
    from redtool.backends import open_backend

    backend = open_backend(options, share=plan is not None)
    try:
        code = once(backend, argv, options) if plan is None else repeat(backend, argv, options, *plan)
    except BaseException:
        close_after_failure(backend)
        raise
    backend.close()
    return code


def close_after_failure(backend: Backend) -> None:
    """Close a backend without hiding what went wrong before: a full disk fails the closing too."""
    try:
        backend.close()
    except errors.RedtoolError:
        return


def read_all(fd: int) -> bytes:
    """Everything up to the end of a stream, held once."""
    pieces = []
    while piece := os.read(fd, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def once(backend: Backend, argv: tuple[bytes, ...], options: Options) -> int:
    """Run a command and print its reply."""
    reply: Reply
    code = exits.OK
    try:
        reply = backend.execute(*argv)
    except errors.ReplyError as error:
        reply, code = error.with_traceback(None), exits.ERROR_REPLY
    show(argv, reply, options)
    if isinstance(reply, errors.ReplyError) and reply.code == "NOPERM" and not options.get("user", ""):
        way_in(backend)
    if code == exits.OK:
        if argv[0].upper() in STREAMING:
            stream(backend, options)
        if "test" in options.flags and is_empty(reply):
            return exits.ERROR_REPLY
    return code


def way_in(backend: Backend) -> None:
    """Tell whoever a store's own users shut out how to get in: the owner of the files may always change them."""
    store = getattr(backend, "store", None)
    if store is not None and store.config_path:
        place = store.config["aclfile"] or store.config_path
        complain(f"the users of this store stand in {place}; --user NAME is another of them")


def stream(backend: Backend, options: Options) -> None:
    """Print the messages of a subscription or MONITOR until there are no more."""
    for message in backend.messages():
        show((), message[1] if message[:1] == [b"monitor"] else message, options)


def repeats(options: Options) -> tuple[int, float]:
    """What -r and -i say: how many times (-1 for ever) and how many seconds between."""
    try:
        times, pause = int(options.get("repeat", "-1")), float(options.get("interval", "0"))
    except ValueError:
        raise errors.UsageError("-r takes a number of times, -i a number of seconds") from None
    if times < -1 or not 0 <= pause < 1e9:
        raise errors.UsageError("-r takes a number of times or -1, -i a number of seconds")
    return times, pause


def repeat(backend: Backend, argv: tuple[bytes, ...], options: Options, times: int, pause: float) -> int:
    """Run a command many times; gives the worst exit code."""
    import gc
    from time import sleep

    gc.enable()
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


def format_of(options: Options) -> str:
    """The format of replies: raw, human, json or csv; for people on a terminal unless one is chosen."""
    flags = options.flags
    for name in ("raw", "human", "json", "csv"):
        if name in flags:
            return name
    return "human" if os.isatty(1) else "raw"


def show(argv: tuple[bytes, ...], reply: Reply, options: Options) -> None:
    """Print a reply in the chosen format: stdout for replies, stderr for errors."""
    from redtool.resp import Replies

    name = format_of(options)
    if type(reply) is Replies:  # SUBSCRIBE: each confirmation by itself
        for each in reply:
            show(argv, each, options)
        return
    if name == "json" or name == "csv":
        from redtool.render import choose

        write(choose(name)(argv, reply))
    elif isinstance(reply, errors.ReplyError):
        complain(reply.message)
        if name == "human" or reply.code in REDIRECTS:
            suggest(argv, reply)
    elif name == "raw":
        from redtool.render.plain import raw

        write(raw(reply))
    else:
        from redtool.render.terminal import show_reply

        show_reply(argv, reply, options)


def suggest(argv: tuple[bytes, ...], error: errors.ReplyError) -> None:
    """Tell a person which command may have been meant by one that does not exist."""
    if error.message.startswith("ERR unknown command") and argv:
        from difflib import get_close_matches

        from redtool.commands.index import MODULES

        known = [name.decode() for name in MODULES]
        typed = argv[0].decode("utf-8", "replace").upper()
        near = get_close_matches(typed, known, 1, 0.75)
        near = near or [name for name in known if sorted(name) == sorted(typed)]  # GTE
        if near:
            complain(f"did you mean {near[0]}?")
    elif error.code in REDIRECTS:
        complain(REDIRECTED)


def write(data: bytes) -> None:
    """Write all of ``data`` to stdout. A closed pipe raises BrokenPipeError."""
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def complain(message: str) -> None:
    """Write one line to stderr."""
    os.write(2, message.encode("utf-8", "surrogateescape") + b"\n")
