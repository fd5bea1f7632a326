"""The bytes of DUMP: a value as in an RDB file, with a footer of RDB version and CRC-64."""

from __future__ import annotations

from redtool import errors
from redtool.persist.codecs import DAMAGE, REDIS, SAVERS, save_string, string
from redtool.persist.codecs import VALKEY as VALKEY_TYPES
from redtool.persist.crc64 import crc64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FOOTER = 10  # bytes: version (2) and checksum (8), both little endian
UNKNOWN = b"module"  # the kind of a value that can be stepped over but not kept
# RDB versions: plain types (Redis 5 reads them), streams and vector sets, those with field deadlines, Valkey's own
PLAIN, LATER, FIELDS, VALKEY = 9, 10, 12, 80
LATER_KINDS = (b"stream", b"vectorset")
FUNCTIONS = 10  # the version that brought libraries of functions
FUNCTION = 245  # what stands before a library's code


def versions(value: Any) -> tuple[int, ...]:
    """The versions that hold a value, the one that most servers take first. (9 has less of a stream: see ``pack``.)"""
    if getattr(value, "deadlines", None):
        return FIELDS, VALKEY
    kind = getattr(value, "kind", b"")
    return ((LATER, PLAIN) if kind == b"stream" else (LATER,)) if kind in LATER_KINDS else (PLAIN,)


def pack(value: Any, version: int = 0) -> bytes:
    """Encode a value, in the version that most servers take unless told. Raises Unfit where it has no place for it."""
    parts: list[bytes] = []
    version = version or versions(value)[0]
    kind = SAVERS[type(value)](value, parts.append, version)
    body = b"".join([bytes([kind]), *parts, version.to_bytes(2, "little")])
    return body + crc64(body).to_bytes(8, "little")


def for_journal(value: Any, payload: bytes, form: str) -> bytes:
    """The same value in a version that most servers read, where the payload came in a newer one.

    ``form`` is the store's rdb-format: it says which version holds deadlines of fields.
    """
    if version_of(payload) <= LATER:
        return payload
    from redtool.persist.save import FORMATS

    return pack(value, FORMATS[form][1] if getattr(value, "deadlines", None) else 0)


def version_of(payload: bytes) -> int:
    """The RDB version in the footer; 0 where there is none."""
    return int.from_bytes(payload[-FOOTER : 2 - FOOTER], "little") if len(payload) > FOOTER else 0


def unpack(payload: bytes) -> Any:
    """Check the footer and decode the value. Raises BadPayload for the one, BadFormat for the other."""
    end, version = len(payload) - FOOTER, version_of(payload)
    if not (1 <= version <= FIELDS or version == VALKEY):
        raise errors.BadPayload
    if crc64(payload[:-8]).to_bytes(8, "little") != payload[-8:]:
        raise errors.BadPayload
    loaders = VALKEY_TYPES if version == VALKEY else REDIS
    try:
        value, pos = loaders[payload[0]](payload[:end], 1)
    except DAMAGE:
        raise errors.BadFormat from None
    if value is None or pos != end or getattr(value, "kind", b"") == UNKNOWN:
        raise errors.BadFormat
    return value


def pack_functions(codes: Iterable[bytes]) -> bytes:
    """FUNCTION DUMP: the code of libraries."""
    parts: list[bytes] = []
    for code in codes:
        parts.append(bytes([FUNCTION]))
        save_string(code, parts.append, FUNCTIONS)
    body = b"".join([*parts, FUNCTIONS.to_bytes(2, "little")])
    return body + crc64(body).to_bytes(8, "little")


def unpack_functions(payload: bytes) -> list[bytes]:
    """The code of the libraries in what FUNCTION DUMP gave. Raises BadPayload, BadFunctions."""
    end = len(payload) - FOOTER
    version = int.from_bytes(payload[end : end + 2], "little") if end >= 0 else 0
    if not (1 <= version <= FIELDS or version == VALKEY) or crc64(payload[:-8]).to_bytes(8, "little") != payload[-8:]:
        raise errors.BadPayload
    codes: list[bytes] = []
    at = 0
    while at < end:
        if payload[at] != FUNCTION:
            raise errors.BadFunctions
        try:
            code, at = string(payload[:end], at + 1)
        except DAMAGE:
            raise errors.BadFunctions from None
        codes.append(code)
    return codes
