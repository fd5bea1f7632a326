"""A host program that forks while it has a store open: the parent goes on with it, the child is left nothing of it.

The child has copies of the descriptors: of the lock, which would be taken for as long as it lives, of the socket, at
which it serves nobody, and of the journal, in which what it writes would be between the parent's lines. A connection
to a server it opens anew when it is used: two processes on one would get each other's replies.
"""

from __future__ import annotations

import os
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.backends.embedded import Embedded
    from redtool.backends.shared import Shared

OPEN: list[ref[Embedded | Shared]] = []


def note(one: Embedded | Shared) -> None:
    """See to it that a child is left nothing of this store or connection."""
    OPEN.append(ref(one, OPEN.remove))


def _leave() -> None:
    for known in list(OPEN):
        one = known()
        if one is not None:
            one.disown()


os.register_at_fork(after_in_child=_leave)
