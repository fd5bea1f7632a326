"""Write dump.rdb: beside it, synced, then renamed over it."""

from __future__ import annotations

import os

from redtool.persist.files import replace
from redtool.persist.save import FIELDS_REDIS, VERSION, save_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from redtool.persist.save import Aux, Databases


def write_dump(path: str, databases: Databases, functions: Iterable[bytes] = (), aux: Aux = (("aof-base", 0),),
               version: int = VERSION, fields_version: int = FIELDS_REDIS) -> None:  # fmt: skip
    """Replace the snapshot at ``path`` with one of ``databases``. Raises OSError or Unfit and leaves the old one."""
    temporary = os.path.join(os.path.dirname(path), f"temp-{os.getpid()}.rdb")
    replace(path, temporary, lambda fd: save_to(fd, databases, functions, aux, version, fields_version))
