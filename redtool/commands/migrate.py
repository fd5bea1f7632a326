"""MIGRATE: move keys to another server, as DUMP there, RESTORE here would."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.numeric import to_int
from redtool.resp import OK, Decoder, Status, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")

USUAL_TIMEOUT = 1000  # ms, where 0 or less is asked for


class Order:
    """What a MIGRATE asks for: the options before KEYS, and which keys."""

    def __init__(self, key: bytes, words: tuple[bytes, ...]) -> None:
        self.copy = self.replace = False
        self.login: tuple[bytes, ...] = ()
        self.keys: tuple[bytes, ...] = (key,)
        at = 0
        while at < len(words):
            word, left = words[at].upper(), len(words) - at - 1
            if word == b"COPY":
                self.copy = True
            elif word == b"REPLACE":
                self.replace = True
            elif word in (b"AUTH", b"AUTH2") and left >= len(word) - 3:
                self.login = (b"AUTH", *words[at + 1 : at + len(word) - 2])
                at += len(word) - 3
            elif word == b"KEYS":
                if key:
                    raise errors.MigrateKeys
                self.keys = words[at + 1 :]
                break
            else:
                raise errors.SyntaxError_
            at += 1


@command("MIGRATE host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username "
         "password] [KEYS key [key ...]]", "write movablekeys", since="2.6.0",
         complexity="O(N) elements of the keys")  # fmt: skip
def migrate(c: Session, host: bytes, port: bytes, key: bytes, db: bytes, timeout: bytes, *words: bytes) -> Reply:
    """Move keys to another server: they are gone here once they are there.

    > MIGRATE 127.0.0.1 6380 user:1000 0 1000
    NOKEY
    """
    order = Order(key, words)
    limit, index = to_int(timeout), to_int(db)
    entries = [(name, value, c.db.expires.get(name)) for name in order.keys if (value := c.db.peek(name)) is not None]
    if not entries:
        return Status(b"NOKEY")
    extra = (b"REPLACE",) if order.replace else ()
    requests = [(b"RESTORE", name, time_left(c, when), c.store.pack(value), *extra) for name, value, when in entries]
    before = [order.login] if order.login else []
    before.append((b"SELECT", b"%d" % index))
    replies = exchange(host, to_int(port), [*before, *requests], (limit if limit > 0 else USUAL_TIMEOUT) / 1000)
    failed = next((reply for reply in replies if isinstance(reply, errors.ReplyError)), None)
    if any(isinstance(reply, errors.ReplyError) for reply in replies[: len(before)]):
        raise errors.MigrateTarget(failed.message if failed else "")
    c.journal()
    if not order.copy:
        for (name, _, _), reply in zip(entries, replies[len(before) :], strict=True):
            if not isinstance(reply, errors.ReplyError):
                c.delete(name)
    if failed is not None:
        raise errors.MigrateTarget(failed.message)
    return OK


def time_left(c: Session, when: int | None) -> bytes:
    """RESTORE's ttl for a deadline: milliseconds from now, 0 for none."""
    return b"0" if when is None else b"%d" % max(when - c.now, 1)


def exchange(host: bytes, port: int, requests: list[tuple[bytes, ...]], timeout: float) -> list[Reply]:
    """Send requests to a server and give its replies; nothing is moved when it cannot be reached in time."""
    import socket

    decoder, replies = Decoder(), list[object]()
    done = "writing to"
    try:
        with socket.create_connection((host.decode("utf-8", "surrogateescape"), port), timeout) as sock:
            for request in requests:
                sock.sendall(pack(request))
            done = "reading from"
            while len(replies) < len(requests):
                data = sock.recv(1 << 16)
                if not data:
                    raise ConnectionError
                decoder.feed(data)
                replies += decoder.take()
    except (OSError, UnicodeError, OverflowError, errors.ProtocolError):
        raise errors.MigrateFailed(done) from None
    return replies
