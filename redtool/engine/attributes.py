"""Fields of the JSON that elements of vector sets carry, read as Redis 8.2 reads them.

Only what stands before the field is looked at, and the first field of a name counts. Objects cannot be read, so a
field that is one, or a list with one in it, counts as missing, as does what is not JSON.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Value = float | bytes | list["Value"] | None

SPACE = b" \t\n\r\v\f"
NUMBER = b"0123456789.eE+-"
STARTS = b"0123456789-+"
LITERALS: dict[bytes, float | None] = {b"true": 1.0, b"false": 0.0, b"null": None}
ESCAPES = {110: b"\n", 116: b"\t", 114: b"\r"}  # any other letter stands for itself
QUOTE, BACKSLASH, COMMA, COLON = b'"\\,:'
OPEN = {91: 93, 123: 125}  # [ ] and { }
DEPTH = 64


class Unreadable(Exception):
    """There is no such field, or its value cannot be read."""


def field(text: bytes, name: bytes) -> Value:
    """The value of a field of an object: a number, bytes, a list or None for null. Raises Unreadable."""
    try:
        return _Reader(text).field(name)
    except IndexError:
        raise Unreadable from None


class _Reader:
    """A position in a text; running over its end raises IndexError."""

    __slots__ = ("pos", "text")

    def __init__(self, text: bytes) -> None:
        self.text, self.pos = text, 0

    def field(self, name: bytes) -> Value:
        self._expect(b"{")
        while True:
            self._space()
            if self.text[self.pos] != QUOTE:
                raise Unreadable
            start = self.pos
            self._skip_string()
            found = self.text[start + 1 : self.pos - 1] == name
            self._expect(b":")
            self._space()
            if found:
                return self._value(0)
            self._skip()
            self._expect(b",")

    def _space(self) -> None:
        while self.text[self.pos] in SPACE:
            self.pos += 1

    def _expect(self, sign: bytes) -> None:
        self._space()
        if self.text[self.pos] != sign[0]:
            raise Unreadable
        self.pos += 1

    def _value(self, depth: int) -> Value:
        first = self.text[self.pos]
        if first == QUOTE:
            start = self.pos
            self._skip_string()
            return _unescaped(self.text[start + 1 : self.pos - 1])
        if first in STARTS:
            try:
                return float(self._digits())
            except ValueError:
                raise Unreadable from None
        if first == 91 and depth < DEPTH:
            return self._list(depth)
        return self._literal()

    def _list(self, depth: int) -> list[Value]:
        self.pos += 1
        items: list[Value] = []
        self._space()
        if self.text[self.pos] == 93:
            self.pos += 1
            return items
        while True:
            self._space()
            items.append(self._value(depth + 1))
            self._space()
            sign = self.text[self.pos]
            self.pos += 1
            if sign == 93:
                return items
            if sign != COMMA:
                raise Unreadable

    def _digits(self) -> bytes:
        start = self.pos
        while self.pos < len(self.text) and self.text[self.pos] in NUMBER:
            self.pos += 1
        return self.text[start : self.pos]

    def _literal(self) -> float | None:
        for word, value in LITERALS.items():
            end = self.pos + len(word)
            if self.text[self.pos : end] == word and not self.text[end : end + 1].isalnum():
                self.pos = end
                return value
        raise Unreadable

    def _skip(self) -> None:
        """Step over a value without reading it."""
        first = self.text[self.pos]
        if first == QUOTE:
            self._skip_string()
        elif first in OPEN:
            self._skip_nested(first, OPEN[first])
        elif first in STARTS:
            self._digits()
        else:
            self._literal()

    def _skip_string(self) -> None:
        self.pos += 1
        while (sign := self.text[self.pos]) != QUOTE:
            self.pos += 2 if sign == BACKSLASH else 1
        self.pos += 1

    def _skip_nested(self, opening: int, closing: int) -> None:
        depth = 0
        while True:
            sign = self.text[self.pos]
            if sign == QUOTE:
                self._skip_string()
                continue
            self.pos += 1
            if sign == opening:
                depth += 1
            elif sign == closing:
                depth -= 1
                if not depth:
                    return


def _unescaped(text: bytes) -> bytes:
    """A string's escapes resolved: \\u and the like lose their backslash, no more."""
    if BACKSLASH not in text:
        return text
    first, *parts = text.split(b"\\")
    out, at = [first], 0
    while at < len(parts):
        part = parts[at]
        if part:
            out.append(ESCAPES.get(part[0], part[:1]) + part[1:])
        elif at + 1 < len(parts):  # a backslash behind a backslash
            at += 1
            out.append(b"\\" + parts[at])
        at += 1
    return b"".join(out)
