"""Another client of a store that this process has open."""

from __future__ import annotations

from redtool.backends.embedded import Embedded
from redtool.session import Session


class Guest(Embedded):
    """A session of its own on the store of a ``host``. Closing it ends the session and leaves the store open."""

    def __init__(self, host: Embedded) -> None:
        self.host, self.store, self.name, self.persistence = host, host.store, host.name, host.persistence
        self._lock, self._sharing, self.stop_asked = host._lock, None, host.stop_asked
        with self._lock:
            self.closed = host.closed
            self.session = Session(host.store)
            host.guests.add(self)

    @property
    def socket(self) -> str:
        return self.host.socket

    def share(self) -> None:
        self.host.share()

    def client(self) -> Guest:
        return self.host.client()

    def close(self) -> None:
        """End the session. Safe to call twice."""
        with self._lock:
            self.host.guests.discard(self)
            if not self.closed:
                self.closed = True
                self.session.close()
