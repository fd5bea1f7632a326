"""A host program that forks with a store open: ``python -m tests.clients.forking DIRECTORY`` prints what it sees."""

from __future__ import annotations

import os
import sys

import redtool
from redtool import errors


def in_child(work: object) -> None:
    """Run something in a forked child and wait for its end."""
    pid = os.fork()
    if not pid:
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def say(word: object) -> None:
    os.write(1, f"{word}\n".encode())


def connected(place: str) -> None:
    """Of two processes on one connection each would get replies of the other."""
    with redtool.open(place) as owner:
        one, server = redtool.open(place), redtool.connect(f"unix://{owner.socket}")

        def child() -> None:
            for _ in range(200):
                one.execute("INCR", "shared")
                server.execute("INCR", "shared")
            one.close()
            server.close()

        pid = os.fork()
        child()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        say(owner.execute("GET", "shared"))


def main(place: str) -> None:
    with redtool.open(place) as store, redtool.redis(place) as client:
        store.execute("SET", "n", 1)
        other = store.client()

        def child() -> None:
            for one in (store, other):
                try:
                    one.execute("INCR", "n")
                except errors.StoreError as error:
                    say(error)
            say(client.incr("n"))  # through the parent's socket
            with redtool.open(place) as again:
                say(again.execute("INCR", "n"))
            store.close()

        in_child(child)
        say(store.execute("INCR", "n"))
        read, write = os.pipe()
        if not os.fork():  # lives on, and holds nothing
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        say(other.execute("INCR", "n"))
    with redtool.open(place) as store:
        say(store.execute("GET", "n"))
        say(type(store).__name__)
    connected(place)


if __name__ == "__main__":
    main(sys.argv[1])
