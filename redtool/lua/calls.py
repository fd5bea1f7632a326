"""The functions of the tables ``redis`` and ``server``."""

from __future__ import annotations

from redtool.lua.faults import CallError, number_text, to_number, whole
from redtool.lua.run import NO_WORDS, Run, use_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from redtool.lua.machine import Machine, Value

BAD_TEXT = b"ERR wrong number or type of arguments"
LEVELS = {b"LOG_DEBUG": 0, b"LOG_VERBOSE": 1, b"LOG_NOTICE": 2, b"LOG_WARNING": 3}
REPLICATION = {b"REPL_NONE": 0, b"REPL_AOF": 1, b"REPL_SLAVE": 2, b"REPL_REPLICA": 2, b"REPL_ALL": 3}


def functions(machine: Machine) -> dict[bytes, dict[bytes, object]]:
    """What is in ``redis``, in what EVAL sees of it beside, and in what a library sees while it is loaded."""
    from redtool.commands.connection import SERVER_VERSION
    from redtool.lua.libraries import register_function

    version = {b"REDIS_VERSION": SERVER_VERSION.encode(), b"REDIS_VERSION_NUM": version_number(SERVER_VERSION)}
    logging = {b"log": lambda *args: log(machine, args), **LEVELS, **version}
    both: dict[bytes, object] = {
        b"call": lambda *args: current(machine).call(args),
        b"pcall": lambda *args: protected(machine, args),
        b"error_reply": lambda *args: error_reply(machine, args),
        b"status_reply": lambda *args: status_reply(machine, args),
        b"sha1hex": sha1hex,
        b"setresp": lambda *args: setresp(machine, args),
        b"set_repl": set_repl,
        b"acl_check_cmd": lambda *args: acl_check_cmd(machine, args),
        **REPLICATION,
        **logging,
    }
    only_eval: dict[bytes, object] = {
        b"breakpoint": lambda *args: False, b"debug": lambda *args: None, b"replicate_commands": lambda *args: True,
    }  # fmt: skip
    register: Callable[..., None] = lambda *args: register_function(machine, args)  # noqa: E731
    return {b"redis": both, b"only_eval": only_eval, b"load": {b"register_function": register, **logging}}


def version_number(version: str) -> int:
    """A version as one number: a byte for each part."""
    major, minor, patch = map(int, version.split("."))
    return major << 16 | minor << 8 | patch


def current(machine: Machine) -> Run:
    """The script that runs."""
    run = machine.current
    if run is None:
        raise CallError(b"ERR no script runs")
    return run


def protected(machine: Machine, args: tuple[Value, ...]) -> Any:
    """redis.pcall: an error is what it gives."""
    try:
        return current(machine).call(args)
    except CallError as error:
        reply = {b"err": error.message}
        return machine.table({**reply, b"ignore_error_stats_update": True} if error.counted else reply)


def error_reply(machine: Machine, args: tuple[Value, ...]) -> Any:
    """redis.error_reply: a table that is an error as a reply."""
    if len(args) != 1 or not isinstance(args[0], bytes):
        return machine.table({b"err": BAD_TEXT})
    text = args[0].removeprefix(b"-")
    if b" " not in text:
        text = b"ERR " + text
    return machine.table({b"err": text.rstrip(b"\r\n")})


def status_reply(machine: Machine, args: tuple[Value, ...]) -> Any:
    """redis.status_reply: a table that is a status as a reply."""
    if len(args) != 1 or not isinstance(args[0], bytes):
        return machine.table({b"err": BAD_TEXT})
    return machine.table({b"ok": args[0]})


def sha1hex(*args: Value) -> bytes:
    """redis.sha1hex: the SHA1 of a string in hexadecimal."""
    from hashlib import sha1

    if len(args) != 1:
        raise CallError(b"ERR wrong number of arguments")
    value = args[0]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = number_text(value)
    return sha1(value if isinstance(value, bytes) else b"", usedforsecurity=False).hexdigest().encode()


def log(machine: Machine, args: tuple[Value, ...]) -> None:
    """redis.log: a line in the server's log; an embedded store has none."""
    if len(args) < 2:
        raise CallError(b"ERR redis.log() requires two arguments or more.")
    level = args[0]
    if not isinstance(level, int | float) or isinstance(level, bool):
        raise CallError(b"ERR First argument must be a number (log level).")
    if not 0 <= int(level) <= 3:
        raise CallError(b"ERR Invalid debug level.")
    run = machine.current
    if run is not None and run.store.log is not None:
        run.store.log(int(level), b" ".join(map(log_text, args[1:])))


def log_text(value: Value) -> bytes:
    """A word of a line of the log, as Lua makes texts of numbers; of other values nothing."""
    if isinstance(value, bytes):
        return value
    return number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else b""


def setresp(machine: Machine, args: tuple[Value, ...]) -> None:
    """redis.setresp: which version of the protocol the replies of commands are in."""
    if len(args) != 1:
        raise CallError(b"ERR redis.setresp() requires one argument.")
    value = args[0]
    number = to_number(value) if isinstance(value, bytes) else value
    proto = whole(number) if isinstance(number, int | float) and not isinstance(number, bool) else 0
    if proto not in (2, 3):
        raise CallError(b"ERR RESP version must be 2 or 3.")
    current(machine).session.proto = proto


def set_repl(*args: Value) -> None:
    """redis.set_repl: checked; what a script changes is always journalled."""
    if len(args) != 1:
        raise CallError(b"ERR redis.set_repl() requires two arguments.")
    flags = args[0]
    if not isinstance(flags, int) or not 0 <= flags <= 3:
        raise CallError(b"ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")


def acl_check_cmd(machine: Machine, args: tuple[Value, ...]) -> bool:
    """redis.acl_check_cmd: whether the user of the caller may run a command."""
    run = current(machine)
    if not args:
        raise CallError(NO_WORDS)
    argv = run.words(args)
    try:
        use_of(argv, run.store.entries.names)
    except CallError:
        raise CallError(b"ERR Invalid command passed to redis.acl_check_cmd()") from None
    user = run.session.user
    if user is None or user.unlimited:
        return True
    from redtool.acl import allowed

    return allowed(run.session, argv)


