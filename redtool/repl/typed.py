"""Read a line while it is being typed: its words, where each stands, and the one that is not finished.

``words.split`` reads whole lines; here a quote may still be open, and every word knows its place. Places are
indexes of characters.
"""

from __future__ import annotations

import re

from redtool.errors import QuotingError
from redtool.words import split

# One piece of a word: a quoted text, closed or not, or a run without blanks and quotes.
PIECE = re.compile(
    r"""(?P<double>"(?:\\.|[^"\\])*(?P<end2>"|\\?\Z))|(?P<single>'(?:\\'|[^'])*(?P<end1>'|\Z))|(?:\\\r?\n|[^\s"'])+""",
    re.DOTALL | re.ASCII,
)
BLANKS = re.compile(r"(?:\\\r?\n|\s)*", re.ASCII)
SPECIAL = re.compile(r"""[\s"']|^\#|\\$""")  # what a word cannot have without quotes
CONTINUED = re.compile(r"\\\r?\n")
LONGEST = 20_000  # characters beyond which a line is neither coloured nor completed


class Word:
    """One word: ``start`` and ``end`` in the line, its ``value``, and ``quote``, the mark that is still open."""

    __slots__ = ("end", "quote", "start", "value")

    def __init__(self, start: int, end: int, value: bytes, quote: str) -> None:
        self.start, self.end, self.value, self.quote = start, end, value, quote

    def __repr__(self) -> str:
        return f"Word({self.start}, {self.end}, {self.value!r}, {self.quote!r})"


class Typed:
    """A line as far as it has been typed. ``problem`` says what is wrong with its quoting ("": nothing)."""

    __slots__ = ("comment", "problem", "text", "words")

    def __init__(self, text: str) -> None:
        self.text, self.problem = text, ""
        self.words: list[Word] = []
        self.comment = text.lstrip()[:1] == "#"
        if not self.comment:
            self._scan(text[:LONGEST])

    @property
    def values(self) -> list[bytes]:
        return [word.value for word in self.words]

    @property
    def partial(self) -> Word | None:
        """The word that the end of the line touches; None after a blank."""
        last = self.words[-1] if self.words else None
        return last if last is not None and last.end == len(self.text) else None

    @property
    def complete(self) -> list[bytes]:
        """The words before the one that is being typed."""
        values = self.values
        return values[:-1] if self.partial is not None else values

    def _scan(self, text: str) -> None:
        at = _skip(text, 0)
        while at < len(text):
            start, quote = at, ""
            pieces: list[str] = []
            while at < len(text) and (found := PIECE.match(text, at)) is not None:
                if pieces and pieces[-1][:1] in ("'", '"') and not self.problem:
                    self.problem = f"put a blank after the closing {pieces[-1][0]}"
                pieces.append(found.group())
                quote = _open_mark(found)
                at = found.end()
            self.words.append(Word(start, at, b"".join(map(_value, pieces)), quote))
            at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    found = BLANKS.match(text, at)
    return found.end() if found else at


def _open_mark(piece: re.Match[str]) -> str:
    if piece["double"]:
        return "" if piece["end2"] == '"' else '"'
    if piece["single"]:
        return "" if piece["end1"] == "'" else "'"
    return ""


def _value(piece: str) -> bytes:
    """The bytes of a piece; a quote that is open is closed first."""
    mark = piece[0]
    if mark not in "'\"":
        return encode(CONTINUED.sub("", piece))
    for text in (piece, piece + mark, piece[:-1] + mark):
        try:
            return b"".join(split(encode(text)))
        except QuotingError:
            continue
    return encode(piece[1:])


def encode(text: str) -> bytes:
    """Typed text as bytes; what was no UTF-8 on the terminal comes back as it was."""
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str | None:
    """Bytes as text to show and to type; None when some are no UTF-8 or cannot be printed."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def written(value: bytes, mark: str = "") -> str:
    """Write a value as a word of a line; ``mark`` is the quote that has been opened for it."""
    text = decode(value)
    if text is None:
        from redtool.words import quote

        return quote(value).decode()
    if text and not mark and SPECIAL.search(text) is None:
        return text
    if mark == "'" and "\\" not in text:
        return "'" + text.replace("'", "\\'") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def logical(text: str) -> list[tuple[int, str]]:
    """Split a text of several lines into those that will run one by one: (where it starts, the text)."""
    if "\n" not in text or len(text) > LONGEST:
        return [(0, text)]
    from redtool.words import needs_more

    found: list[tuple[int, str]] = []
    start, held = 0, ""
    for line in text.split("\n"):
        held = f"{held}\n{line}" if held else line
        if not needs_more(encode(held)):
            found.append((start, held))
            start, held = start + len(held) + 1, ""
    if held:
        found.append((start, held))
    return found
