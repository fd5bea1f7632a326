"""What was refused to whom: the entries of ACL LOG, like ones counted together."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session
    from redtool.store import Store

TOGETHER_MS = 60_000  # within which like refusals are one entry
LOOKED_AT = 10  # how many of the newest entries are looked at for a like one


class Entry:
    """One refusal, or several alike."""

    __slots__ = ("client", "context", "count", "created", "number", "reason", "updated", "user", "what")

    def __init__(self, reason: str, context: str, what: bytes, user: bytes, now: int) -> None:
        self.reason, self.context, self.what, self.user = reason, context, what, user
        self.created = self.updated = now
        self.count, self.number, self.client = 1, 0, b""

    def is_like(self, other: Entry) -> bool:
        mine = (self.reason, self.context, self.what, self.user)
        return mine == (other.reason, other.context, other.what, other.user) and (
            other.updated - self.updated <= TOGETHER_MS
        )

    def reply(self, now: int) -> dict[Reply, Reply]:
        """As ACL LOG shows it."""
        return {
            b"count": self.count, b"reason": self.reason.encode(), b"context": self.context.encode(),
            b"object": self.what, b"username": self.user, b"age-seconds": (now - self.updated) / 1000,
            b"client-info": self.client, b"entry-id": self.number, b"timestamp-created": self.created,
            b"timestamp-last-updated": self.updated,
        }  # fmt: skip


class Log:
    """The newest entries first, as many as acllog-max-len; ``denied`` counts all by reason."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.entries: deque[Entry] = deque()
        self.denied: dict[str, int] = {}
        self._made = 0

    def add(self, session: Session, reason: str, what: bytes, user: bytes, running: str) -> None:
        """Note a refusal; ``running`` is the full name of the command."""
        self.denied[reason] = self.denied.get(reason, 0) + 1
        entry = Entry(reason, context(session), what, user, session.now)
        entry.client = client_line(session, running)
        for place, old in zip(range(LOOKED_AT), self.entries, strict=False):
            if old.is_like(entry):
                old.client, old.updated = entry.client, entry.updated
                old.count += 1
                del self.entries[place]
                entry = old
                break
        else:
            entry.number = self._made
            self._made += 1
        self.entries.appendleft(entry)
        self.trim()

    def trim(self) -> None:
        most = self.store.config["acllog-max-len"]
        while len(self.entries) > most:
            self.entries.pop()


def context(session: Session) -> str:
    """Where a command was refused."""
    if session.caller is not None:
        return "lua"
    return "multi" if session.queue is not None or session.deny_block else "toplevel"


def client_line(session: Session, running: str) -> bytes:
    """The client as CLIENT INFO shows it; that of a script is its caller, and runs the script."""
    from redtool.commands.roster import line_of

    client = session.caller or session
    if session.caller is not None:
        running = client.last[0].decode("ascii", "replace").lower() if client.last else "eval"
    return line_of(client, client, running).rstrip(b"\n")
