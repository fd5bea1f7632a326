"""Store items in a backend: RESTORE of many in one round trip, in a form that the target takes, else with commands.

A payload is sent as it came. Where the target does not know its version, it is encoded anew in one that it does: what
a Valkey 9 dumped goes into a Redis, and the other way. Where RESTORE is not to be had, or takes no form of a value,
the commands that make it are sent, in a transaction of their own. Nothing that is there is touched unless told.
"""

from __future__ import annotations

from redtool.errors import ReplyError, StoreError, Unfit
from redtool.persist.payload import pack, versions
from redtool.transfer.asking import ask, forbidden
from redtool.transfer.recipes import older, recipe, refused_as_new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from redtool.backends import Backend
    from redtool.transfer.items import Item

    Argv = tuple[bytes, ...]
    # What became of an item: True it is stored, False there is something under its key, or why it could not be
    Outcome = bool | Exception

EXISTS = "the key exists"


class Writer:
    """Writes to the database that is selected."""

    def __init__(self, backend: Backend, replace: bool = False) -> None:
        self.backend, self.replace = backend, replace
        self.refused: set[int] = set()  # versions of payloads that the target does not know
        self.restores = True  # it has RESTORE
        self.transactions = True  # it has MULTI
        self.new = True  # it knows what Redis 7 brought

    def store(self, items: Sequence[Item]) -> list[Outcome]:
        """Store items; gives what became of each."""
        done: dict[int, Outcome] = {}
        forms: dict[int, Iterator[tuple[int, bytes]]] = {at: self._forms(item) for at, item in enumerate(items)}
        left = list(range(len(items)))
        while left and self.restores:
            tries = [(at, next(forms[at], None)) for at in left]
            sent = [(at, *form) for at, form in tries if form is not None]
            replies = ask(self.backend, [self._restore(items[at], payload) for at, _, payload in sent]) if sent else []
            left = [at for at, form in tries if form is None]
            spelled, left = left, []
            for (at, version, _), reply in zip(sent, replies, strict=True):
                outcome = self._outcome(reply, version)
                if outcome is None:
                    left.append(at)
                else:
                    done[at] = outcome
            done.update(zip(spelled, self._spell([items[at] for at in spelled]), strict=True))
        done.update(zip(left, self._spell([items[at] for at in left]), strict=True))
        return [done[at] for at in range(len(items))]

    def _forms(self, item: Item) -> Iterator[tuple[int, bytes]]:
        """(version, payload) one after the other, most faithful first."""
        if item.payload and item.version not in self.refused:
            yield item.version, item.payload
        try:
            known = versions(item.value)
        except ReplyError:
            return  # a module's value: as it came, or not at all
        for version in known:
            if version not in self.refused and version != item.version:
                try:
                    yield version, pack(item.value, version)
                except Unfit:
                    continue

    def _restore(self, item: Item, payload: bytes) -> Argv:
        when = (b"%d" % item.deadline, payload, b"ABSTTL") if item.deadline is not None else (b"0", payload)
        return (b"RESTORE", item.key, *when, *((b"REPLACE",) if self.replace else ()), *item.usage)

    def _outcome(self, reply: object, version: int) -> Outcome | None:
        """What a reply to RESTORE means; None: try another form."""
        if not isinstance(reply, ReplyError):
            return True
        if reply.code == "BUSYKEY":
            return False
        text = reply.message.lower()
        if "payload version or checksum" in text:
            self.refused.add(version)
            return None
        if "bad data format" in text:
            return None
        if forbidden(reply, "restore"):
            self.restores = False
            return None
        return reply

    def _spell(self, items: Sequence[Item]) -> list[Outcome]:
        """Store items with commands."""
        if not items:
            return []
        busy = [False] * len(items)
        if not self.replace:
            busy = [bool(reply) for reply in ask(self.backend, [(b"EXISTS", item.key) for item in items])]
        return [False if there else self._spelled(item) for item, there in zip(items, busy, strict=True)]

    def _spelled(self, item: Item) -> Outcome:
        """Store one item whose key is free, or may be replaced."""
        try:
            lines = recipe(item.key, item.value, item.deadline)
        except (ReplyError, StoreError) as error:
            return error
        if self.replace:
            lines.insert(0, (b"DEL", item.key))
        failed = self._run(lines if self.new else [older(line) for line in lines])
        if failed is not None and self.new and refused_as_new(failed):
            self.new = False
            if not self.transactions:
                ask(self.backend, [(b"DEL", item.key)])  # what has come of it so far
            failed = self._run([older(line) for line in lines])
        if failed is not None and forbidden(failed, "hpexpireat"):
            return StoreError("some of its fields have TTLs, which the target does not know")
        return True if failed is None else failed

    def _run(self, lines: list[Argv]) -> ReplyError | None:
        """Run commands, all or none where the target can; gives the first error."""
        if not self.transactions:
            return _first_error(ask(self.backend, lines))
        *replies, done = ask(self.backend, [(b"MULTI",), *lines, (b"EXEC",)])
        if forbidden(replies[0], "multi"):
            self.transactions = False
            return _first_error(replies[1:])
        return _first_error(replies) or _first_error(done if isinstance(done, list) else [done])


def _first_error(replies: Sequence[object]) -> ReplyError | None:
    return next((reply for reply in replies if isinstance(reply, ReplyError)), None)
