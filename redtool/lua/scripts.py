"""EVAL for one store: the scripts it knows by their SHA1, and what makes a run of one a reply."""

from __future__ import annotations

from hashlib import sha1

from redtool import errors
from redtool.lua.faults import Fault
from redtool.lua.machine import PUSHED, Machine, machine
from redtool.lua.replies import COUNTED, NUMBER, STRING, Flat, line
from redtool.lua.run import Run
from redtool.numeric import to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from redtool.lua.libraries import Libraries
    from redtool.resp import Reply
    from redtool.session import Argv, Session
    from redtool.store import Store

KEPT = 500  # scripts of EVAL that are kept; those of SCRIPT LOAD stay
FLAGS = frozenset({b"no-writes", b"allow-oom", b"allow-stale", b"no-cluster", b"allow-cross-slot-keys"})


class Script:
    """A compiled script with what its first line says."""

    __slots__ = ("body", "flags", "fn", "sha")

    def __init__(self, sha: bytes, body: bytes, fn: Any, flags: frozenset[bytes] | None) -> None:
        self.sha, self.body, self.fn, self.flags = sha, body, fn, flags  # flags are None without a shebang


class Scripts:
    """The scripts of a store. ``known`` are those of SCRIPT LOAD, ``recent`` those that EVAL brought, oldest first."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.machine: Machine = machine()
        self.known: dict[bytes, Script] = {}
        self.recent: dict[bytes, Script] = {}
        self.running: Run | None = None
        self.libraries: Libraries | None = None

    @property
    def in_function(self) -> bool:
        """Whether what runs is a function, not a script."""
        return self.running is not None and self.running.function

    @property
    def count(self) -> int:
        """How many scripts are kept."""
        return len(self.known) + len(self.recent)

    @property
    def bodies(self) -> int:
        """Bytes of the texts that are kept."""
        return sum(len(script.body) for kept in (self.known, self.recent) for script in kept.values())

    @property
    def memory(self) -> int:
        """Bytes that the interpreter holds."""
        return self.machine.lua.get_memory_used() or 0

    def find(self, sha: bytes) -> Script | None:
        """A script by its SHA1 in lower case."""
        return self.known.get(sha) or self.recent.get(sha)

    def flush(self) -> None:
        """Forget all scripts."""
        self.known.clear()
        self.recent.clear()

    def load(self, body: bytes) -> Script:
        """Compile a script and keep it: SCRIPT LOAD."""
        sha = sha1(body, usedforsecurity=False).hexdigest().encode()
        script = self.known.get(sha)
        if script is None:
            found = self.recent.get(sha)
            self.recent.pop(sha, None)
            script = self.known[sha] = found or self._compile(sha, body)
        return script

    def brought(self, body: bytes) -> Script:
        """The script that EVAL brings; the least recently used one goes when there are too many."""
        sha = sha1(body, usedforsecurity=False).hexdigest().encode()
        script = self.known.get(sha)
        if script is not None:
            return script
        recent = self.recent
        script = recent.get(sha)
        if script is None:
            script = self._compile(sha, body)
        else:
            del recent[sha]  # to the end of the line
        recent[sha] = script
        if len(recent) > KEPT:
            del recent[next(iter(recent))]
        return script

    def _compile(self, sha: bytes, body: bytes) -> Script:
        flags, code = read_shebang(body)
        try:
            fn = self.machine.compiled(code, b"@user_script")
        except Fault as fault:
            text = (b"Error compiling script (new function): " + fault.message).decode("utf-8", "surrogateescape")
            raise errors.ReplyError(text) from None
        return Script(sha, body, fn, flags)

    def key_count(self, words: Argv) -> int:
        """How many of the words after the first are keys."""
        return key_count(words)

    def eval(self, c: Session, script: Script, words: Argv, argv: Argv, reads: bool) -> Reply:
        """Run a script with what follows it on the command line: numkeys, keys and arguments."""
        count = key_count(words)
        if script.flags is not None and b"no-writes" not in script.flags and reads:
            raise errors.WritingScript
        reads = reads or (script.flags is not None and b"no-writes" in script.flags)
        if script.flags is not None and b"no-writes" not in script.flags:
            refuse_writes(c)
        lua = self.machine
        run = Run(lua, c, argv, script.sha, reads=reads, roomy=b"allow-oom" in (script.flags or ()))
        if len(words) <= PUSHED:
            return self.run(run, lambda: lua.invoke(run, lua.run_script, script.fn, count, *words[1:]), words)
        return self.run(run, lambda: lua.invoke(run, lua.run_long, script.fn, lua.table(list(words[1 : count + 1])),
                                                lua.table(list(words[count + 1 :]))), words)  # fmt: skip

    def run(self, run: Run, invoke: Callable[[], tuple[Any, ...]], words: Argv) -> Reply:
        """Run a script as one unit: its effects are journalled together, and it sees one moment in time."""
        c, store = run.caller, self.store
        outer = store.collects
        if not outer:
            store.begin()
        c.journal()
        before, self.running = self.running, run
        try:
            run.machine.arguments(words)
            found = invoke()
        except MemoryError:
            raise errors.ReplyError("not enough memory") from None
        except BaseException:
            c.effects = None
            raise
        finally:
            self.running = before
            if not outer:
                store.commit()
        return self._reply(run, found)

    def _reply(self, run: Run, found: tuple[Any, ...]) -> Reply:
        if found[0]:
            kind = found[1]
            if kind == STRING or (kind == NUMBER and type(found[2]) is int):
                return found[2]
            items = found[1:]
            if kind == 0:
                items = tuple(run.machine.take(items[2], items[1]))
            reply = Flat(iter(items), run.session.proto, run.caller.proto).value()
            if isinstance(reply, errors.ReplyError):
                if kind == COUNTED:
                    self._uncount(reply)
                raise reply
            return reply
        text = found[1]
        if len(found) > 3 and found[2] is not None and found[3]:
            text += b" script: %b, on %b:%d." % (run.name, found[2], found[3])
        error = errors.ReplyError.of(line(text).decode("utf-8", "surrogateescape"))
        if len(found) > 4 and found[4]:
            self._uncount(error)
        raise error

    def _uncount(self, error: errors.ReplyError) -> None:
        """Make up for the second count of an error that the store counted when the command failed."""
        codes = self.store.error_codes
        codes[error.code] = codes.get(error.code, 0) - 1


def of(store: Store) -> Scripts:
    """The scripts of a store, made when first asked for."""
    if store.scripts is None:
        store.scripts = Scripts(store)
    return store.scripts


def refuse_writes(c: Session) -> None:
    """A script that says it may write is refused by a store that takes no writes."""
    if c.store.guard == "read-only":
        raise errors.ReadOnlyScript
    failure = c.store.disk_failure()
    if failure is not None:
        raise failure


def key_count(words: Argv) -> int:
    """How many of the words after the first are keys."""
    count = to_int(words[0])
    if count > len(words) - 1:
        raise errors.TooManyKeys
    if count < 0:
        raise errors.NegativeKeys
    return count


def read_shebang(body: bytes) -> tuple[frozenset[bytes] | None, bytes]:
    """Read ``#!lua flags=…`` before a script: its flags (None without), and the code with the line made empty."""
    if body[:2] != b"#!":
        return None, body
    first, newline, rest = body.partition(b"\n")
    if not newline:
        raise errors.ReplyError("Invalid script shebang")
    words = first.split()
    if not words or words[0] != b"#!lua":
        raise errors.ReplyError(f"Unexpected engine in script shebang: {words[0].decode('latin-1') if words else ''}")
    flags: set[bytes] = set()
    for word in words[1:]:
        if word[:6] != b"flags=":
            raise errors.ReplyError(f"Unknown lua shebang option: {word.decode('utf-8', 'surrogateescape')}")
        for flag in word[6:].split(b","):
            if flag and flag not in FLAGS:
                raise errors.ReplyError(f"Unexpected flag in script shebang: {flag.decode('utf-8', 'surrogateescape')}")
            flags.add(flag)
    return frozenset(flags - {b""}), b"\n" + rest
