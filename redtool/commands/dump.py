"""DUMP and RESTORE: a value as bytes that another server takes, and back."""

from __future__ import annotations

from redtool import errors
from redtool.commands.table import group
from redtool.numeric import INT64_MAX, to_int
from redtool.resp import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redtool.resp import Reply
    from redtool.session import Session

command = group("generic")


@command("DUMP key", "readonly", since="2.6.0", complexity="O(N) elements")
def dump(c: Session, key: bytes) -> Reply:
    r"""Give the value under a key as bytes for RESTORE; nil when missing.

    > SET greeting hello
    OK
    > DUMP greeting
    "\x00\x05hello…"
    """
    value = c.db.get(key)
    if value is None:
        c.missed(key)
        return None
    c.store.hits += 1
    return c.store.pack(value)


@command("RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]", "write denyoom",
         since="2.6.0", complexity="O(N) elements")  # fmt: skip
def restore(c: Session, key: bytes, ttl: bytes, payload: bytes, *args: bytes) -> Reply:
    r"""Store a value that DUMP gave; ``ttl`` is in milliseconds, 0 for ever.

    > RESTORE greeting 0 "\x00\x05hello\n\x00cr\xdfve4 \n"
    OK
    > GET greeting
    "hello"
    """
    opt = restore.trailing(args)
    idle, frequency = uses_of(opt)
    if b"REPLACE" not in opt and c.db.peek(key) is not None:
        raise errors.BusyKey
    lifetime = to_int(ttl)
    if lifetime < 0:
        raise errors.InvalidTtl
    value = c.store.unpack(payload)
    when = lifetime if b"ABSTTL" in opt or not lifetime else c.now + lifetime
    if when > INT64_MAX:
        raise errors.InvalidExpire("restore")
    if when and c.passed(when):
        if c.db.peek(key) is not None:
            c.delete(key)
        return OK
    c.db.vacate(key)
    c.put(key, value)
    c.db.note_fields(key, value)
    kept = c.store.journalled(value, payload)
    if when:
        c.db.expire_at(key, when)
    if when or kept is not payload:
        words = [word for name in (b"IDLETIME", b"FREQ") if name in opt for word in (name, opt[name])]
        c.journal(b"RESTORE", key, b"%d" % when, kept, b"REPLACE", b"ABSTTL", *words)
    if idle is not None:
        from redtool.commands.introspection import note_uses

        note_uses(c)
    if c.db.uses is not None:
        c.db.uses.note(key, idle, frequency)
    c.changed(key, b"restore")
    return OK


def uses_of(opt: dict[bytes, Any]) -> tuple[int | None, int | None]:
    """Read IDLETIME, in seconds, and FREQ."""
    if b"IDLETIME" in opt and b"FREQ" in opt:
        raise errors.SyntaxError_
    idle = to_int(opt[b"IDLETIME"]) if b"IDLETIME" in opt else None
    frequency = to_int(opt[b"FREQ"]) if b"FREQ" in opt else None
    if idle is not None and idle < 0:
        raise errors.InvalidIdleTime
    if frequency is not None and not 0 <= frequency <= 255:
        raise errors.InvalidFrequency
    return idle, frequency


@group("server")("RESTORE-ASKING key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
                 "write denyoom asking", since="3.0.0", complexity="O(N) elements")  # fmt: skip
def restore_asking(c: Session, key: bytes, ttl: bytes, payload: bytes, *args: bytes) -> Reply:
    r"""Restore a value in a slot that is on its way here; without a cluster, RESTORE.

    > RESTORE-ASKING greeting 0 "\x00\x05hello\n\x00cr\xdfve4 \n"
    OK
    > GET greeting
    "hello"
    """
    before = c.store.changes
    reply: Reply = restore.handler(c, key, ttl, payload, *args)  # type: ignore[misc]
    if c.store.changes != before and c.effects is None:
        c.journal(b"RESTORE", key, ttl, payload, *args)
    return reply
