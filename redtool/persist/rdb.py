"""RDB files: read versions 1 to 12 and Valkey's 80. Writing them is in ``save``.

``load`` fills the dicts that its sink hands out; the value types are read and written by the modules that
``codecs`` knows. A sink has:

    select(db) -> (data: dict[bytes, value], expires: dict[bytes, unix ms])   called before a database's keys
    sizes(keys, expires)      what the file announces for the database
    aux(name, value)          facts about the file
    function(code)            a function library, with its ``#!`` line
    access(key, idle, freq)   optional; idle seconds or LFU frequency of a key, the other None
"""

from __future__ import annotations

from redtool import errors
from redtool.persist.codecs import (
    DAMAGE,
    INT8,
    PACKED,
    REDIS,
    VALKEY,
    Damaged,
    i32,
    i64,
    length,
    quoted,
    string,
)
from redtool.persist.crc64 import crc64_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from redtool.persist.codecs import Buffer

    Warn = Callable[[str], None]

    class Sink(Protocol):
        def select(self, db: int) -> tuple[dict[bytes, Any], dict[bytes, int]]: ...
        def sizes(self, keys: int, expires: int) -> None: ...
        def aux(self, name: bytes, value: bytes) -> None: ...
        def function(self, code: bytes) -> None: ...


MAGICS = (b"REDIS", b"VALKEY")
EOF, SELECT, EXPIRE_S, EXPIRE_MS, SIZES, AUX, FREQ, IDLE = 255, 254, 253, 252, 251, 250, 249, 248
MODULE_AUX, FUNCTION, SLOT_INFO = 247, 245, 244
# Opcodes that cannot be stepped over, by family (of Valkey's?)
REFUSED = {False: {246: "FUNCTION_PRE_GA", 243: "KEY_META", 242: "HASH_TEMPLATES"},
           True: {246: "FUNCTION_PRE_GA", 243: "SLOT_IMPORT", 242: "UPDATE"}}  # fmt: skip
FIRST_OF_FIELDS = 22  # types from here on are hashes some of whose fields have deadlines
ENDLESS = 1 << 62
MAP_FROM = 1 << 16  # bytes from which mapping a file beats reading it


def is_rdb(data: Buffer) -> bool:
    """Tell whether the data begins as an RDB file does."""
    return data[:5] == b"REDIS" or data[:6] == b"VALKEY"


def load_file(path: str, sink: Sink, *, now: int | None = None, warn: Warn | None = None) -> None:
    """Load a file: small ones read, others mapped. Raises FileNotFoundError, StoreError, CorruptFile."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = file.seek(0, 2)
            if size < MAP_FROM:
                file.seek(0)
                load(file.read(), sink, path=path, now=now, warn=warn)
                return
            from mmap import ACCESS_READ, mmap

            with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                load(data, sink, path=path, now=now, warn=warn)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {error.strerror}") from None


def load(data: Buffer, sink: Sink, *, path: str = "RDB", now: int | None = None, warn: Warn | None = None) -> int:
    """Load a whole RDB file; gives the position after it (an AOF may go on there).

    With ``now`` (unix ms) keys past their deadline are left out, as a server does with dump.rdb but not with the
    base of an AOF. Raises CorruptFile for anything that is damaged or from the future.
    """
    version, valkey = header(data, path)
    import gc

    collecting = gc.isenabled()
    gc.disable()  # nothing loaded is garbage, and looking for it in a growing heap doubles the time
    try:
        end = Load(data, sink, path, now, warn, valkey).run()
    finally:
        if collecting:
            gc.enable()
    if version < 5:
        return end
    if end + 8 > len(data):
        raise errors.CorruptFile(path, len(data), "the file ends too early")
    stored = int.from_bytes(data[end : end + 8], "little")
    if stored and stored != crc64_of(data, 0, end):  # 0: written with rdbchecksum no
        raise errors.CorruptFile(path, end, "the checksum does not match")
    return end + 8


def header(data: Buffer, path: str) -> tuple[int, bool]:
    """The file's version and whether it is of Valkey's family."""
    head = data[:9]
    for magic in MAGICS:
        digits = head[len(magic) :]
        if head.startswith(magic) and len(head) == 9 and digits.isdigit() and int(digits):
            return int(digits), magic == b"VALKEY"
    raise errors.CorruptFile(path, 0, "not an RDB file")


class Load:
    """One pass over a file."""

    def __init__(self, data: Buffer, sink: Sink, path: str, now: int | None, warn: Warn | None, valkey: bool) -> None:
        self.data, self.sink, self.path, self.now, self.valkey = data, sink, path, now, valkey
        self.warn: Warn = warn or _quiet
        packs = getattr(sink, "packs", False)  # it takes small hashes as they are in the file
        self.loaders = PACKED[valkey] if packs else VALKEY if valkey else REDIS
        self.pos = 9
        self.keys, self.expires = sink.select(0)
        self.before = len(self.keys)
        self.seen = 0  # keys put into ``keys`` since it was handed out
        self.deadline: int | None = None
        self.idle: int | None = None
        self.freq: int | None = None
        self.noted: Callable[[bytes, Any], object] | None = getattr(sink, "fields", None)

    def run(self) -> int:
        """Load to the end-of-file mark; gives the position after it."""
        while True:
            waiting = self.deadline is not None or self.idle is not None or self.freq is not None
            kind = self._byte() if waiting else self._plain_keys()
            if kind == EOF:
                break
            self._step(kind)
        self._close_database()
        return self.pos + 1

    def _byte(self) -> int:
        try:
            return self.data[self.pos]
        except IndexError as error:
            raise self._corrupt(error) from None

    def _plain_keys(self) -> int:
        """Load keys that have at most a deadline; stops at anything else and gives its first byte.

        This loop is the time a large file takes: strings are sliced in place, everything is a local.
        """
        data, keys, expires, now = self.data, self.keys, self.expires, self.now
        loaders = self.loaders
        access = getattr(self.sink, "access", _quiet_access)
        idle: int | None
        freq: int | None
        idle = freq = None
        known = loaders.get
        noted = self.noted
        at = pos = self.pos
        others = 0
        turn = 0
        try:
            for turn in range(ENDLESS):  # noqa: B007
                at = pos
                kind = data[pos]
                if kind == EXPIRE_MS:
                    deadline = i64(data, pos + 1)[0]
                    pos += 9
                    kind = data[pos]
                else:
                    deadline = -1
                if kind and kind not in loaders:
                    if kind == IDLE:
                        idle, pos = length(data, pos + 1)
                    elif kind == FREQ:
                        freq = data[pos + 1]
                        pos += 2
                    else:
                        break
                    kind = data[pos]
                    if kind and kind not in loaders:
                        break
                size = data[pos + 1]
                if size < 64:
                    start = pos + 2
                    pos = start + size
                    key = data[start:pos]
                else:
                    key, pos = string(data, pos + 1)
                if kind:
                    value, pos = known(kind)(data, pos)  # type: ignore[misc]
                    if value is None or value.kind == b"module":
                        others += 1
                        self._left_out(key, value)
                        continue
                    if kind >= FIRST_OF_FIELDS and noted is not None and (now is None or not -1 != deadline <= now):
                        noted(key, value)
                else:
                    size = data[pos]
                    if size < 64:
                        start = pos + 1
                        pos = start + size
                        value = data[start:pos]
                    elif size == 0xC0:
                        value = INT8[data[pos + 1]]
                        pos += 2
                    else:
                        value, pos = string(data, pos)
                if deadline != -1:
                    if now is not None and deadline <= now:
                        others += 1
                        continue
                    expires[key] = deadline
                keys[key] = value
                if idle is not None or freq is not None:
                    access(key, idle, freq)
                    idle = freq = None
        except DAMAGE as error:
            self.pos = at
            raise self._corrupt(error) from None
        self.seen += turn - others
        self.pos = at
        return data[at]

    def _step(self, kind: int) -> None:
        """Read one opcode, or one key with more than a deadline or of a type not met before."""
        at, data = self.pos, self.data
        try:
            if kind == EXPIRE_MS:  # left by the loop: its type is new, or idle or frequency follow
                self.deadline = i64(data, at + 1)[0]
                self.pos = at + 9
            elif kind in OPCODES:
                self.pos = OPCODES[kind](self, at + 1)
            elif kind in REFUSED[self.valkey]:
                raise Damaged(f"opcode {kind} ({REFUSED[self.valkey][kind]}) is not supported")
            else:
                self._key(kind, at + 1)
            if self.pos > len(data):
                raise IndexError
        except DAMAGE as error:
            self.pos = at
            raise self._corrupt(error) from None

    def _key(self, kind: int, pos: int) -> None:
        loader = self.loaders[kind]
        key, pos = string(self.data, pos)
        value, self.pos = loader(self.data, pos)
        deadline, idle, freq = self.deadline, self.idle, self.freq
        self.deadline = self.idle = self.freq = None
        if value is None or (kind and value.kind == b"module"):
            self._left_out(key, value)
            return
        if deadline is not None and deadline != -1:
            if self.now is not None and deadline <= self.now:
                return
            self.expires[key] = deadline
        self.keys[key] = value
        if kind >= FIRST_OF_FIELDS and self.noted is not None:
            self.noted(key, value)
        self.seen += 1
        if idle is not None or freq is not None:
            note = getattr(self.sink, "access", None)
            if note is not None:
                note(key, idle, freq)

    def _left_out(self, key: bytes, value: Any) -> None:
        if value is not None:
            self.warn(f"{self.path}: key {quoted(key)} holds a value of module {value.name}, left out")

    def _close_database(self) -> None:
        if len(self.keys) - self.before != self.seen:
            raise self._corrupt(Damaged("a key is there twice in the database that ends"))
        self.seen = 0

    # -- opcodes: each gets the position after its byte and gives the one after its data

    def _select(self, pos: int) -> int:
        db, pos = length(self.data, pos)
        self._close_database()
        self.keys, self.expires = self.sink.select(db)
        self.before = len(self.keys)
        return pos

    def _sizes(self, pos: int) -> int:
        keys, pos = length(self.data, pos)
        expires, pos = length(self.data, pos)
        self.sink.sizes(keys, expires)
        return pos

    def _aux(self, pos: int) -> int:
        name, pos = string(self.data, pos)
        value, pos = string(self.data, pos)
        self.sink.aux(name, value)
        return pos

    def _function(self, pos: int) -> int:
        code, pos = string(self.data, pos)
        self.sink.function(code)
        return pos

    def _expire_seconds(self, pos: int) -> int:
        self.deadline = i32(self.data, pos)[0] * 1000
        return pos + 4

    def _idle(self, pos: int) -> int:
        self.idle, pos = length(self.data, pos)
        return pos

    def _freq(self, pos: int) -> int:
        self.freq = self.data[pos]
        return pos + 1

    def _slot_info(self, pos: int) -> int:
        for _ in range(3):
            _, pos = length(self.data, pos)
        return pos

    def _module_aux(self, pos: int) -> int:
        from redtool.persist.modules import skip, type_name

        number, pos = length(self.data, pos)
        _, pos = length(self.data, pos)
        _, pos = length(self.data, pos)  # when: before or after the keys
        self.warn(f"{self.path}: data of module {type_name(number)} left out")
        return skip(self.data, pos)

    def _corrupt(self, error: Exception) -> errors.CorruptFile:
        reason = str(error) if isinstance(error, Damaged) else "cut short or damaged"
        return errors.CorruptFile(self.path, self.pos, reason)


OPCODES: dict[int, Callable[[Load, int], int]] = {
    SELECT: Load._select,
    EXPIRE_S: Load._expire_seconds,
    SIZES: Load._sizes,
    AUX: Load._aux,
    FREQ: Load._freq,
    IDLE: Load._idle,
    MODULE_AUX: Load._module_aux,
    FUNCTION: Load._function,
    SLOT_INFO: Load._slot_info,
}


def _quiet_access(key: bytes, idle: int | None, freq: int | None) -> None:
    """Where the last use of a key goes when nobody asks."""


def _quiet(text: str) -> None:
    """Where warnings go when nobody listens."""
