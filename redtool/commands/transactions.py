"""MULTI, EXEC, DISCARD, WATCH, UNWATCH."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.resp import OK, Replies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.resp import Reply
    from redtool.session import Session

command = group("transactions")


@command("MULTI", "noscript loading stale fast allow_busy", since="1.2.0")
def multi(c: Session) -> Reply:
    """Start a transaction: commands are queued until EXEC.

    > MULTI
    OK
    > INCR visits
    QUEUED
    > RPUSH log visit
    QUEUED
    > EXEC
    1) (integer) 1
    2) (integer) 1
    """
    if c.queue is not None:
        raise errors.NestedMulti
    c.queue = []
    c.aborted = False
    c.review()
    return OK


@command("EXEC", "noscript loading stale skip_slowlog", since="1.2.0", complexity="Depends on the queued commands")
def exec_(c: Session) -> Reply:
    """Run the queued commands as one; nil when a watched key changed.

    > MULTI
    OK
    > SET greeting hello
    QUEUED
    > INCR greeting
    QUEUED
    > EXEC
    1) OK
    2) (error) ERR value is not an integer or out of range
    """
    if c.queue is None:
        raise errors.ExecWithoutMulti
    queue, spoiled, dirty = c.queue, c.aborted, c.dirty or stale_watch(c)
    leave(c)
    if spoiled:
        raise errors.ExecAbort
    if dirty:
        return c.no_array
    replies: list[Reply] = []
    c.deny_block = True
    c.store.begin()
    try:
        c.store.run(c, queue, replies)
    finally:
        c.deny_block = False
        c.journal()
        c.store.commit()
    if c.store.hub is not None:  # a SUBSCRIBE among them: its one confirmation is its reply
        replies = [reply[0] if type(reply) is Replies and len(reply) == 1 else reply for reply in replies]
    return replies


@command("DISCARD", "noscript loading stale fast allow_busy", since="2.0.0", complexity="O(N) queued commands")
def discard(c: Session) -> Reply:
    """Forget the queued commands and the watched keys.

    > MULTI
    OK
    > INCR visits
    QUEUED
    > DISCARD
    OK
    > EXISTS visits
    (integer) 0
    """
    if c.queue is None:
        raise errors.DiscardWithoutMulti
    leave(c)
    return OK


@command("WATCH key [key ...]", "noscript loading stale fast allow_busy no_multi", since="2.2.0",
         complexity="O(1) a key")  # fmt: skip
def watch(c: Session, *keys: bytes) -> Reply:
    """Make the next EXEC depend on these keys staying as they are.

    > WATCH stock:pens
    OK
    > SET stock:pens 9
    OK
    > MULTI
    OK
    > EXEC
    (nil)
    """
    if c.queue is not None:
        raise errors.WatchInsideMulti
    for key in keys:
        if (c.db, key) not in c.watching:
            c.db.peek(key)
            c.watching.append((c.db, key))
            c.db.watched.setdefault(key, set()).add(c)
    return OK


@command("UNWATCH", "noscript loading stale fast allow_busy", since="2.2.0")
def unwatch(c: Session) -> Reply:
    """Forget the watched keys.

    > WATCH stock:pens
    OK
    > UNWATCH
    OK
    """
    c.unwatch()
    return OK


def leave(c: Session) -> None:
    """Close the transaction of a session, run or not."""
    c.queue = None
    c.aborted = False
    c.unwatch()
    c.review()


def stale_watch(c: Session) -> bool:
    """Tell whether a watched key has passed its deadline since; it counts as changed."""
    return any(db.is_stale(key) for db, key in c.watching)
