"""Exit codes, the same for every way in (DESIGN 7)."""

from __future__ import annotations

OK = 0
ERROR_REPLY = 1  # an error reply, in pipes too; with --test also nil, 0, false or empty
USAGE = 2  # usage or quoting
NO_TARGET = 3  # cannot connect, authenticate or open the store
NOT_OBTAINED = 75  # lock, limit or quota not obtained
REFUSED = 77  # refused by the guard
TIMED_OUT = 124
INTERRUPTED = 130  # Ctrl-C

own_process = False  # True in redtool's own process, which may be ended; a host program's may not
