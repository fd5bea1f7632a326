"""Reads JSON as lua-cjson does: leniently in numbers, with its words for what is wrong and where."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BLANK = re.compile(rb"[ \t\n\r]*")
PLAIN = re.compile(rb'[^"\\\0]*')
NUMBER = re.compile(
    rb"[-+]?(?:0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?"
    rb"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    rb"|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])")  # fmt: skip
STRICT = re.compile(rb"-?(?:0[xX]|0[0-9]|[iInN])|\+")  # what a number must not begin like
ESCAPES = {b'"': b'"', b"\\": b"\\", b"/": b"/", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
SIGNS = {b"{": b"T_OBJ_BEGIN", b"}": b"T_OBJ_END", b"[": b"T_ARR_BEGIN", b"]": b"T_ARR_END", b",": b"T_COMMA",
         b":": b"T_COLON"}  # fmt: skip
WORDS = {b"t": (b"true", True), b"f": (b"false", False), b"n": (b"null", None)}
NAMES = {True: b"T_BOOLEAN", False: b"T_BOOLEAN", None: b"T_NULL"}
CLOSING = {b"T_ARR_BEGIN": b"T_ARR_END", b"T_OBJ_BEGIN": b"T_OBJ_END"}
END, STRING, NUM, WORD = b"T_END", b"T_STRING", b"T_NUMBER", b"word"


class BadText(Exception):
    """The text is no JSON."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


class Reader:
    """Reads one text. ``table`` makes a table of Lua, ``null`` stands for null in it."""

    def __init__(self, text: bytes, table: Callable[[Any], Any], null: object, depth: int, lenient: bool) -> None:
        self.text, self.table, self.null, self.most, self.lenient = text, table, null, depth, lenient
        self.at = self.start = self.depth = 0
        self.kind, self.value = b"", None  # the token at hand
        self.error = b""  # what is wrong with it, if it is none

    def whole(self) -> Any:
        """The value of the text."""
        if len(self.text) >= 2 and (self.text[0] == 0 or self.text[1] == 0):
            raise BadText(b"JSON parser does not support UTF-16 or UTF-32")
        self.next()
        value = self.read()
        self.next()
        if self.kind != END:
            raise self.wrong(b"the end")
        return value

    def wrong(self, expected: bytes) -> BadText:
        """What was expected instead of the token at hand."""
        found = self.error or (NAMES[self.value] if self.kind == WORD else self.kind)
        return BadText(b"Expected %b but found %b at character %d" % (expected, found, self.start + 1))

    def read(self) -> Any:
        """The value that begins with the token at hand. Open arrays and objects are on a stack: no recursion."""
        stack: list[tuple[list[Any] | None, Any, bytes]] = []  # elements, or None and the object, and its latest key
        while True:
            kind = self.kind
            if kind == b"T_ARR_BEGIN" or kind == b"T_OBJ_BEGIN":
                self.deeper()
                self.next()
                if self.kind == CLOSING[kind]:
                    self.depth -= 1
                    value = self.table([])
                else:
                    stack.append(([], None, b"") if kind == b"T_ARR_BEGIN" else (None, self.table({}), self.key()))
                    continue
            elif kind in (STRING, NUM):
                value = self.value
            elif kind == WORD:
                value = self.null if self.value is None else self.value
            else:
                raise self.wrong(b"value")
            while stack:
                items, members, key = stack.pop()
                self.next()
                if items is not None:
                    items.append(value)
                    if self.kind == b"T_COMMA":
                        stack.append((items, None, b""))
                        self.next()
                        break
                    if self.kind != b"T_ARR_END":
                        raise self.wrong(b"comma or array end")
                    value = self.table(items)
                else:
                    members[key] = value
                    if self.kind == b"T_COMMA":
                        self.next()
                        stack.append((None, members, self.key()))
                        break
                    if self.kind != b"T_OBJ_END":
                        raise self.wrong(b"comma or object end")
                    value = members
                self.depth -= 1
            else:
                return value

    def deeper(self) -> None:
        """Step into an array or an object."""
        self.depth += 1
        if self.depth > self.most:
            raise BadText(b"Found too many nested data structures (%d) at character %d" % (self.depth, self.at))

    def key(self) -> bytes:
        """A member's name, its colon, and the first token of its value."""
        if self.kind != STRING:
            raise self.wrong(b"object key string")
        key: bytes = self.value  # type: ignore[assignment]
        self.next()
        if self.kind != b"T_COLON":
            raise self.wrong(b"colon")
        self.next()
        return key

    def next(self) -> None:
        """Go to the next token."""
        text = self.text
        at = self.start = BLANK.match(text, self.at).end()  # type: ignore[union-attr]
        self.error, self.value = b"", None
        sign = text[at : at + 1]
        if not sign or sign == b"\0":
            self.kind = END
        elif sign in SIGNS:
            self.kind, self.at = SIGNS[sign], at + 1
        elif sign == b'"':
            self.string(at + 1)
        elif sign in b"-+0123456789" or (sign in b"iInN" and text[at : at + 4] != b"null"):
            self.number(at)
        else:
            self.word(at, sign)

    def word(self, at: int, sign: bytes) -> None:
        """true, false or null."""
        word, value = WORDS.get(sign, (b"", None))
        if word and self.text.startswith(word, at):
            self.kind, self.value, self.at = WORD, value, at + len(word)  # type: ignore[assignment]
        else:
            self.kind, self.error = b"T_ERROR", b"invalid token"

    def number(self, at: int) -> None:
        """A number, in whatever form C reads one."""
        text = self.text
        if not self.lenient and STRICT.match(text, at):
            self.kind, self.error = b"T_ERROR", b"invalid number"
            return
        found = NUMBER.match(text, at)
        if found is None:
            self.kind = b"T_ERROR"
            self.error = b"invalid number" if text[at : at + 1] in b"-0123456789" else b"invalid token"
            return
        digits = found[0]
        self.kind, self.at = NUM, found.end()
        self.value = float.fromhex(digits.decode()) if b"x" in digits.lower() else float(digits)  # type: ignore[assignment]

    def string(self, at: int) -> None:
        """A string, ``at`` behind its opening quote."""
        text, parts = self.text, []
        while True:
            end = PLAIN.match(text, at).end()  # type: ignore[union-attr]
            parts.append(text[at:end])
            sign = text[end : end + 1]
            if sign == b'"':
                self.kind, self.value, self.at = STRING, b"".join(parts), end + 1  # type: ignore[assignment]
                return
            if sign != b"\\":
                self.kind, self.start, self.error = b"T_ERROR", end, b"unexpected end of string"
                return
            code = text[end + 1 : end + 2]
            if code == b"u":
                at = self.unicode(end, parts)
                if not at:
                    self.kind, self.start, self.error = b"T_ERROR", end, b"invalid unicode escape code"
                    return
                continue
            if code not in ESCAPES or not code:
                self.kind, self.start, self.error = b"T_ERROR", end, b"invalid escape code"
                return
            parts.append(ESCAPES[code])
            at = end + 2

    def unicode(self, at: int, parts: list[bytes]) -> int:
        r"""A ``\uXXXX`` at this place, or two that make one character; gives where it ends, 0 when it is none."""
        first = self.unit(at)
        if first < 0:
            return 0
        if first & 0xF800 != 0xD800:
            parts.append(chr(first).encode("utf-8"))
            return at + 6
        second = self.unit(at + 6) if self.text[at + 6 : at + 8] == b"\\u" else -1
        if first & 0x400 or second < 0 or second & 0xFC00 != 0xDC00:
            return 0
        parts.append(chr(0x10000 + ((first & 0x3FF) << 10 | second & 0x3FF)).encode("utf-8"))
        return at + 12

    def unit(self, at: int) -> int:
        """The four hexadecimal digits after a ``\\u``; -1 when they are none."""
        digits = self.text[at + 2 : at + 6]
        if len(digits) < 4 or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
            return -1
        return int(digits, 16)
