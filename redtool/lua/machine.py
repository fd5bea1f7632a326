"""The one Lua interpreter of a process: made when first needed, shared by all stores, one script at a time."""

from __future__ import annotations

import os
from _thread import RLock
from time import monotonic_ns

from lupa.lua51 import LuaError, LuaMemoryError, LuaRuntime  # type: ignore[import-untyped]

from redtool.lua.faults import CallError, Fault, Places
from redtool.lua.stubborn import Stubborn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from redtool.lua.run import Run

Value = object  # what Lua hands over: bytes | int | float | bool | None | a table

SOFT_MEMORY = 512 << 20  # bytes that scripts may hold before the one that runs is ended
HARD_MEMORY = 1 << 30  # what a single operation may reach: Lua itself refuses more
SPARE_MEMORY = 16 << 20  # what Python may still put on Lua's side to end a script that has used all
EVERY = 1000  # instructions between looks at memory
MOST_INTEGER = 2**63
PUSHED = 200  # arguments that are handed over one by one; more go as tables

# What is raised into Lua, whatever the error: lupa's list of the objects that Lua holds grows with each new one, and
# entries of dead ones are handed out twice. So no object of Python goes to Lua but those that stay there.
SIGNAL = Exception("a function of Python failed")

_machine: Machine | None = None


def machine() -> Machine:
    """The interpreter, made at the first call."""
    global _machine
    if _machine is None:
        _machine = Machine()
    return _machine


class Machine:
    """The interpreter with its sandbox.

    ``current`` is the script that runs. Python functions that scripts call find it there.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.stubborn = Stubborn()
        self.current: Run | None = None
        self.raised: BaseException | None = None  # what SIGNAL stands for
        self.stretched = False  # Lua may use SPARE_MEMORY
        self.stopped: BaseException | None = None  # what struck while Python ran inside a script: raised at its end
        self.lua = LuaRuntime(encoding=None, source_encoding="latin-1", register_eval=False, register_builtins=False,
                              unpack_returned_tuples=True, max_memory=HARD_MEMORY,
                              attribute_filter=_no_attributes)  # fmt: skip
        self.places = Places(lambda level: self._where(level), lambda level: self._called(level))
        self._load()

    def _load(self) -> None:
        from redtool.lua import bits, bytecode, calls, cjson, cmsgpack, randoms, structs

        table = self.lua.table_from
        groups: dict[bytes, dict[bytes, object]] = {
            b"inner": {b"tick": self.checked(self._tick), b"explain": self._explain, b"safe": bytecode.is_safe},
            b"math": randoms.functions(self),
            b"bit": bits.functions(self),
            b"struct": structs.functions(self),
            b"cmsgpack": cmsgpack.functions(self),
            b"cjson": cjson.functions(self),
            **calls.functions(self),
        }
        api = table({name: table(group if name == b"inner" else self._checked(group))
                     for name, group in groups.items()})  # fmt: skip
        answers = self.chunk("answer.lua")
        python = self.lua.globals()[b"python"]
        given = self.chunk("sandbox.lua", python, api, answers, SOFT_MEMORY // 1024, EVERY, SIGNAL)
        names = ("compile", "run_script", "run_long", "run_function", "run_library", "piece", "safely")
        inner: dict[str, Any] = {name: given[name.encode()] for name in names}
        self.compile = inner["compile"]
        self.run_script, self.run_long = inner["run_script"], inner["run_long"]
        self.run_function, self.run_library = inner["run_function"], inner["run_library"]
        self.piece, self.safely = inner["piece"], inner["safely"]
        self._where, self._called = given[b"where"], given[b"called"]
        self.null, self.contents_of = given[b"null"], given[b"contents_of"]
        self.to_json: Callable[..., tuple[bool, Any]]  # given by cjson and cmsgpack, below
        self.flatten: Callable[..., tuple[bool, Any]]
        self.table: Callable[[object], Any] = table
        for unsafe in (b"python", b"debug", b"package", b"require", b"module", b"io", b"loadfile", b"dofile"):
            self.lua.globals()[unsafe] = None
        cjson.load(self)
        cmsgpack.load(self)

    def chunk(self, name: str, *args: object) -> Any:
        """Run one of our own files of Lua, with all of Lua at hand."""
        with open(os.path.join(os.path.dirname(__file__), name), "rb") as file:
            text = file.read()
        load = self.lua.execute(b"return function(text, name) return assert(loadstring(text, name)) end")
        return load(text, b"=redtool")(*args)

    def _checked(self, group: dict[bytes, object]) -> dict[bytes, object]:
        """Have each function look first whether there is memory for what it will give."""
        return {name: self.checked(item) if callable(item) else item for name, item in group.items()}

    def checked(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of Python as scripts may call it: not when Lua's memory is all but used up."""
        used = self.lua.get_memory_used

        def call(*args: object) -> Any:
            try:
                if used() > SOFT_MEMORY:
                    self.room(0)
                found = function(*args)
                if type(found) is int and not -MOST_INTEGER < found < MOST_INTEGER:
                    found = float(found)  # lupa would raise an error of its own, outside of this
                return found
            except BaseException as error:
                # A table or function of Lua must not outlive the coroutine it came from: lupa gives it back to that
                # one's state. So no frame that holds one may be kept by a traceback.
                error.__traceback__ = error.__context__ = error.__cause__ = None
                self.raised = error
                args = ()
            raise SIGNAL.with_traceback(None)

        return call

    # -- called from Lua

    def _tick(self) -> bytes | None:
        """Every so many instructions: give the reason why the script must end, or None."""
        run = self.current
        return None if run is None else run.tick()

    def _explain(self, error: object) -> tuple[bytes, bytes, bool] | tuple[bytes, bytes]:
        """Tell Lua what a Python function raised: a kind and a text."""
        if error is True:
            error, self.raised = self.raised, None
        if isinstance(error, CallError):
            return b"error", error.message, error.counted
        if isinstance(error, Fault):
            return b"plain", error.message
        if isinstance(error, LuaMemoryError | MemoryError):
            return b"stop", b"ERR not enough memory"
        if isinstance(error, LuaError | RecursionError | OverflowError):
            return b"plain", str(error).encode("utf-8", "surrogateescape").partition(b"\nstack traceback")[0]
        if isinstance(error, BaseException):
            self.stopped = error
            return b"stop", b"ERR Script interrupted"
        return b"stop", b"ERR Script interrupted"

    # -- memory

    def room(self, nbytes: int) -> None:
        """Make sure that Python may put so much on Lua's side: where it does not fit, Lua cannot be left any more."""
        lua = self.lua
        used = lua.get_memory_used() or 0
        if used + nbytes < SOFT_MEMORY:
            return
        self.stretched = True
        lua.set_max_memory(HARD_MEMORY + SPARE_MEMORY)
        lua.gccollect()
        if (lua.get_memory_used() or 0) + nbytes >= SOFT_MEMORY:
            raise MemoryError

    # -- called by whoever runs a script

    def compiled(self, code: bytes, name: bytes, library: bool = False) -> Any:
        """Compile a script; raises Fault with Lua's message."""
        with self.lock:
            try:
                self.room(len(code) * 20)
                found = self.compile(code, name, library)
            except MemoryError:
                raise Fault(b"not enough memory") from None
            if isinstance(found, tuple):
                raise Fault(found[1])
            return found

    def invoke(self, run: Run, entry: Callable[..., Any], fn: object, *args: object) -> tuple[Any, ...]:
        """Run a function of Lua for a script: (True, flat reply …) or (False, message, source, line, counted)."""
        with self.lock:
            before, self.current = self.current, run
            run.started = monotonic_ns()
            self.stopped = None
            if before is None:
                self.stubborn.start()
            found: Any
            try:
                found = entry(fn, *args)
            except LuaMemoryError:
                found = False, b"ERR not enough memory"
            except LuaError as error:
                found = False, b"ERR " + str(error).encode("utf-8", "surrogateescape")
            finally:
                self.current = before
                run.over()
                if before is None:
                    self.stubborn.over()
                if (self.lua.get_memory_used() or 0) > SOFT_MEMORY // 2:
                    self.lua.gccollect()
                if self.stretched:
                    self.stretched = False
                    self.lua.set_max_memory(HARD_MEMORY)
            stopped, self.stopped = self.stopped, None
            if stopped is not None:
                raise stopped
            return found  # type: ignore[no-any-return]

    def take(self, flat: Any, count: int) -> list[object]:
        """Fetch a long flat reply."""
        items: list[object] = []
        for start in range(1, count + 1, PUSHED):
            piece = self.piece(flat, start, min(start + PUSHED - 1, count))
            items += piece if isinstance(piece, tuple) else (piece,)
        return items

    def arguments(self, words: Sequence[bytes]) -> None:
        """Refuse arguments that do not fit; raises MemoryError."""
        self.room(sum(map(len, words)) + 64 * len(words))


def _no_attributes(owner: object, name: object, setting: bool) -> object:
    raise AttributeError("no attributes here")
