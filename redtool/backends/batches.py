"""A batch of commands for several nodes, or for one that may change: what goes together, and what goes by itself."""

from __future__ import annotations

from redtool.backends.connection import ConnectionLost, Uncertain
from redtool.backends.dispatch import Job, dispatch
from redtool.backends.remote import WAITING, encoded
from redtool.backends.routing import ANY
from redtool.errors import ConnectError, FateUnknown, ReplyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redtool.backends.dispatch import Places
    from redtool.backends.remote import Word
    from redtool.resp import Reply

    Lines = list[list[bytes]]

ALONE = -2  # the place of what concerns several nodes, or the state of a connection


class Batch:
    """Runs batches. ``place`` gives the slot of a command, ANY or ALONE; ``alone`` runs one, an error is a value."""

    def __init__(self, places: Places, place: Callable[[bytes, list[bytes]], int],
                 alone: Callable[[bytes, list[bytes]], Reply]) -> None:  # fmt: skip
        self._places, self._place, self._alone = places, place, alone

    def one(self, argv: Sequence[Word]) -> Reply:
        """Run one command as a backend's ``execute`` does."""
        (name,), (words,) = encoded([argv])
        reply = self._alone(name, words)
        if isinstance(reply, FateUnknown):
            raise Uncertain(reply.message.partition(" ")[2])
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def run(self, batch: Sequence[Sequence[Word]], stop: bool) -> list[Reply]:
        """Run commands, an error is a value, FateUnknown too; gives as many replies as a backend's ``pipeline`` does.

        ConnectError when a node stays out of reach: ``replies`` are of the first commands, of those after them what was
        for other nodes has run.
        """
        names, lines = encoded(batch)
        replies: list[Reply] = []
        try:
            self._carefully(names, lines, replies) if stop else self._together(names, lines, replies)
        except ConnectError as error:
            lost = ConnectionLost(*error.args)
            lost.replies = tuple(replies)
            raise lost from None
        return replies

    def _together(self, names: list[bytes], lines: Lines, replies: list[Reply]) -> None:
        """Gather commands for as long as they have keys, or have none: order is kept between the two."""
        jobs: list[Job] = []
        for name, words in zip(names, lines, strict=True):
            slot = self._place(name, words)
            if jobs and (slot == ALONE or (slot == ANY) is not (jobs[0].slot == ANY)):
                self._run(jobs, replies)
                jobs = []
            if slot != ALONE:
                jobs.append(Job(words, slot))
                continue
            if replies and name in WAITING:
                return
            replies.append(self._alone(name, words))
        self._run(jobs, replies)

    def _run(self, jobs: list[Job], replies: list[Reply]) -> None:
        """Run jobs and append their replies, in their order; as far as they go when a node is out of reach."""
        try:
            dispatch(self._places, jobs)
        finally:
            for job in jobs:
                if not job.done:
                    break
                replies.append(job.reply)

    def _carefully(self, names: list[bytes], lines: Lines, replies: list[Reply]) -> None:
        """Run commands one by one up to the first error: nothing is sent ahead."""
        for name, words in zip(names, lines, strict=True):
            replies.append(self._alone(name, words))
            if isinstance(replies[-1], ReplyError):
                return
