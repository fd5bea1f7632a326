"""Let other processes use the store that this one has open: a listener on its socket, in a thread of its own."""

from __future__ import annotations

from redtool import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread

    from redtool.persistence import Persistence
    from redtool.server.listener import Listener


class Sharing:
    """The listener and its thread; ``path`` is the socket. ``stop`` before the store is closed."""

    def __init__(self, listener: Listener, thread: Thread, path: str) -> None:
        self.listener, self.thread, self.path = listener, thread, path

    def stop(self) -> None:
        """Stop serving: what others have sent and has not run, they run elsewhere. Not with the store's lock held."""
        self.listener.stop()
        self.thread.join()
        self.listener.close()

    def disown(self) -> None:
        """Let go of copies of the descriptors: after a fork, in the child, which serves nobody."""
        for door in self.listener.doors:
            door.sock.close()
        for connection in self.listener.connections:
            connection.sock.close()
        self.listener.loop.disown()


def share(persistence: Persistence) -> Sharing | None:
    """Begin to serve others; None where that cannot be: they are told who has the store."""
    from threading import Thread

    from redtool.server.listener import Listener

    listener = Listener(persistence.store, persistence, alone=False)
    try:
        path = listener.share(persistence.directory)
        thread = Thread(target=listener.run, name="redtool-share", daemon=True)
        thread.start()
    except (errors.RedtoolError, OSError, RuntimeError):  # no sockets on this file system, no more threads
        listener.close()
        return None
    return Sharing(listener, thread, path)
