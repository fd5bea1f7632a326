"""Turn typed text into argv: redis-cli's quoting rules, comments, continuation lines.

``split``       one line -> argv                      ``quote``  the inverse for one word
``Lines``       chunks of a stream -> batches of argv ``read_lines`` the same, one at a time
``needs_more``  whether an interactive line goes on

Quoting is that of redis-cli's sdssplitargs: ``"…"`` takes \\n \\r \\t \\b \\a \\xHH and \\c for c, ``'…'``
takes only \\', a quote may open inside a word, and a closing quote must be followed by a blank or the
end. Unlike redis-cli a NUL is an ordinary byte, a line that starts with ``#`` is a comment, a line
that ends in an unquoted backslash (an odd number of them) is joined to the next one, and an open
quote goes on over the line's end, which becomes part of the value.
"""

from __future__ import annotations

from redtool.errors import QuotingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Entry = tuple[int, list[bytes] | QuotingError]

BLANKS = b" \t\n\v\f\r"  # C isspace
ENDS = b" \t\n\r"  # what ends a bare word; a vertical tab inside one does not
ESCAPES = {110: b"\n", 114: b"\r", 116: b"\t", 98: b"\b", 97: b"\a"}
HEX = b"0123456789abcdefABCDEF"


def split(line: bytes) -> list[bytes]:
    """Give the words of a line. QuotingError when a quote is not closed or text follows it."""
    # Asking for an int is five times quicker than asking for a byte string.
    if 34 in line or 39 in line or 11 in line or 12 in line:
        return _split_quoted(line)
    return line.split()


def _split_quoted(line: bytes) -> list[bytes]:
    if (34 not in line or 39 not in line) and 92 not in line and 11 not in line and 12 not in line:
        argv = _split_simple(line.split(b'"' if 34 in line else b"'"))
        if argv is not None:
            return argv
    return _split_any(line)


def _split_simple(pieces: list[bytes]) -> list[bytes] | None:
    """Split a line given as its pieces between quotes of one kind; None when the quotes are wrong."""
    before = pieces[0]
    argv = before.split()
    if not len(pieces) % 2:
        return None
    for at in range(1, len(pieces), 2):
        after = pieces[at + 1]
        if after[0] not in BLANKS if after else at + 2 < len(pieces):
            return None
        if before and before[-1] not in ENDS:
            argv[-1] += pieces[at]
        else:
            argv.append(pieces[at])
        if after:
            argv += after.split()
        before = after
    return argv


def _split_any(line: bytes) -> list[bytes]:
    argv: list[bytes] = []
    at = 0
    while True:
        start, mark = _next_quote(line, at)
        bare = line[at:] if start < 0 else line[at:start]
        words = bare.split() if 11 not in bare and 12 not in bare else _bare_words(bare)
        argv += words
        if start < 0:
            return argv
        value, at = _double(line, start + 1) if mark == 34 else _single(line, start + 1)
        if at < len(line) and line[at] not in BLANKS:
            raise QuotingError(f"there is text right after a closing {chr(mark)}: put a space between")
        if words and bare[-1] not in ENDS:
            argv[-1] += value
        else:
            argv.append(value)


def _next_quote(line: bytes, at: int) -> tuple[int, int]:
    """Where the next quote opens (-1: nowhere) and which one it is."""
    double = line.find(b'"', at)
    single = line.find(b"'", at) if double < 0 else line.find(b"'", at, double)
    return (double, 34) if single < 0 else (single, 39)


def _bare_words(text: bytes) -> list[bytes]:
    """Split where sdssplitargs does: all blanks are skipped before a word, but only ENDS end one."""
    pieces = text.replace(b"\t", b" ").replace(b"\n", b" ").replace(b"\r", b" ").split(b" ")
    return [word for word in (piece.lstrip(b"\v\f") for piece in pieces) if word]


def _double(line: bytes, at: int) -> tuple[bytes, int]:
    """Read a value after its opening double quote; give it and the position after the closing one."""
    parts: list[bytes] = []
    end = line.find(b'"', at)
    while True:
        if 0 <= end < at:
            end = line.find(b'"', at)
        if end < 0:
            raise QuotingError('a " quote is not closed')
        slash = line.find(b"\\", at, end)
        if slash < 0:
            parts.append(line[at:end])
            return b"".join(parts), end + 1
        parts.append(line[at:slash])
        code = line[slash + 1]
        if code == 120 and line[slash + 2] in HEX and slash + 3 < len(line) and line[slash + 3] in HEX:
            parts.append(bytes((int(line[slash + 2 : slash + 4], 16),)))
            at = slash + 4
        else:
            parts.append(ESCAPES.get(code) or line[slash + 1 : slash + 2])
            at = slash + 2


def _single(line: bytes, at: int) -> tuple[bytes, int]:
    """Read a value after its opening single quote; give it and the position after the closing one."""
    parts: list[bytes] = []
    while True:
        end = line.find(b"'", at)
        if end < 0:
            raise QuotingError("a ' quote is not closed")
        # Like redis-cli, a backslash right before a quote escapes it, even after another backslash.
        if end == at or line[end - 1] != 92:
            parts.append(line[at:end])
            return b"".join(parts), end + 1
        parts += (line[at : end - 1], b"'")
        at = end + 1


def quote(arg: bytes) -> bytes:
    """Write a word as redis-cli shows it, in double quotes; ``split`` reads it back."""
    if 92 not in arg and 34 not in arg and arg.isascii() and arg.decode("ascii").isprintable():
        return b'"%b"' % arg
    if not _SHOWN:
        named = {34: b'\\"', 92: b"\\\\", **{ord(byte): b"\\" + bytes((code,)) for code, byte in ESCAPES.items()}}
        _SHOWN.extend(named.get(n) or (bytes((n,)) if 32 <= n < 127 else b"\\x%02x" % n) for n in range(256))
    return b'"%b"' % b"".join(map(_SHOWN.__getitem__, arg))


_SHOWN: list[bytes] = []


class Lines:
    """Assemble logical lines from a stream fed in chunks of any size.

    ``feed`` and ``end`` give the lines completed so far as (number of the first line, argv); a line
    that cannot be split is (number, QuotingError). Only an unfinished line is kept in memory.
    """

    __slots__ = ("_first", "_held", "_number", "_opened", "_quote", "_tail")

    def __init__(self) -> None:
        self._number = 0  # physical lines seen
        self._tail: list[bytes] = []  # pieces of a line whose end has not come
        self._held: list[bytes] = []  # physical lines of an unfinished logical line
        self._first = 0
        self._quote = 0  # the quote open at the end of _held
        self._opened = 0  # the line it was opened on

    @property
    def pending(self) -> bool:
        """Whether a logical line has begun and is not finished."""
        return bool(self._held or self._tail)

    def feed(self, chunk: bytes) -> list[Entry]:
        """Take a chunk and give the logical lines it completes."""
        text, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            self._tail.append(chunk)
            return []
        if self._tail:
            self._tail.append(text)
            text = b"".join(self._tail)
        self._tail = [tail] if tail else []
        lines = text.split(b"\n")
        if not self._held and 34 not in text and 39 not in text and 35 not in text and 92 not in text:
            first = self._number + 1
            self._number += len(lines)
            # Without a vertical tab bytes.split is split; see there.
            cut = bytes.split if 11 not in text and 12 not in text else split
            return [(number, argv) for number, argv in enumerate(map(cut, lines), first) if argv]
        return self._assemble(lines, 92 in text)

    def end(self) -> list[Entry]:
        """Say that the stream is over; give what was unfinished."""
        entries = self._assemble([b"".join(self._tail)], True) if self._tail else []
        self._tail = []
        if self._held:
            if self._quote:
                problem = QuotingError(f"the {chr(self._quote)} quote opened on line {self._opened} is not closed")
                entries.append((self._first, problem))
                self._held, self._quote = [], 0
            else:
                self._finish(b"", entries)
        return entries

    def _assemble(self, lines: list[bytes], slashes: bool) -> list[Entry]:
        """Take whole physical lines; ``slashes`` says that there may be a backslash among them."""
        entries: list[Entry] = []
        number = self._number
        for line in lines:
            number += 1
            if not self._held:
                if not (slashes and line.rstrip(b"\r").endswith(b"\\")):
                    try:
                        argv = split(line)
                    except QuotingError:
                        argv = []  # wrong, unfinished or a comment: found out below
                    if argv and line[0] != 35 and (argv[0][:1] != b"#" or line.lstrip(BLANKS)[0] != 35):
                        entries.append((number, argv))
                        continue
                if line.lstrip(BLANKS)[:1] in b"#":  # a comment or nothing
                    continue
                self._first = number
            self._quote, opened = _open_quote(line, self._quote)
            if self._quote:
                if opened:
                    self._opened = number
                self._held += (line, b"\n")
            elif (joined := _continued(line)) is not None:
                self._held.append(joined)
            else:
                self._finish(line, entries)
        self._number = number
        return entries

    def _finish(self, line: bytes, entries: list[Entry]) -> None:
        text = b"".join((*self._held, line)) if self._held else line
        self._held = []
        try:
            argv = split(text)
        except QuotingError as problem:
            entries.append((self._first, problem))
            return
        if argv:
            entries.append((self._first, argv))


def _open_quote(line: bytes, quote: int) -> tuple[int, bool]:
    """Tell which quote is open (0: none) at the end of a line that began inside ``quote``, and if it opened here."""
    at, opened = 0, False
    while True:
        if not quote:
            at, quote = _next_quote(line, at)
            if at < 0:
                return 0, False
            at, opened = at + 1, True
        try:
            _, at = _double(line, at) if quote == 34 else _single(line, at)
        except QuotingError:
            return quote, opened
        if at < len(line) and line[at] not in BLANKS:
            return 0, False  # wrong: the logical line ends here, and split says why
        quote = 0


def _continued(line: bytes) -> bytes | None:
    """Give the line without its continuation backslash, or None when it has none."""
    text = line[:-1] if line[-1:] == b"\r" else line
    slashes = len(text) - len(text.rstrip(b"\\"))
    return text[:-1] if slashes % 2 else None


def read_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Give (line number, argv) of each logical line of a stream; QuotingError at the first wrong one."""
    lines = Lines()
    for chunk in chunks:
        for number, argv in lines.feed(chunk):
            if isinstance(argv, QuotingError):
                raise QuotingError(f"line {number}: {argv}")
            yield number, argv
    for number, argv in lines.end():
        if isinstance(argv, QuotingError):
            raise QuotingError(f"line {number}: {argv}")
        yield number, argv


def needs_more(text: bytes) -> bool:
    """Tell whether interactive text ends inside a quote or with a continuation backslash."""
    lines = Lines()
    lines.feed(text + b"\n")
    return lines.pending
