"""Passwords in a command line, for those who show it: SLOWLOG, MONITOR, ACL LOG."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

REDACTED = b"(redacted)"
SECRETS = frozenset(b"requirepass masterauth primaryauth masteruser primaryuser tls-key-file-pass "
                    b"tls-client-key-file-pass".split())  # fmt: skip


def redacted(argv: Sequence[bytes]) -> list[bytes]:
    """The words of a command with ``(redacted)`` in the place of what nobody should see."""
    words = list(argv)
    name = words[0].upper()
    if name == b"AUTH":
        words[1:] = [REDACTED] * (len(words) - 1)
    elif name == b"HELLO":
        hide_after(words, b"AUTH", 2, 2)
    elif name == b"MIGRATE":
        hide_after(words, b"AUTH", 1, 6)
        hide_after(words, b"AUTH2", 2, 6)
    elif name == b"ACL" and len(words) > 1 and words[1].upper() == b"SETUSER":
        words[2:] = [REDACTED] * (len(words) - 2)
    elif name == b"CONFIG" and len(words) > 1 and words[1].upper() == b"SET":
        for at in range(2, len(words) - 1, 2):
            if words[at].lower() in SECRETS:
                words[at + 1] = REDACTED
    return words


def hide_after(words: list[bytes], option: bytes, count: int, start: int) -> None:
    """Hide the ``count`` words behind an option word."""
    for at in range(start, len(words)):
        if words[at].upper() == option:
            words[at + 1 : at + 1 + count] = [REDACTED] * len(words[at + 1 : at + 1 + count])
            return
