"""EVAL and SCRIPT. The interpreter (``redtool.lua``) is imported by the first command that needs it."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import declare_help, group
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.lua.scripts import Scripts
    from redtool.resp import Reply
    from redtool.session import Session

command = group("scripting")

RUNS = "noscript skip_monitor movablekeys no_mandatory_keys stale"
READS = "readonly noscript skip_monitor movablekeys no_mandatory_keys stale"
TAIL = "numkeys [key [key ...]] [arg [arg ...]]"
DEPENDS = "Depends on the script"


def scripts(c: Session) -> Scripts:
    """The scripts of the client's store."""
    found = c.store.scripts
    if found is None:
        from redtool.lua.scripts import of

        found = of(c.store)
    return found


def run_body(c: Session, name: bytes, args: tuple[bytes, ...], reads: bool) -> Reply:
    """EVAL: compile the first word, or find it compiled, and run it with the others."""
    found = scripts(c)
    if args[1] != b"0":  # a wrong count is told before the script is looked at
        found.key_count(args[1:])
    return found.eval(c, found.brought(args[0]), args[1:], (name, *args), reads)


def run_known(c: Session, name: bytes, args: tuple[bytes, ...], reads: bool) -> Reply:
    """EVALSHA: run a script that is known by its SHA1."""
    found = scripts(c)
    script = found.find(args[0].lower())
    if script is None:
        raise errors.NoScript
    return found.eval(c, script, args[1:], (name, *args), reads)


def is_flush_mode(words: tuple[bytes, ...]) -> bool:
    """Whether these may stand behind a FLUSH: ASYNC, SYNC, or nothing."""
    return not words or (len(words) == 1 and words[0].upper() in (b"ASYNC", b"SYNC"))


@command(f"EVAL script {TAIL}", RUNS, since="2.6.0", complexity=DEPENDS)
def eval_(c: Session, *args: bytes) -> Reply:
    """Run a Lua script as one unit, its changes kept together.

    > EVAL "return redis.call('INCRBY', KEYS[1], ARGV[1])" 1 visits 5
    (integer) 5
    """
    return run_body(c, b"EVAL", args, False)


@command(f"EVAL_RO script {TAIL}", READS, since="7.0.0", complexity=DEPENDS)
def eval_ro(c: Session, *args: bytes) -> Reply:
    """Run a Lua script that may only read.

    > SET visits 41
    OK
    > EVAL_RO "return redis.call('GET', KEYS[1]) + 1" 1 visits
    (integer) 42
    """
    return run_body(c, b"EVAL_RO", args, True)


@command(f"EVALSHA sha1 {TAIL}", RUNS, since="2.6.0", complexity=DEPENDS)
def evalsha(c: Session, *args: bytes) -> Reply:
    """Run a Lua script that was loaded or run before, by its SHA1.

    > SCRIPT LOAD "return ARGV[1]"
    "098e0f0d1448c0a81dafe820f66d460eb09263da"
    > EVALSHA 098e0f0d1448c0a81dafe820f66d460eb09263da 0 hello
    "hello"
    """
    return run_known(c, b"EVALSHA", args, False)


@command(f"EVALSHA_RO sha1 {TAIL}", READS, since="7.0.0", complexity=DEPENDS)
def evalsha_ro(c: Session, *args: bytes) -> Reply:
    """Run a loaded Lua script, by its SHA1, that may only read.

    > SCRIPT LOAD "return redis.call('EXISTS', KEYS[1])"
    "36470718001cbf79c047c6e440069970b40bb3b4"
    > EVALSHA_RO 36470718001cbf79c047c6e440069970b40bb3b4 1 visits
    (integer) 0
    """
    return run_known(c, b"EVALSHA_RO", args, True)


@command("SCRIPT LOAD script", "noscript stale", since="2.6.0",
         complexity="O(N) bytes of the script")  # fmt: skip
def script_load(c: Session, script: bytes) -> Reply:
    """Keep a script without running it, and give its SHA1.

    > SCRIPT LOAD "return ARGV[1]"
    "098e0f0d1448c0a81dafe820f66d460eb09263da"
    """
    return scripts(c).load(script).sha


@command("SCRIPT EXISTS sha1 [sha1 ...]", "noscript", since="2.6.0",
         complexity="O(N) scripts asked for")  # fmt: skip
def script_exists(c: Session, *shas: bytes) -> Reply:
    """Tell which scripts are known.

    > SCRIPT EXISTS 098e0f0d1448c0a81dafe820f66d460eb09263da
    1) (integer) 0
    """
    known = c.store.scripts
    return [int(known is not None and known.find(sha.lower()) is not None) for sha in shas]


@command("SCRIPT FLUSH [ASYNC | SYNC]", "noscript", since="2.6.0",
         complexity="O(N) scripts")  # fmt: skip
def script_flush(c: Session, *args: bytes) -> Reply:
    """Forget all scripts.

    > SCRIPT FLUSH
    OK
    """
    if not is_flush_mode(args):
        raise errors.ReplyError("SCRIPT FLUSH only support SYNC|ASYNC option")
    if c.store.scripts is not None:
        c.store.scripts.flush()
    return OK


@command("SCRIPT SHOW sha1", "noscript", since="8.0.0")
def script_show(c: Session, sha1: bytes) -> Reply:
    """Give the text of a known script.

    > SCRIPT LOAD "return ARGV[1]"
    "098e0f0d1448c0a81dafe820f66d460eb09263da"
    > SCRIPT SHOW 098e0f0d1448c0a81dafe820f66d460eb09263da
    "return ARGV[1]"
    """
    script = None if c.store.scripts is None else c.store.scripts.find(sha1.lower())
    if script is None:
        raise errors.NoScript
    return script.body


@command("SCRIPT KILL", "noscript allow_busy", since="2.6.0")
def script_kill(c: Session) -> Reply:
    """End the script that runs, unless it has written.

    > SCRIPT KILL
    (error) NOTBUSY No scripts in execution right now.
    """
    return kill(c, function=False)


def kill(c: Session, function: bool) -> Reply:
    """SCRIPT KILL and FUNCTION KILL: each ends its own kind only."""
    known = c.store.scripts
    run = None if known is None else known.running
    if run is None:
        raise errors.NotBusy
    if run.function != function:
        raise errors.BusyFunction if run.function else errors.Busy
    run.stop()
    return OK


@command("SCRIPT DEBUG <YES | SYNC | NO>", "noscript", since="3.2.0")
def script_debug(c: Session, mode: bytes) -> Reply:
    """Switch the debugger off; there is none here to switch on.

    > SCRIPT DEBUG NO
    OK
    """
    word = mode.upper()
    if word == b"NO":
        return OK
    if word in (b"YES", b"SYNC"):
        raise errors.ReplyError("the Lua debugger is not there: use redis.log, or return what you want to see")
    raise errors.ReplyError("Use SCRIPT DEBUG YES/SYNC/NO")


declare_help(command, "SCRIPT", since="5.0.0")
