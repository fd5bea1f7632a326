"""Functions for one store: its libraries, compiled when first needed, and FUNCTION DUMP's form of them."""

from __future__ import annotations

from redtool import errors
from redtool.lua.faults import CallError, Fault
from redtool.lua.run import Run
from redtool.lua.scripts import FLAGS, Scripts, key_count, of, read_shebang, refuse_writes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from redtool.lua.machine import Machine, Value
    from redtool.resp import Reply
    from redtool.session import Argv, Session

LOAD_MS = 500  # how long the code of a library may run when it is loaded
WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
BAD_NAME = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"


class Function:
    """A function that a library registered."""

    __slots__ = ("description", "flags", "fn", "library", "name")

    def __init__(self, name: bytes, fn: Any, description: bytes | None, flags: frozenset[bytes]) -> None:
        self.name, self.fn, self.description, self.flags = name, fn, description, flags
        self.library = b""


class Library:
    """A library: its name, its code with the first line, and its functions by name."""

    __slots__ = ("code", "functions", "name")

    def __init__(self, name: bytes, code: bytes) -> None:
        self.name, self.code = name, code
        self.functions: dict[bytes, Function] = {}


class Loading(Run):
    """The run of a library's code."""

    def __init__(self, machine: Machine, caller: Session, library: Library) -> None:
        super().__init__(machine, caller, (), library.name, function=True)
        self.library = library

    def tick(self) -> bytes | None:
        """A library's code has a time to end in, and cannot be killed."""
        from time import monotonic_ns

        return b"ERR FUNCTION LOAD timeout" if monotonic_ns() - self.started > LOAD_MS * 1_000_000 else None


class Libraries:
    """The libraries of a store, in the order in which they were loaded.

    ``store.functions`` holds their code, as a snapshot keeps it: it is compiled here when first asked for, and
    changes with every change here.
    """

    def __init__(self, c: Session, scripts: Scripts) -> None:
        self.store, self.scripts, self.machine = c.store, scripts, scripts.machine
        self.libraries: dict[bytes, Library] = {}
        self.functions: dict[bytes, Function] = {}
        self.codes: list[bytes] = []
        self.compile_all(c)

    def compile_all(self, c: Session) -> None:
        """Bring the compiled libraries in line with the code that the store holds."""
        self.libraries, self.functions = {}, {}
        for code in self.store.functions:
            self._add(self.compiled(c, code))
        self.codes = list(self.store.functions)

    def compiled(self, c: Session, code: bytes) -> Library:
        """Compile a library and run its code, which registers its functions; nothing is kept yet."""
        name, text = read_header(code)
        library = Library(name, code)
        try:
            fn = self.machine.compiled(text, b"@user_function", library=True)
        except Fault as fault:
            raise errors.ReplyError("Error compiling function: " + shown(fault.message)) from None
        run = Loading(self.machine, c, library)
        found = self.machine.invoke(run, self.machine.run_library, fn)
        if not found[0]:
            raise errors.ReplyError("Error registering functions: " + shown(found[1]))
        if not library.functions:
            raise errors.ReplyError("No functions registered")
        return library

    def _add(self, library: Library) -> None:
        self.libraries[library.name] = library
        self.functions.update((name.lower(), function) for name, function in library.functions.items())

    def _drop(self, name: bytes) -> None:
        library = self.libraries.pop(name)
        for function in library.functions:
            self.functions.pop(function.lower(), None)

    def _publish(self) -> None:
        self.codes = [library.code for library in self.libraries.values()]
        self.store.functions[:] = self.codes

    def load(self, c: Session, code: bytes, replace: bool) -> bytes:
        """FUNCTION LOAD: give the library's name."""
        name, _ = read_header(code)
        old = self.libraries.get(name)
        if old is not None and not replace:
            raise errors.ReplyError(f"Library '{shown(name)}' already exists")
        library = self.compiled(c, code)
        self._refuse_doubles(library, {name})
        if old is not None:
            self._drop(name)
        self._add(library)
        self._publish()
        return name

    def _refuse_doubles(self, library: Library, going: set[bytes]) -> None:
        for function in library.functions:
            known = self.functions.get(function.lower())
            if known is not None and known.library not in going:
                raise errors.ReplyError(f"Function {shown(function)} already exists")

    def delete(self, name: bytes) -> None:
        """FUNCTION DELETE."""
        if name not in self.libraries:
            raise errors.ReplyError("Library not found")
        self._drop(name)
        self._publish()

    def flush(self) -> None:
        """FUNCTION FLUSH."""
        self.libraries, self.functions = {}, {}
        self._publish()

    def restore(self, c: Session, payload: bytes, policy: bytes) -> None:
        """FUNCTION RESTORE: all of the payload's libraries or none."""
        from redtool.persist.payload import unpack_functions

        codes = unpack_functions(payload)
        fresh = [self.compiled(c, code) for code in codes]
        before = self.libraries, self.functions
        if policy == b"FLUSH":
            self.libraries, self.functions = {}, {}
        else:
            self.libraries, self.functions = dict(self.libraries), dict(self.functions)
        try:
            for library in fresh:
                if library.name in self.libraries:
                    if policy != b"REPLACE":
                        raise errors.ReplyError(f"Library {shown(library.name)} already exists")
                    self._drop(library.name)
            for library in fresh:
                self._refuse_doubles(library, set())
                self._add(library)
        except errors.ReplyError:
            self.libraries, self.functions = before
            raise
        self._publish()

    def call(self, c: Session, words: Argv, argv: Argv, reads: bool) -> Reply:
        """FCALL: run a function; ``words`` are its name, numkeys, keys and arguments."""
        function = self.functions.get(words[0].lower())  # their names know no case
        if function is None:
            raise errors.ReplyError("Function not found")
        try:
            count = key_count(words[1:])
        except errors.NotInteger:
            raise errors.ReplyError("Bad number of keys provided") from None
        if reads and b"no-writes" not in function.flags:
            raise errors.WritingScript
        if b"no-writes" not in function.flags:
            refuse_writes(c)
        lua = self.machine
        run = Run(lua, c, argv, function.name, function=True, reads=reads or b"no-writes" in function.flags,
                  roomy=b"allow-oom" in function.flags)  # fmt: skip
        return self.scripts.run(run, lambda: lua.invoke(run, lua.run_function, function.fn,
                                                        lua.table(list(words[2 : count + 2])),
                                                        lua.table(list(words[count + 2 :]))), words)  # fmt: skip


def libraries(c: Session) -> Libraries:
    """The libraries of a client's store, compiled."""
    scripts = of(c.store)
    found = scripts.libraries
    if found is None:
        found = scripts.libraries = Libraries(c, scripts)
    elif found.codes != c.store.functions:  # a snapshot was loaded since
        found.compile_all(c)
    return found


def flags_of(c: Session, argv: Argv) -> frozenset[bytes] | None:
    """The flags of the script or function that a command would run; None where it has none."""
    name = argv[0].upper()
    if name in (b"EVAL", b"EVAL_RO"):
        try:
            return read_shebang(argv[1])[0]
        except errors.ReplyError:
            return None
    if name in (b"EVALSHA", b"EVALSHA_RO"):
        script = of(c.store).find(argv[1].lower())
        return None if script is None else script.flags
    function = libraries(c).functions.get(argv[1].lower())
    return None if function is None else function.flags


def register_function(machine: Machine, args: tuple[Value, ...]) -> None:
    """redis.register_function: with a name and a function, or with a table of named arguments."""
    run = machine.current
    if not isinstance(run, Loading):
        raise CallError(b"ERR redis.register_function can only be called on FUNCTION LOAD command")
    if not 1 <= len(args) <= 2:
        raise CallError(b"ERR wrong number of arguments to redis.register_function")
    function = _named(args[0]) if len(args) == 1 else _positional(args)
    if not is_name(function.name):
        raise CallError(b"ERR " + BAD_NAME.encode())
    if function.name in run.library.functions:
        raise CallError(b"ERR Function already exists in the library")
    function.library = run.library.name
    run.library.functions[function.name] = function


def _positional(args: tuple[Value, ...]) -> Function:
    name = _text(args[0])
    if name is None:
        raise CallError(b"ERR first argument to redis.register_function must be a string")
    if _type(args[1]) != "function":
        raise CallError(b"ERR second argument to redis.register_function must be a function")
    return Function(name, args[1], None, frozenset())


def _named(table: Any) -> Function:
    if _type(table) != "table":
        raise CallError(b"ERR calling redis.register_function with a single argument is only applicable to Lua table "
                        b"(representing named arguments).")  # fmt: skip
    given: dict[Any, Any] = dict(table.items())
    for key in given:
        if _text(key) is None:
            raise CallError(b"ERR named argument key given to redis.register_function is not a string")
        if key not in (b"function_name", b"description", b"callback", b"flags"):
            raise CallError(b"ERR unknown argument given to redis.register_function")
    name, description, flags = given.get(b"function_name"), given.get(b"description"), frozenset[bytes]()
    for what, value in ((b"function_name", name), (b"description", description)):
        if value is not None and _text(value) is None:
            raise CallError(b"ERR %b argument given to redis.register_function must be a string" % what)
    if b"callback" in given and _type(given[b"callback"]) != "function":
        raise CallError(b"ERR callback argument given to redis.register_function must be a function")
    if b"flags" in given:
        if _type(given[b"flags"]) != "table":
            raise CallError(b"ERR flags argument to redis.register_function must be a table representing function "
                            b"flags")  # fmt: skip
        flags = frozenset(_items(given[b"flags"]))
        if flags - FLAGS:
            raise CallError(b"ERR unknown flag given")
    if name is None:
        raise CallError(b"ERR redis.register_function must get a function name argument")
    if b"callback" not in given:
        raise CallError(b"ERR redis.register_function must get a callback argument")
    text = None if description is None else _text(description)
    return Function(_text(name) or b"", given[b"callback"], text, flags)


def _items(table: Any) -> Iterator[Any]:
    index = 1
    while (value := table[index]) is not None:
        yield value
        index += 1


def _text(value: Value) -> bytes | None:
    from redtool.lua.faults import number_text

    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    return value if isinstance(value, bytes) else None


def _type(value: Value) -> str | None:
    from lupa.lua51 import lua_type  # type: ignore[import-untyped]

    return lua_type(value)  # type: ignore[no-any-return]


def is_name(text: bytes) -> bool:
    """Whether a library or a function may have this name."""
    return bool(text) and WORD.issuperset(text)


def shown(text: bytes) -> str:
    """Bytes as an error text carries them."""
    return text.decode("utf-8", "surrogateescape")


def read_header(code: bytes) -> tuple[bytes, bytes]:
    """Read ``#!lua name=…`` before a library: its name, and the code with that line made empty."""
    first, newline, rest = code.partition(b"\n")
    if code[:2] != b"#!":
        raise errors.ReplyError("Missing library metadata")
    if not newline:
        raise errors.ReplyError("Invalid library metadata")
    words = first.split()
    engine = words[0][2:]
    name = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise errors.ReplyError(f"Invalid metadata value given: {shown(word)}")
        if name is not None:
            raise errors.ReplyError("Invalid metadata value, name argument was given multiple times")
        name = word[5:]
    if name is None:
        raise errors.ReplyError("Library name was not given")
    if not is_name(name):
        raise errors.ReplyError(BAD_NAME)
    if engine.lower() != b"lua":
        raise errors.ReplyError(f"Engine '{shown(engine)}' not found")
    return name, b"\n" + rest
