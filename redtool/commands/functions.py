"""FUNCTION and FCALL: libraries of Lua functions that the store keeps."""

from __future__ import annotations

from redtool import errors
from redtool.commands.scripting import READS, RUNS, TAIL, is_flush_mode, kill
from redtool.commands.table import declare_help, group
from redtool.globs import matcher
from redtool.resp import OK, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.lua.libraries import Libraries, Library
    from redtool.resp import Reply
    from redtool.session import Session

command = group("scripting")

DEPENDS = "Depends on the function"
POLICIES = (b"APPEND", b"REPLACE", b"FLUSH")


def libraries(c: Session) -> Libraries:
    """The libraries of the client's store, compiled."""
    from redtool.lua.libraries import libraries

    return libraries(c)


@command(f"FCALL function {TAIL}", RUNS, since="7.0.0", complexity=DEPENDS)
def fcall(c: Session, *args: bytes) -> Reply:
    """Run a function of a loaded library.

    > FUNCTION LOAD "#!lua name=x\\nredis.register_function('f',function() end)"
    "x"
    > FCALL f 0
    (nil)
    """
    return libraries(c).call(c, args, (b"FCALL", *args), False)


@command(f"FCALL_RO function {TAIL}", READS, since="7.0.0", complexity=DEPENDS)
def fcall_ro(c: Session, *args: bytes) -> Reply:
    """Run a function that was registered with the flag no-writes.

    > FUNCTION LOAD "#!lua name=x\\nredis.register_function('f',function() end)"
    "x"
    > FCALL_RO f 0
    (error) ERR Can not execute a script with write flag using *_ro command.
    """
    return libraries(c).call(c, args, (b"FCALL_RO", *args), True)


@command("FUNCTION LOAD [REPLACE] function-code", "write denyoom noscript", since="7.0.0",
         complexity="O(N) bytes of code")  # fmt: skip
def function_load(c: Session, *args: bytes) -> Reply:
    """Load a library of functions, which the store keeps.

    Its code runs once and registers the functions.

    > FUNCTION LOAD "#!lua name=x\\nredis.register_function('f',function() end)"
    "x"
    > FCALL f 1 visits
    (nil)
    """
    replace = False
    for word in args[:-1]:
        if word.upper() != b"REPLACE":
            shown = word.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            raise errors.ReplyError(f"Unknown option given: {shown}")
        replace = True
    name = libraries(c).load(c, args[-1], replace)
    c.store.changes += 1
    return name


@command("FUNCTION DELETE library-name", "write noscript", since="7.0.0")
def function_delete(c: Session, name: bytes) -> Reply:
    """Delete a library and its functions.

    > FUNCTION LOAD "#!lua name=x\\nredis.register_function('f',function() end)"
    "x"
    > FUNCTION DELETE x
    OK
    """
    libraries(c).delete(name)
    c.store.changes += 1
    return OK


@command("FUNCTION FLUSH [ASYNC | SYNC]", "write noscript", since="7.0.0",
         complexity="O(N) functions")  # fmt: skip
def function_flush(c: Session, *args: bytes) -> Reply:
    """Delete all libraries.

    > FUNCTION FLUSH
    OK
    """
    if not is_flush_mode(args):
        raise errors.ReplyError("FUNCTION FLUSH only supports SYNC|ASYNC option")
    scripts = c.store.scripts
    if scripts is not None and scripts.libraries is not None:
        scripts.libraries.flush()
    c.store.functions.clear()
    c.store.changes += 1
    return OK


@command("FUNCTION DUMP", "noscript", since="7.0.0", complexity="O(N) functions")
def function_dump(c: Session) -> Reply:
    """Give all libraries as one string, which FUNCTION RESTORE takes.

    > FUNCTION DUMP
    …
    """
    return c.store.pack_functions()


@command("FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]", "write denyoom noscript", since="7.0.0",
         complexity="O(N) functions")  # fmt: skip
def function_restore(c: Session, payload: bytes, *args: bytes) -> Reply:
    """Load the libraries of a FUNCTION DUMP: all or none.

    A name that is there is an error, unless REPLACE or FLUSH.

    > FUNCTION RESTORE dump
    (error) ERR DUMP payload version or checksum are wrong
    """
    if len(args) > 1:
        raise errors.UnknownSubcommand("restore", "FUNCTION")
    policy = args[0].upper() if args else b"APPEND"
    if policy not in POLICIES:
        raise errors.ReplyError("Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
    libraries(c).restore(c, payload, policy)
    c.store.changes += 1
    return OK


@command("FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]", "noscript", since="7.0.0",
         complexity="O(N) functions")  # fmt: skip
def function_list(c: Session, *args: bytes) -> Reply:
    """Describe the libraries and their functions.

    > FUNCTION LIST
    (empty array)
    """
    pattern, code = None, False
    words = iter(args)
    for word in words:
        if word.upper() == b"WITHCODE" and not code:
            code = True
        elif word.upper() == b"LIBRARYNAME" and pattern is None:
            pattern = next(words, None)
            if pattern is None:
                raise errors.ReplyError("library name argument was not given")
        else:
            shown = word.partition(b"\0")[0].decode("utf-8", "surrogateescape")
            raise errors.ReplyError(f"Unknown argument {shown}")
    if not c.store.functions:
        return []
    wanted = None if pattern is None else matcher(pattern)
    found = libraries(c).libraries.values()
    return [described(library, code) for library in found if wanted is None or wanted(library.name)]


def described(library: Library, code: bool) -> Reply:
    """A library as FUNCTION LIST shows it."""
    functions = [
        {b"name": function.name, b"description": function.description, b"flags": set(map(Status, function.flags))}
        for function in library.functions.values()
    ]
    shown: dict[bytes, Reply] = {b"library_name": library.name, b"engine": b"LUA", b"functions": functions}
    if code:
        shown[b"library_code"] = library.code
    return shown


@command("FUNCTION STATS", "noscript allow_busy", since="7.0.0")
def function_stats(c: Session) -> Reply:
    """Tell which function runs, and how many there are.

    > FUNCTION STATS
    1) "running_script"
    2) (nil)
    3) "engines"
    4) 1) "LUA"
       2) 1) "libraries_count"
          2) (integer) 0
          3) "functions_count"
          4) (integer) 0
    """
    scripts = c.store.scripts
    run = None if scripts is None else scripts.running
    if run is not None and not run.function:
        raise errors.Busy
    running: Reply = None
    if run is not None:
        running = {b"name": run.name, b"command": list(run.argv), b"duration_ms": run.took_ms}
    count = 0
    if c.store.functions:
        count = len(scripts.libraries.functions) if run and scripts and scripts.libraries else (
            len(libraries(c).functions))  # fmt: skip
    totals = {b"libraries_count": len(c.store.functions), b"functions_count": count}
    return {b"running_script": running, b"engines": {b"LUA": totals}}


@command("FUNCTION KILL", "noscript allow_busy", since="7.0.0")
def function_kill(c: Session) -> Reply:
    """End the function that runs, unless it has written.

    > FUNCTION KILL
    (error) NOTBUSY No scripts in execution right now.
    """
    return kill(c, function=True)


declare_help(command, "FUNCTION", since="7.0.0")
