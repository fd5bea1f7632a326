"""The bytes of DUMP: a value as in an RDB file, with a footer of RDB version and CRC-64."""

from __future__ import annotations

from redtool import errors
from redtool.persist.codecs import DAMAGE, REDIS, SAVERS
from redtool.persist.codecs import VALKEY as VALKEY_TYPES
from redtool.persist.crc64 import crc64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOOTER = 10  # bytes: version (2) and checksum (8), both little endian
MODULE = 7  # type byte of a module's value, which can be stepped over but not kept
# RDB versions: plain types (Redis 5 reads them), streams, those with field deadlines, Valkey's own
PLAIN, STREAMS, FIELDS, VALKEY = 9, 10, 12, 80


def pack(value: Any) -> bytes:
    """Encode a value, in the oldest version that holds it."""
    parts: list[bytes] = []
    version = FIELDS if getattr(value, "deadlines", None) else PLAIN
    if getattr(value, "kind", b"") == b"stream":
        version = STREAMS
    kind = SAVERS[type(value)](value, parts.append, version)
    body = b"".join([bytes([kind]), *parts, version.to_bytes(2, "little")])
    return body + crc64(body).to_bytes(8, "little")


def unpack(payload: bytes) -> Any:
    """Check the footer and decode the value. Raises BadPayload for the one, BadFormat for the other."""
    end = len(payload) - FOOTER
    version = int.from_bytes(payload[end : end + 2], "little") if end > 0 else 0
    if not (1 <= version <= FIELDS or version == VALKEY):
        raise errors.BadPayload
    if crc64(payload[:-8]).to_bytes(8, "little") != payload[-8:]:
        raise errors.BadPayload
    loaders = VALKEY_TYPES if version == VALKEY else REDIS
    try:
        value, pos = loaders[payload[0]](payload[:end], 1)
    except DAMAGE:
        raise errors.BadFormat from None
    if value is None or pos != end or payload[0] == MODULE:
        raise errors.BadFormat
    return value
