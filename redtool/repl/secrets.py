"""Tell which lines hold a secret: they are neither written to the history nor suggested from it.

The list is redis-cli's (AUTH, ACL, CONFIG SET, HELLO, MIGRATE, SENTINEL), and what redtool adds: CONNECT with a
password in its URL.
"""

from __future__ import annotations

from collections.abc import Sequence

from redtool.repl.judge import repeats
from redtool.repl.typed import Typed

ACL = frozenset((b"SETUSER", b"GETUSER", b"DELUSER"))
PARAMETERS = frozenset(
    (b"MASTERAUTH", b"MASTERUSER", b"REQUIREPASS", b"TLS-KEY-FILE-PASS", b"TLS-CLIENT-KEY-FILE-PASS")
)
SENTINEL_SET = frozenset((b"AUTH-PASS", b"AUTH-USER"))
SENTINEL_CONFIG = frozenset((b"SENTINEL-PASS", b"SENTINEL-USER"))
MIGRATE = frozenset((b"AUTH", b"AUTH2"))


def is_secret(text: str) -> bool:
    """Whether a typed text, of one line or several, must not be kept; what cannot be split is looked at too."""
    return any(_holds_secret(line) for line in [text, *text.split("\n")] if line.strip())


def _holds_secret(line: str) -> bool:
    words = Typed(line).values
    words = [word.upper() for word in words[repeats(words) :]]
    if not words:
        return False
    name, rest = words[0], words[1:]
    if name == b"AUTH":
        return True
    if name == b"ACL":
        return bool(rest) and rest[0] in ACL
    if name == b"CONFIG":
        return rest[:1] == [b"SET"] and _has(rest[1:], PARAMETERS)
    if name == b"HELLO":
        return b"AUTH" in rest[1:]
    if name == b"MIGRATE":
        return _has(rest, MIGRATE)
    if name == b"SENTINEL":
        if rest[:2] == [b"CONFIG", b"SET"]:
            return _has(rest[2:], SENTINEL_CONFIG)
        return rest[:1] == [b"SET"] and _has(rest[1:], SENTINEL_SET)
    return name == b"CONNECT" and any(b"@" in word or b"PASSWORD=" in word for word in rest)


def _has(words: Sequence[bytes], secret: frozenset[bytes]) -> bool:
    return not secret.isdisjoint(words)
