"""What the placeholders of syntax lines stand for: a type to validate and complete by, a role to colour by."""

from __future__ import annotations

from redtool.notation import KEYS

# Placeholder -> type. Only those of NOUNS are validated; the others say where completions come from.
TYPES = {
    word: kind
    for kind, words in {
        "key": " ".join(sorted(KEYS)),
        "integer": "bit bits config-epoch count db decrement destination-db entries-added entries-read frequency idle "
        "increment index index1 index2 len limit maxage milliseconds min-idle-time min-match-len ms num-matches "
        "num-vertices numfields numkeys numlocal numreplicas offset protover rank seconds ttl version client-id "
        "not-client-id",
        "double": "height latitude longitude radius score timeout weight width",
        "unix-time": "unix-time-seconds unix-time-milliseconds",
        "cursor": "cursor",
        "pattern": "pattern match-pattern library-name-pattern",
        "field": "field",
        "member": "member member1 member2",
        "value": "value element pivot message comparison-value",
        "group": "group",
        "consumer": "consumer",
        "id": "id last-id lastid max-deleted-id",
        "bound": "start stop end min max threshold",
        "channel": "channel",
        "shardchannel": "shardchannel",
        "command": "command command-name",
        "parameter": "parameter",
        "section": "section",
        "username": "username",
        "password": "password",
        "category": "category",
        "rule": "rule",
        "type": "type",
        "script": "script",
        "function": "function",
        "library": "library-name",
        "sha1": "sha1",
        "host": "host ip",
        "port": "port",
        "node": "node-id",
        "slot": "slot start-slot end-slot",
        "event": "event",
        "encoding": "encoding",
        "path": "path",
    }.items()
    for word in words.split()
}

# Where a placeholder of another type means a whole number.
RANKS = frozenset(("BITCOUNT", "BITPOS", "GETRANGE", "LRANGE", "LTRIM", "SUBSTR", "ZREMRANGEBYRANK", "ZREVRANGE"))

# Type -> role in ``spans``; the others are "argument".
ROLES = {
    "key": "key", "field": "field", "member": "member", "value": "value", "integer": "integer", "double": "double",
    "unix-time": "integer", "cursor": "integer", "pattern": "pattern", "id": "id", "bound": "bound",
    "channel": "channel", "shardchannel": "channel", "group": "group", "consumer": "group", "command": "command",
    "script": "script", "password": "secret",
}  # fmt: skip


def type_of(name: str, placeholder: str) -> str:
    """The type of a placeholder in a command: ``type_of("LRANGE", "start")`` is "integer"."""
    kind = TYPES.get(placeholder, "string")
    if kind == "bound" and name in RANKS:
        return "integer"
    if placeholder == "increment" and (name.endswith("FLOAT") or name == "ZINCRBY"):
        return "double"
    if placeholder == "offset" and (name.startswith("BITFIELD") or name == "PSYNC"):
        return "string"  # BITFIELD takes #n
    return kind


def role_of(name: str, placeholder: str) -> str:
    if placeholder in ("score", "weight"):
        return "score"
    return ROLES.get(type_of(name, placeholder), "argument")


def fits(kind: str, word: bytes) -> bool:
    """Whether a word may be of a type; when in doubt it may."""
    if kind in ("integer", "unix-time"):
        try:
            int(word)
        except ValueError:
            return False
    elif kind == "double":
        try:
            float(word)
        except ValueError:
            return word.lstrip(b"+-")[:2].lower() == b"0x"
    elif kind == "id":
        return word[:1].isdigit() or word in (b"*", b"$", b">", b"+", b"-")
    return True


NOUNS = {"integer": "an integer", "unix-time": "a Unix time", "double": "a number", "id": "a stream ID"}
