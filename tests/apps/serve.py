"""A store directory served on a TCP port: ``python -m tests.apps.serve DIRECTORY PORT``."""

from __future__ import annotations

import signal
import sys

from redtool.persistence import Persistence
from redtool.server.listener import Listener

if __name__ == "__main__":
    persistence = Persistence.open(sys.argv[1], fork=True)
    listener = Listener(persistence.store, persistence)
    listener.listen_tcp(port=int(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_: listener.stop())
    listener.run()
    listener.close()
    persistence.close()
