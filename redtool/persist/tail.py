"""Read an AOF file a command at a time, with the place, the database and the time of each; go on when it has grown."""

from __future__ import annotations

import os

from redtool import errors
from redtool.persist.codecs import DAMAGE, Damaged
from redtool.persist.rdb import is_rdb
from redtool.persist.replay import one, repair_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 18  # bytes that are read at a time; more where a command is longer
STAMP = b"#TS:"


class Command:
    """One command: its first byte in the file, its database, and unix seconds of the last annotation before it."""

    __slots__ = ("argv", "db", "offset", "time")

    def __init__(self, offset: int, db: int, time: int | None, argv: list[bytes]) -> None:
        self.offset, self.db, self.time, self.argv = offset, db, time, argv


class Tail:
    """One file. ``pos`` is where the next command begins; ``keys`` is how many an RDB part before them holds."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.pos = self.db = 0
        self.time: int | None = None
        self.keys: int | None = None
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise errors.StoreError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
        if is_rdb(os.pread(self._fd, 8, 0)):
            self._pass_rdb()

    def _pass_rdb(self) -> None:
        from redtool.persist.walk import Walk, opened

        with opened(self.path) as data:
            walk = Walk(data, self.path, lambda db, type, key: False)
            for _ in walk:
                continue
            self.pos, self.keys = walk.pos, walk.keys_seen

    def read(self) -> Iterator[Command]:
        """The whole commands from ``pos`` on, SELECTs among them. Raises CorruptFile."""
        size = PIECE
        while data := os.pread(self._fd, size, self.pos):
            start = self.pos
            try:
                while (found := one(data, self.pos - start, len(data))) is not None:
                    argv, end = found
                    at, self.pos = self.pos, start + end
                    if argv:
                        if argv[0].upper() == b"SELECT" and len(argv) == 2 and argv[1].isdigit():
                            self.db = int(argv[1])
                        yield Command(at, self.db, self.time, argv)
                    else:
                        self._note(data[at - start : end])
            except DAMAGE as error:
                reason = str(error) if isinstance(error, Damaged) else "damaged command"
                raise errors.CorruptFile(self.path, self.pos, reason, repair_hint(self.path)) from None
            if len(data) < size and self.pos == start:
                return  # the rest is not there yet
            size = PIECE if self.pos > start else size * 2

    def _note(self, annotation: bytes) -> None:
        stamp = annotation[len(STAMP) :].strip()
        if annotation.startswith(STAMP) and stamp.isdigit():
            self.time = int(stamp)

    @property
    def rest(self) -> int:
        """Bytes behind the last whole command."""
        return max(os.fstat(self._fd).st_size - self.pos, 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
