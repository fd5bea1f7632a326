"""Write a snapshot: beside its place, synced, then renamed into it; at once or step by step."""

from __future__ import annotations

import os

from redtool.persist.files import create, remove, sync_directory
from redtool.persist.save import FIELDS_REDIS, VERSION, Body, write_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from redtool.persist.save import Aux, Databases


class Snapshot:
    """A snapshot being written to ``temporary``, and put in the place of ``target`` if there is one."""

    def __init__(self, body: Body, temporary: str, target: str = "") -> None:
        self.body, self.temporary, self.target = body, temporary, target
        self._fd = create(temporary)

    def steps(self) -> Iterator[int]:
        """Write it piece by piece: bytes so far. Raises OSError, Unfit; then ``discard`` it."""
        return write_body(self._fd, self.body)

    def finish(self) -> None:
        """Sync what was written and put it in its place. Raises OSError."""
        os.fsync(self._fd)
        self._close()
        if self.target:
            os.rename(self.temporary, self.target)
            sync_directory(os.path.dirname(self.target) or ".")

    def discard(self) -> None:
        """Remove what was written so far."""
        self._close()
        remove(self.temporary)

    def write(self, advance: Callable[[int], None] | None = None) -> int:
        """Write all of it; gives its size. Raises OSError or Unfit and leaves nothing.

        advance: told now and then how many bytes there are so far.
        """
        size = 0
        try:
            for size in self.steps():
                if advance is not None:
                    advance(size)
            self.finish()
        except BaseException:
            self.discard()
            raise
        return size

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def dump(path: str, databases: Databases, functions: Iterable[bytes] = (), aux: Aux = (("aof-base", 0),),
         version: int = VERSION, fields_version: int = FIELDS_REDIS) -> Snapshot:  # fmt: skip
    """A snapshot to replace the one at ``path``; a server's name for what is written first tells whose it is."""
    temporary = os.path.join(os.path.dirname(path), f"temp-{os.getpid()}.rdb")
    return Snapshot(Body(databases, functions, aux, version, fields_version), temporary, path)


def write_dump(path: str, databases: Databases, functions: Iterable[bytes] = (), aux: Aux = (("aof-base", 0),),
               version: int = VERSION, fields_version: int = FIELDS_REDIS) -> None:  # fmt: skip
    """Replace the snapshot at ``path`` with one of ``databases``. Raises OSError or Unfit and leaves the old one."""
    dump(path, databases, functions, aux, version, fields_version).write()
