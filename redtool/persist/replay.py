"""Read the commands of an AOF file and hand them on; find where a torn tail begins.

Whole commands are cut from a chunk by splitting it at CRLF and checking every announced length; what does not fit
that (long values, values with CRLF across chunks, the end of the file) is read one command at a time, exactly. The
commands of a MULTI are handed on at its EXEC, so an unfinished transaction never shows. A sink has what ``rdb`` asks
for and ``run(commands)`` and ``use(db)`` (for SELECT).
"""

from __future__ import annotations

from redtool import errors
from redtool.persist.codecs import DAMAGE, Damaged, quoted
from redtool.persist.rdb import MAP_FROM, is_rdb, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from redtool.persist.codecs import Buffer
    from redtool.persist.rdb import Sink as RdbSink

    class Sink(RdbSink, Protocol):
        def run(self, batch: list[list[bytes]], /) -> tuple[int, errors.ReplyError | None]: ...
        def use(self, db: int, /) -> object: ...


CHUNK = 1 << 16
LINE = 32  # longest line with a length
ANNOTATION = 1024  # longest line that starts with "#"
PROBES, HIDDEN = 64, 3  # places looked at, and commands in a row that are no accident
MARKS = (b"MULTI", b"EXEC", b"SELECT")
UNKNOWN = "the file is whole, but says what redtool cannot do; a server that can may rewrite it (BGREWRITEAOF)"
ENDLESS = "a greater value in redtool.conf, or 0, lets it"
FATAL = (errors.UnknownCommand, errors.UnknownSubcommand, errors.WrongArity, errors.RunsOn)


class _Numbers(dict[bytes, int]):
    """``*3`` or ``$3`` -> 3; ValueError for anything but a canonical number after that sign."""

    def __init__(self, sign: bytes) -> None:
        super().__init__()
        self.sign = sign

    def __missing__(self, line: bytes) -> int:
        digits = line[1:]
        odd = len(digits) > 18 or (digits[:1] == b"0" and len(digits) > 1)
        if line[:1] != self.sign or not digits.isdigit() or odd:
            raise Damaged("a command does not start with * and a count" if self.sign == b"*" else "not a word's length")
        value = int(digits)
        if value < 4096:
            self[line] = value
        return value


class _Headers(dict[int, bytes]):
    """3 -> ``$3``."""

    def __missing__(self, size: int) -> bytes:
        line = b"$%d" % size
        if size < 4096:
            self[size] = line
        return line


COUNTS, SIZES, HEADERS = _Numbers(b"*"), _Numbers(b"$"), _Headers()


class Replay:
    """The replay of one file. After ``run``, ``whole`` is where the last whole command or transaction ends."""

    def __init__(self, data: Buffer, path: str, sink: Sink, warn: Callable[[str], None]) -> None:
        self.data, self.path, self.sink, self.warn = data, path, sink, warn
        self.end = len(data)
        self.whole = 0
        self.commands = 0
        self.failed = 0  # commands that answered an error, which servers ignore
        self._transaction: list[list[bytes]] | None = None
        self._began = (0, 0)  # position of the chunk and number in it of the command that opened it

    def run(self) -> None:
        """Replay everything that is whole. Raises CorruptFile."""
        import gc

        collecting = gc.isenabled()
        gc.disable()  # as in rdb.load: what is loaded is no garbage
        try:
            self._run()
        finally:
            if collecting:
                gc.enable()

    def _run(self) -> None:
        pos = load(self.data, self.sink, path=self.path, warn=self.warn) if is_rdb(self.data) else 0
        self.whole = pos
        while pos < self.end:
            try:
                commands, size = split(self.data[pos : pos + CHUNK])
                if not size:
                    found = one(self.data, pos, self.end)
                    if found is None:
                        if hides_commands(self.data, pos, self.end):
                            raise Damaged("a length reaches past the end of the file, over whole commands")
                        break
                    commands, size = ([found[0]] if found[0] else []), found[1] - pos
            except DAMAGE as error:
                raise self._damaged(pos, error) from None
            self._execute(commands, pos)
            pos += size
            if self._transaction is None:
                self.whole = pos
        if self._transaction is not None:
            self.whole = self._place(*self._began)

    def _damaged(self, pos: int, error: Exception) -> errors.CorruptFile:
        """The error for a chunk, with the offset of the command that cannot be read."""
        try:
            while found := one(self.data, pos, self.end):
                pos = found[1]
        except DAMAGE as exact:
            error = exact
        return _corrupt(self.path, pos, str(error) if isinstance(error, Damaged) else "damaged command")

    def _execute(self, commands: list[list[bytes]], chunk: int) -> None:
        batch: list[list[bytes]] = []
        for number, argv in enumerate(commands):
            name = argv[0]
            if len(name) < 7 and name.upper() in MARKS and (name[0] not in b"sS" or self._transaction is None):
                self._perform(batch, chunk, number - len(batch))
                batch = []
                self._mark(argv, chunk, number)
            elif self._transaction is not None:
                self._transaction.append(argv)
            else:
                batch.append(argv)
        self._perform(batch, chunk, len(commands) - len(batch))
        self.commands += len(commands)

    def _perform(self, batch: list[list[bytes]], chunk: int, number: int, within: bool = False) -> None:
        """Hand commands on, the first of which has this number; ``within`` a transaction all have its number."""
        while batch:
            done, error = self.sink.run(batch)
            if error is not None:
                self._error(error, batch[done - 1], chunk, number if within else number + done - 1)
            batch, number = batch[done:], number if within else number + done

    def _mark(self, argv: list[bytes], chunk: int, number: int) -> None:
        """MULTI, EXEC, or SELECT outside of them."""
        if argv[0][0] in b"sS":
            self._use(argv, chunk, number)
            return
        opens = argv[0].upper() == b"MULTI"
        if opens == (self._transaction is not None):
            reason = "MULTI inside MULTI" if opens else "EXEC without MULTI"
            raise _corrupt(self.path, self._place(chunk, number), reason)
        if opens:
            self._transaction, self._began = [], (chunk, number)
            return
        group, self._transaction = self._transaction or [], None
        batch: list[list[bytes]] = []
        for words in group:
            if words[0].upper() == b"SELECT":
                self._perform(batch, *self._began, within=True)
                batch = []
                self._use(words, *self._began)
            else:
                batch.append(words)
        self._perform(batch, *self._began, within=True)

    def _use(self, argv: list[bytes], chunk: int, number: int) -> None:
        """SELECT: what follows belongs to another database."""
        if len(argv) != 2 or not argv[1].isdigit() or len(argv[1]) > 9:
            raise _corrupt(self.path, self._place(chunk, number), "SELECT without the number of a database")
        self.sink.use(int(argv[1]))

    def _error(self, error: errors.ReplyError, argv: list[bytes], chunk: int, number: int) -> None:
        if isinstance(error, FATAL):
            place, reason = self._place(chunk, number), error.message.partition(" ")[2].strip()
            hint = ENDLESS if isinstance(error, errors.RunsOn) else UNKNOWN
            raise errors.CorruptFile(self.path, place, reason, hint) from None
        self.failed += 1
        if self.failed == 1:
            place = self._place(chunk, number)
            self.warn(f"{self.path}: {quoted(argv[0])} at byte {place} answered: {error.message}")

    def _place(self, chunk: int, number: int) -> int:
        """The position of the command with this number in the chunk that begins at ``chunk``."""
        pos = chunk
        while found := one(self.data, pos, self.end):
            if found[0]:
                number -= 1
                if number < 0:
                    break
            pos = found[1]
        return pos


def split(chunk: bytes) -> tuple[list[list[bytes]], int]:
    """The whole commands at the start of a chunk, and how many bytes they take. Raises one of DAMAGE."""
    tokens = chunk.split(b"\r\n")
    last = len(tokens) - 1  # the token after the last CRLF is not finished
    commands: list[list[bytes]] = []
    headers = HEADERS
    at = 0
    while at < last:
        head = tokens[at]
        if head == b"*3" and at + 7 <= last:  # the most frequent: in half the time
            size, name, size2, key, size3, value = tokens[at + 1 : at + 7]
            if headers[len(name)] == size and headers[len(key)] == size2 and headers[len(value)] == size3:
                commands.append([name, key, value])
                at += 7
                continue
        if head[:1] == b"#":
            at += 1
            continue
        stop = at + 1 + 2 * COUNTS[head]
        if stop > last or stop == at + 1:
            break
        argv = tokens[at + 2 : stop : 2]
        if [headers[len(word)] for word in argv] != tokens[at + 1 : stop : 2]:
            found = _with_breaks(tokens, at, last)
            if found is None:
                break
            argv, stop = found
        commands.append(argv)
        at = stop
    return commands, len(chunk) - len(b"\r\n".join(tokens[at:]))


def _with_breaks(tokens: list[bytes], at: int, last: int) -> tuple[list[bytes], int] | None:
    """A command some of whose words contain CRLF, and the token after it; None when it is not finished."""
    argv: list[bytes] = []
    count = COUNTS[tokens[at]]
    at += 1
    while len(argv) < count:
        if at >= last:
            return None
        size = SIZES[tokens[at]]
        at += 1
        start, held = at, len(tokens[at])
        while held < size:
            at += 1
            if at >= last:
                return None
            held += 2 + len(tokens[at])
        if at >= last:
            return None
        if held > size:
            raise Damaged("a word is longer than announced")
        argv.append(b"\r\n".join(tokens[start : at + 1]))
        at += 1
    return argv, at


def one(data: Buffer, pos: int, end: int) -> tuple[list[bytes], int] | None:
    """One command (empty for an annotation) and the position after it; None when the file ends before it does."""
    if pos >= end:
        return None
    if data[pos] == 35:  # "#": an annotation such as #TS:1700000000
        stop = data.find(b"\r\n", pos, pos + ANNOTATION)
        if stop < 0 and pos + ANNOTATION <= end:
            raise Damaged("an annotation has no end")
        return None if stop < 0 else ([], stop + 2)
    head = _line(data, pos, end, b"*")
    if head is None:
        return None
    count, pos = head
    if count < 1:
        raise Damaged("a command without words")
    argv: list[bytes] = []
    while len(argv) < count:
        head = _line(data, pos, end, b"$")
        if head is None:
            return None
        size, start = head
        pos = start + size
        if pos + 2 > end:
            if data[pos:end] not in (b"", b"\r"):
                raise Damaged("a word is longer than announced")
            return None
        if data[pos : pos + 2] != b"\r\n":
            raise Damaged("a word is longer than announced")
        argv.append(data[start:pos])
        pos += 2
    return argv, pos


def _line(data: Buffer, pos: int, end: int, sign: bytes) -> tuple[int, int] | None:
    """The number on a line and the position after it; None when the file ends in a line that could become one."""
    stop = data.find(b"\r\n", pos, pos + LINE)
    numbers = COUNTS if sign == b"*" else SIZES
    if stop >= 0:
        return numbers[data[pos:stop]], stop + 2
    line = data[pos : pos + LINE]
    if pos + LINE < end or (line not in (b"", sign) and numbers[line.removesuffix(b"\r")] < 0):
        raise Damaged("a line with a length has no end")
    return None


def hides_commands(data: Buffer, pos: int, end: int) -> bool:
    """Tell a damaged length from a torn tail: whole commands lie inside what the last command announces."""
    for _ in range(PROBES):
        pos = data.find(b"\r\n*", pos + 1)
        if pos < 0:
            return False
        at, whole = pos + 2, 0
        try:
            while whole < HIDDEN and (found := one(data, at, end)):
                at, whole = found[1], whole + 1
        except DAMAGE:
            continue
        if whole == HIDDEN:
            return True
    return False


def replay_file(path: str, sink: Sink, warn: Callable[[str], None]) -> tuple[int, Replay]:
    """Replay one file of an AOF; gives its size and what was found. Raises FileNotFoundError, StoreError."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = file.seek(0, 2)
            if not size and path.endswith(".rdb"):  # a snapshot of nothing has a head and an end
                raise errors.CorruptFile(path, 0, "the file is empty")
            if size < MAP_FROM:
                file.seek(0)
                replay = Replay(file.read(), path, sink, warn)
                replay.run()
            else:
                from mmap import ACCESS_READ, mmap

                with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                    replay = Replay(data, path, sink, warn)
                    replay.run()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise errors.StoreError(f"cannot read {path}: {error.strerror}") from None
    return size, replay


def _corrupt(path: str, pos: int, reason: str) -> errors.CorruptFile:
    return errors.CorruptFile(path, pos, reason, repair_hint(path))


def repair_hint(path: str) -> str:
    """What a person can do about a damaged file of an AOF; nothing for a file on its own."""
    from os import listdir
    from os.path import dirname

    try:
        named = any(name.endswith(".manifest") for name in listdir(dirname(path) or "."))
    except OSError:
        named = False
    return f"redtool aof fix {dirname(dirname(path)) or '.'}" if named else ""
