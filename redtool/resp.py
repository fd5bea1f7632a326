"""RESP2 and RESP3 with no I/O: reply values, feed bytes -> values, values -> bytes.

``Decoder`` turns a server's bytes into values, ``encode`` a value into reply bytes, ``pack`` an argv into request
bytes. Replies are parsed here, in Python, since hiredis cannot tell a simple string from a bulk string; requests hold
only bulk strings, so ``requests`` lets hiredis read those.
"""

from __future__ import annotations

from redtool.errors import ProtocolError, ReplyError
from redtool.numeric import float_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


class Status(bytes):
    """A simple string reply (``+OK``)."""

    __slots__ = ()


class Verbatim(bytes):
    """A verbatim string (``=txt:…``); ``format`` is its three letters."""

    format = "txt"


class Push(list["Reply"]):
    """An out-of-band message (``>``)."""

    __slots__ = ()


class Replies(list["Reply"]):
    """The replies of one command that has another number of them than one: SUBSCRIBE a b has two, CLIENT REPLY none."""

    __slots__ = ()


class Pairs(list["list[Reply]"]):
    """A map that has a key twice, which a dict cannot hold: XREAD of the same stream."""

    __slots__ = ()


class BigNumber(int):
    """A number beyond 64 bits (``(``)."""


class LongDouble(float):
    """A double that a server prints as a long double, with up to 17 decimals (a coordinate of GEOPOS)."""

    __slots__ = ()

    @property
    def text(self) -> bytes:
        digits = (b"%.17f" % self).rstrip(b"0").rstrip(b".")
        return b"0" if digits == b"-0" else digits


class NullArray:
    """RESP2's null array (``*-1``), where a server has it and a client on the wire must see it: Session.no_array."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


# bytes | int | None | list | dict | set | float | bool | Status | Verbatim | Push | BigNumber | ReplyError
Reply = object

OK = Status(b"OK")
QUEUED = Status(b"QUEUED")
NO_REPLY = Replies()
NULL_ARRAY = NullArray()

MAX_BULK = 1 << 32  # bytes of one string; a real server stops at 512 MB unless told otherwise
MAX_ITEMS = 1 << 32  # elements of one aggregate, the bound of hiredis
MAX_LINE = 1 << 24  # bytes of a simple string or an error
MAX_NUMBER = 64  # bytes of a line that holds a length or a number
MAX_DEPTH = 512  # aggregates within aggregates: what reads a reply may recurse

STRING, ARRAY, INTEGER, SIMPLE, ERROR, NULL, BOOLEAN, DOUBLE, BIG, VERBATIM, BULK_ERROR, MAP, SET, PUSH, ATTRIBUTE = (
    b"$*:+-_#,(=!%~>|"
)
TYPES = b"$*:+-_#,(=!%~>|"
STRINGS = b"$=!"
AGGREGATES = b"*%~>|"
LONG_LINES = b"+-("
LONG_DOUBLE = 17  # from so many characters on a double may be one of GEOPOS
ONLY_BYTES = {bytes}


class Decoder:
    """Parse reply bytes into values: ``feed`` any piece, then iterate over (or ``take``) what is complete.

    Errors are values (ReplyError), nulls of either protocol None, attributes skipped, streamed types refused. A map
    whose keys a dict cannot hold apart comes as a list of [key, value] lists, such a set as a list. Garbage raises
    ProtocolError once the values before it were given; nothing can be decoded after it.
    """

    __slots__ = ("_error", "_frame", "_have", "_need", "_parts", "_stack", "_values")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 1  # bytes without which the value at hand cannot go on
        self._values: list[Reply] = []
        self._frame = (0, -1, self._values)  # open aggregate: type, elements to come, elements; -1 at the top
        self._stack: list[tuple[int, int, list[Reply]]] = []
        self._error: ProtocolError | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes received. Nothing is parsed until someone asks."""
        self._parts.append(data)
        self._have += len(data)

    def __iter__(self) -> Iterator[Reply]:
        return iter(self.take())

    def take(self) -> list[Reply]:
        """Give every value that is complete, in order, and forget it."""
        if self._have >= self._need and self._error is None:
            try:
                self._parse(self._parts[0] if len(self._parts) == 1 else b"".join(self._parts))
            except ProtocolError as error:
                self._error = error
                self._parts.clear()
        values = self._values[:]
        self._values.clear()
        if self._error is not None and not values:
            raise self._error
        return values

    def _parse(self, data: bytes) -> None:
        """Parse as far as ``data`` goes: one loop over values, aggregates on a stack of our own."""
        find, size, stack = data.find, len(data), self._stack
        kind, left, items = self._frame
        pos, need = 0, 1
        value: Reply
        while pos < size:
            end = find(b"\r\n", pos)
            if end < 0:
                need = _unfinished(data, pos)
                break
            mark, text = data[pos], data[pos + 1 : end]
            after = end + 2
            if mark in STRINGS:
                length = int(text) if text.isdigit() and len(text) < 10 else _length(text)
                if length < 0:
                    value = None
                else:
                    end = after + length
                    if end + 2 > size:
                        need = end + 2 - pos
                        break
                    if data[end : end + 2] != b"\r\n":
                        raise ProtocolError(f"a string of {length} bytes does not end in CR LF")
                    value = data[after:end] if mark == STRING else _string(mark, data[after:end])
                    after = end + 2
            elif mark == INTEGER:
                value = int(text) if text.isdigit() and len(text) < 20 else _integer(text)
            elif mark == SIMPLE:
                value = OK if text == b"OK" else Status(text)
            elif mark in AGGREGATES:
                length = _count(mark, text)
                if length > 0:
                    stack.append((kind, left, items))
                    kind, left, items = mark, length, []
                    if len(stack) > MAX_DEPTH:
                        raise ProtocolError(f"a reply nests deeper than {MAX_DEPTH} levels")
                if length > 0 or mark == ATTRIBUTE:
                    pos = after
                    continue
                value = None if length < 0 else _aggregate(mark, [])
            else:
                value = _scalar(mark, text)
            pos = after
            items.append(value)
            left -= 1
            while not left:
                mark, done = kind, items
                kind, left, items = stack.pop()
                if mark != ATTRIBUTE:
                    items.append(done if mark == ARRAY else _aggregate(mark, done))
                    left -= 1
        self._frame = (kind, left, items)
        self._parts = [data[pos:]] if pos < size else []
        self._have, self._need = size - pos, need


def _unfinished(data: bytes, pos: int) -> int:
    """Refuse a line that cannot become a good one; give how many bytes it needs to have next time."""
    length = len(data) - pos
    if data[pos] not in TYPES:
        raise ProtocolError(f"a reply begins with byte 0x{data[pos]:02x}")
    if length > (MAX_LINE if data[pos] in LONG_LINES else MAX_NUMBER):
        raise ProtocolError(f"a line is longer than {length} bytes")
    return length + 1


def _integer(text: bytes) -> int:
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not digits.isdigit() or len(digits) > 4300:  # int() refuses more digits
        raise ProtocolError(f"{_shown(text)} is not a number")
    return int(text)


def _shown(text: bytes) -> str:
    return repr(text[:40])[1:]


def _length(text: bytes) -> int:
    """Read a string's length: -1 is RESP2's null."""
    if text == b"-1":
        return -1
    length = _integer(text)
    if not 0 <= length <= MAX_BULK:
        raise ProtocolError(f"a string of {_shown(text)} bytes is announced")
    return length


def _count(mark: int, text: bytes) -> int:
    """Read how many values an aggregate holds, a map two a pair; -1 is RESP2's null array."""
    if text == b"-1":
        return -1
    count = int(text) if text.isdigit() and len(text) < 11 else _integer(text)
    if not 0 <= count <= MAX_ITEMS:
        raise ProtocolError(f"a reply of {_shown(text)} elements is announced")
    return count * 2 if mark in b"%|" else count


def _error(text: bytes) -> ReplyError:
    return ReplyError.of(text.decode("utf-8", "surrogateescape"))


def _string(mark: int, text: bytes) -> Reply:
    """Make what a string with a length of its own stands for, when it is not a plain one."""
    if mark == BULK_ERROR:
        return _error(text)
    if text[3:4] != b":":
        raise ProtocolError("a verbatim string has no format")
    value = Verbatim(text[4:])
    if text[:3] != b"txt":
        value.format = text[:3].decode("latin-1")
    return value


def _scalar(mark: int, text: bytes) -> Reply:
    """Parse the one-line types that are rare."""
    if mark == ERROR:
        return _error(text)
    if mark == NULL and not text:
        return None
    if mark == BOOLEAN and text in (b"t", b"f"):
        return text == b"t"
    if mark == BIG:
        return BigNumber(_integer(text))
    if mark == DOUBLE and b"_" not in text:
        try:
            value = float(text)
        except ValueError:
            pass
        else:
            exact = LongDouble(value) if len(text) > LONG_DOUBLE else None
            return value if exact is None or exact.text != text or float_text(value) == text else exact
    raise ProtocolError(f"a reply begins with {_shown(bytes((mark,)) + text)}")


def _aggregate(mark: int, items: list[Reply]) -> Reply:
    """Build a map, set or push from its elements; equal or unhashable ones stay a list, so that none is lost."""
    if mark == PUSH:
        return Push(items)
    if mark == ARRAY:
        return items
    try:
        if mark == SET:
            members = set(items)
            return members if len(members) == len(items) else items
        pairs = dict(zip(items[::2], items[1::2], strict=True))
        if len(pairs) * 2 == len(items):
            return pairs
    except TypeError:
        if mark == SET:
            return items
    return [list(pair) for pair in zip(items[::2], items[1::2], strict=True)]


FEW = 8  # strings of a list up to which they are not worth counting
HEADERS = [b"\r\n$%d\r\n" % n for n in range(512)]  # the end of the word before and the header of a short one
COUNTS = [b"*%d" % n for n in range(8)]
BULKS = [b"$%d\r\n" % n for n in range(64)]


def pack(argv: Sequence[bytes]) -> bytes:
    """Encode a request."""
    count = len(argv)
    parts = [COUNTS[count] if count < 8 else b"*%d" % count]
    for word in argv:
        length = len(word)
        parts.append(HEADERS[length] if length < 512 else b"\r\n$%d\r\n" % length)
        parts.append(word)
    parts.append(b"\r\n")
    return b"".join(parts)


def _bulk(value: bytes) -> bytes:
    length = len(value)
    return (BULKS[length] if length < 64 else b"$%d\r\n" % length) + value + b"\r\n"


def _status(value: Status) -> bytes:
    return b"+OK\r\n" if value is OK else b"+%b\r\n" % value


def _number(value: int) -> bytes:
    return b":%d\r\n" % value


def _float_text(value: float) -> bytes:
    return b"nan" if value != value else float_text(value)


def _verbatim3(value: Verbatim) -> bytes:
    return b"=%d\r\n%b:%b\r\n" % (len(value) + 4, value.format.encode("latin-1"), value)


SCALARS2: dict[type, Callable[[Any], bytes]] = {
    bytes: _bulk,
    bytearray: _bulk,
    int: _number,
    Status: _status,
    type(None): lambda value: b"$-1\r\n",
    NullArray: lambda value: b"*-1\r\n",
    bool: lambda value: b":1\r\n" if value else b":0\r\n",
    float: lambda value: _bulk(_float_text(value)),
    LongDouble: lambda value: _bulk(value.text),
    BigNumber: lambda value: _bulk(b"%d" % value),
    Verbatim: _bulk,
}
SCALARS3: dict[type, Callable[[Any], bytes]] = SCALARS2 | {
    type(None): lambda value: b"_\r\n",
    NullArray: lambda value: b"_\r\n",
    bool: lambda value: b"#t\r\n" if value else b"#f\r\n",
    float: lambda value: b",%b\r\n" % _float_text(value),
    LongDouble: lambda value: b",%b\r\n" % value.text,
    BigNumber: lambda value: b"(%d\r\n" % value,
    Verbatim: _verbatim3,
}


def encode(value: Reply, proto: int = 2) -> bytes:
    """Encode a reply. RESP2 lacks most types: see DESIGN, "Replies are Python values", for what they become."""
    scalars = SCALARS2 if proto == 2 else SCALARS3
    scalar = scalars.get(type(value))
    if scalar is not None:
        return scalar(value)
    if type(value) is list:
        if not value:
            return b"*0\r\n"
        if len(value) > FEW and (strings := _strings(value)) is not None:
            return strings
    parts: list[bytes] = []
    append = parts.append
    stack: list[Iterator[Reply]] = [iter((value,))]  # aggregates being written: nesting costs no recursion
    while stack:
        for item in stack[-1]:
            if type(item) is bytes:
                length = len(item)
                append(BULKS[length] if length < 64 else b"$%d\r\n" % length)
                append(item)
                append(b"\r\n")
            elif (scalar := scalars.get(type(item))) is not None:
                append(scalar(item))
            elif isinstance(item, ReplyError):
                append(_error_line(item))
            else:
                header, items = _opened(item, proto)
                append(header)
                stack.append(items)
                break
        else:
            stack.pop()
    return b"".join(parts)


def _strings(value: list[Any]) -> bytes | None:
    """Encode a list of short strings, as most long replies are; None when there is anything else in it."""
    if set(map(type, value)) != ONLY_BYTES:
        return None
    count = len(value)
    parts = [b"*%d" % count] + [b""] * (2 * count)
    try:
        parts[1::2] = map(HEADERS.__getitem__, map(len, value))
    except IndexError:
        return None
    parts[2::2] = value
    parts.append(b"\r\n")
    return b"".join(parts)


def encode_all(replies: Sequence[Reply], proto: int = 2) -> bytes:
    """Encode replies one after the other."""
    scalars = SCALARS2 if proto == 2 else SCALARS3
    parts: list[bytes] = []
    for reply in replies:
        kind = type(reply)
        if kind is bytes:
            length = len(reply)  # type: ignore[arg-type]
            parts += (BULKS[length] if length < 64 else b"$%d\r\n" % length, reply, b"\r\n")  # type: ignore[arg-type]
        elif reply is OK:
            parts.append(b"+OK\r\n")
        else:
            scalar = scalars.get(kind)
            parts.append(encode(reply, proto) if scalar is None else scalar(reply))
    return b"".join(parts)


def _error_line(error: ReplyError) -> bytes:
    """An error on one line: line ends within become spaces, as a server makes them."""
    text = error.message.encode("utf-8", "surrogateescape")
    return b"-%b\r\n" % text.replace(b"\r", b" ").replace(b"\n", b" ")


def _opened(value: Reply, proto: int) -> tuple[bytes, Iterator[Reply]]:
    """Give the header of an aggregate and an iterator over what it holds."""
    if isinstance(value, Replies):
        return b"", iter(value)
    if isinstance(value, list | tuple):
        if proto == 3 and isinstance(value, Pairs):
            return b"%%%d\r\n" % len(value), (item for pair in value for item in pair)
        return (b">%d\r\n" if proto == 3 and isinstance(value, Push) else b"*%d\r\n") % len(value), iter(value)
    if isinstance(value, dict):
        header = b"%%%d\r\n" % len(value) if proto == 3 else b"*%d\r\n" % (len(value) * 2)
        return header, (item for pair in value.items() for item in pair)
    if isinstance(value, set | frozenset):
        header = (b"~%d\r\n" if proto == 3 else b"*%d\r\n") % len(value)
        words = value and type(next(iter(value))) is Status  # flags: the same order each time
        return header, iter(sorted(value) if words else value)
    raise TypeError(f"{type(value).__name__} is not a reply")
