"""Give replies one shape, RESP3's, whatever protocol the server spoke.

RESP2 has neither maps nor doubles: HGETALL is a flat list, a score is a string. ``lift`` knows from
the command line what such a reply means, so that tables and JSON are the same from every server:

field-value replies   dict
scores                float; members with their scores are ``[[member, score], …]``
XREAD, XREADGROUP     ``{stream: entries}``
VSIM                  ``{element: score}``, attributes, or ``[score, attributes]``

A reply that has not the expected form is left as it is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Schema = dict[bytes, "Schema"] | list["Schema"]  # a map and its nested fields (b"*": every field) | a list of …

_ARGUMENTS: list[Schema] = []
_ARGUMENTS.append({b"arguments": _ARGUMENTS})
_DOC: dict[bytes, Schema] = {b"arguments": _ARGUMENTS}
_DOC[b"subcommands"] = {b"*": _DOC}
_SENTINEL: dict[bytes, Schema] = {
    b"SENTINEL MASTER": {},
    b"SENTINEL MASTERS": [{}],
    b"SENTINEL REPLICAS": [{}],
    b"SENTINEL SENTINELS": [{}],
}
MAPS: dict[bytes, Schema] = {
    b"ACL GETUSER": {b"selectors": [{}]},
    b"ACL LOG": [{}],
    b"CLIENT TRACKINGINFO": {},
    b"CLUSTER LINKS": [{}],
    b"CLUSTER SHARDS": [{b"nodes": [{}]}],
    b"COMMAND DOCS": {b"*": _DOC},
    b"CONFIG GET": {},
    b"FUNCTION LIST": [{b"functions": [{}]}],
    b"FUNCTION STATS": {b"running_script": {}, b"engines": {b"*": {}}},
    b"HELLO": {b"modules": [{}]},
    b"HGETALL": {},
    b"LATENCY HISTOGRAM": {b"*": {b"histogram_usec": {}}},
    b"MODULE LIST": [{}],
    b"PUBSUB NUMSUB": {},
    b"PUBSUB SHARDNUMSUB": {},
    b"VINFO": {},
    b"XINFO CONSUMERS": [{}],
    b"XINFO GROUPS": [{}],
    b"XINFO STREAM": {b"groups": [{b"consumers": [{}]}]},
    **_SENTINEL,
}
CONTAINERS = frozenset(
    b"ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG "
    b"XGROUP XINFO COMMANDLOG".split()
)

GEO_SEARCHES = (b"GEOSEARCH", b"GEORADIUS", b"GEORADIUS_RO", b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO")


def command_name(argv: Sequence[bytes]) -> bytes:
    """Give a command's full name in capitals: ``CONFIG GET`` for a subcommand."""
    if not argv:
        return b""
    name = argv[0].upper()
    if name in CONTAINERS and len(argv) > 1:
        return name + b" " + argv[1].upper()
    return name


def has_word(argv: Sequence[bytes], word: bytes, start: int) -> bool:
    """Tell whether an option word is given at or after position ``start``, in any case."""
    return any(part.upper() == word for part in argv[start:])


def lift(argv: Sequence[bytes], reply: object) -> object:
    """Give the RESP3 shape of the reply of the command ``argv``."""
    if not isinstance(reply, (list, tuple, dict, bytes)):
        return reply
    name = command_name(argv)
    if name in MAPS:
        return _mapped(MAPS[name], reply)
    rule = _RULES.get(name)
    return rule(argv, reply) if rule else reply


def pairs(flat: object) -> Iterable[Sequence[object]] | None:
    """Split ``[a, b, c, d]`` into pairs; a list that is pairs already is kept; None when it is neither."""
    if not isinstance(flat, (list, tuple)):
        return None
    if flat and all(isinstance(item, (list, tuple)) and len(item) == 2 for item in flat):
        return flat
    return None if len(flat) % 2 else zip(flat[::2], flat[1::2], strict=True)


def _mapped(schema: Schema, value: object) -> object:
    if isinstance(schema, list):
        return [_mapped(schema[0], item) for item in value] if isinstance(value, (list, tuple)) else value
    found = value if isinstance(value, dict) else _as_dict(value)
    if not isinstance(found, dict) or not schema:
        return found
    every = schema.get(b"*")
    lifted: dict[object, object] = {}
    for key, nested in found.items():
        below = schema.get(key, every)
        lifted[key] = nested if below is None else _mapped(below, nested)
    return lifted


def _as_dict(value: object) -> object:
    """Turn a flat list into a dict, unless a field is no string or comes twice."""
    if not isinstance(value, (list, tuple)) or len(value) % 2:
        return value
    keys = value[::2]
    if not all(isinstance(key, bytes) for key in keys):
        return value
    found = dict(zip(keys, value[1::2], strict=True))
    return found if len(found) == len(keys) else value


def _number(value: object) -> object:
    """Turn a score that came as a string into a float."""
    if not isinstance(value, bytes):
        return float(value) if type(value) is int else value
    try:
        return float(value)
    except ValueError:
        return value


def _scored(reply: object) -> object:
    found = pairs(reply)
    return reply if found is None else [[member, _number(score)] for member, score in found]


def _range(argv: Sequence[bytes], reply: object) -> object:
    return _scored(reply) if has_word(argv, b"WITHSCORES", 4) else reply


def _random_members(argv: Sequence[bytes], reply: object) -> object:
    return _scored(reply) if has_word(argv, b"WITHSCORES", 3) else reply


def _combined(argv: Sequence[bytes], reply: object) -> object:
    count = int(argv[1]) if len(argv) > 1 and argv[1].isdigit() else 0
    return _scored(reply) if has_word(argv, b"WITHSCORES", 2 + count) else reply


def _random_fields(argv: Sequence[bytes], reply: object) -> object:
    found = pairs(reply) if has_word(argv, b"WITHVALUES", 3) else None
    return reply if found is None else [list(pair) for pair in found]


def _popped_of(argv: Sequence[bytes], reply: object) -> object:
    """ZMPOP and BZMPOP: the key, then its members."""
    return [reply[0], _scored(reply[1])] if isinstance(reply, (list, tuple)) and len(reply) == 2 else reply


def _popped_one(argv: Sequence[bytes], reply: object) -> object:
    """BZPOPMIN and BZPOPMAX: key, member, score."""
    return [*reply[:2], _number(reply[2])] if isinstance(reply, (list, tuple)) and len(reply) == 3 else reply


def _scan(argv: Sequence[bytes], reply: object, without: bytes, convert: Callable[[object], object]) -> object:
    if not isinstance(reply, (list, tuple)) or len(reply) != 2 or has_word(argv, without, 3):
        return reply
    return [reply[0], convert(reply[1])]


def _scores(argv: Sequence[bytes], reply: object) -> object:
    return [_number(item) for item in reply] if isinstance(reply, (list, tuple)) else reply


def _score(argv: Sequence[bytes], reply: object) -> object:
    return _number(reply) if type(reply) is bytes else reply


def _positions(argv: Sequence[bytes], reply: object) -> object:
    """GEOPOS: a pair of coordinates a member, or nil."""
    if not isinstance(reply, (list, tuple)):
        return reply
    return [[_number(part) for part in item] if isinstance(item, (list, tuple)) else item for item in reply]


def _places(argv: Sequence[bytes], reply: object) -> object:
    """GEOSEARCH and GEORADIUS: the coordinates, when asked for, are the one list inside an item."""
    if not isinstance(reply, (list, tuple)):
        return reply
    return [_positions(argv, item) for item in reply]


def _figures(argv: Sequence[bytes], reply: object) -> object:
    """MEMORY STATS: figures, nested by database; fractions are strings in RESP2."""
    found = _mapped({b"*": {}}, reply)
    if not isinstance(found, dict):
        return found
    return {key: _figure(value) for key, value in found.items()}


def _figure(value: object) -> object:
    return {key: _figure(part) for key, part in value.items()} if isinstance(value, dict) else _fraction(value)


def _fraction(value: object) -> object:
    return _number(value) if isinstance(value, bytes) else value


def _streams(argv: Sequence[bytes], reply: object) -> object:
    found = pairs(reply) if reply else None
    return {key: entries for key, entries in found if isinstance(key, bytes)} if found else reply


def _similar(argv: Sequence[bytes], reply: object) -> object:
    """VSIM: by element its score, its attributes, or a list of both."""
    scores, attributes = has_word(argv, b"WITHSCORES", 4), has_word(argv, b"WITHATTRIBS", 4)
    width = 1 + scores + attributes
    if width == 1 or not isinstance(reply, (list, tuple)) or len(reply) % width:
        return reply
    found: dict[object, object] = {}
    for at in range(0, len(reply), width):
        name, *rest = reply[at : at + width]
        if scores:
            rest[0] = _number(rest[0])
        found[name] = rest if width == 3 else rest[0]
    return found


_RULES: dict[bytes, Callable[[Sequence[bytes], object], object]] = {
    b"ZRANGE": _range,
    b"ZREVRANGE": _range,
    b"ZRANGEBYSCORE": _range,
    b"ZREVRANGEBYSCORE": _range,
    b"ZRANDMEMBER": _random_members,
    b"ZUNION": _combined,
    b"ZINTER": _combined,
    b"ZDIFF": _combined,
    b"ZPOPMIN": lambda argv, reply: _scored(reply),
    b"ZPOPMAX": lambda argv, reply: _scored(reply),
    b"ZMPOP": _popped_of,
    b"BZMPOP": _popped_of,
    b"BZPOPMIN": _popped_one,
    b"BZPOPMAX": _popped_one,
    b"ZSCAN": lambda argv, reply: _scan(argv, reply, b"NOSCORES", _scored),
    b"HSCAN": lambda argv, reply: _scan(argv, reply, b"NOVALUES", _as_dict),
    b"ZSCORE": _score,
    b"ZINCRBY": _score,
    b"ZADD": _score,
    b"ZMSCORE": _scores,
    b"HRANDFIELD": _random_fields,
    b"LCS": lambda argv, reply: _as_dict(reply) if isinstance(reply, list) else reply,
    b"GEOPOS": _positions,
    **dict.fromkeys(GEO_SEARCHES, _places),
    b"MEMORY STATS": _figures,
    b"VSIM": _similar,
    b"VEMB": lambda argv, reply: reply if len(argv) > 3 else _scores(argv, reply),
    b"XREAD": _streams,
    b"XREADGROUP": _streams,
}
