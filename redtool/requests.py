"""RESP requests with no I/O: the bytes of a client, or of a journal, become argv lists. Replies are in ``resp``."""

from __future__ import annotations

from itertools import chain
from sys import maxsize

from redtool.errors import ProtocolError
from redtool.resp import AGGREGATES, ARRAY, COUNTS, ONLY_BYTES, SIMPLE, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hiredis import Reader

MAX_WORDS = (1 << 31) - 1  # words of one request, a server's bound; nothing is reserved for them
STRANGE_WORDS, STRANGE_BULK = 10, 1 << 14  # words, and bytes of one, from a client that has not logged in
MAX_HEADER = 1 << 16  # bytes of a request's count line or of an inline command, a server's bound
SHORT = 512  # bytes of a request that is read by itself
LENGTHS = [b"$%d" % n for n in range(SHORT)]
NEWLINE = 10
END = 4611686018427387903  # a number that no client sends
END_MARK = b":%d\r\n" % END
# A header that announces a million or more: hiredis would make a list as long at once. And words that are no bulk
# strings, though hiredis gives bytes for them.
SHAPES = bytes(48 if byte in b"0123456789" else ARRAY if byte in AGGREGATES else SIMPLE if byte in b"(=" else byte
               for byte in range(256))  # fmt: skip
LARGE, FOREIGN = b"\n*0000000", b"\n+"
HTTP = (b"post", b"host:")


class Requests:
    """Parse request bytes into argv lists. hiredis does the work; what it leaves or refuses is read here.

    ``feed`` any piece, then iterate over (or ``take``) what is complete. ``pending`` is how many bytes the unfinished
    request at the end has so far (a journal's torn tail). Inline commands are understood; a journal's ``#TS:…`` line
    comes as a request of that one word. Garbage raises ProtocolError, its text a server's (none for HTTP), once the
    requests before it were given; ``pending`` then counts from where the bad request begins.

    ``most`` bounds how many requests that hiredis does not read are read at a time; ``cut`` says that there may be
    more: ``feed`` nothing to go on.
    """

    __slots__ = ("_at", "_done", "_error", "_left", "_need", "_parts", "_reader", "_words", "cut", "max_bulk", "most",
                 "pending", "strange")  # fmt: skip

    def __init__(self, max_bulk: int = 512 << 20, most: int = maxsize) -> None:
        self.max_bulk, self.most = max_bulk, most
        self.cut = False
        self.strange = False  # the client has not logged in: only short requests, and parsed one at a time
        self.pending = 0
        self._parts: list[bytes] = []
        self._need = 1  # bytes without which the first request cannot go on
        self._done: list[list[bytes]] = []
        self._error: ProtocolError | None = None
        self._at = 0  # where reading of an unfinished request stopped; its words so far, and how many are to come
        self._words: list[bytes] = []
        self._left = 0
        self._reader = _reader()

    def feed(self, data: bytes) -> None:
        """Add bytes received and parse what is complete."""
        self._parts.append(data)
        self.pending += len(data)
        if self._error is not None or self.pending < self._need:
            return
        data = b"".join(self._parts) if len(self._parts) > 1 else data
        try:
            data = self._parse(data)
        except ProtocolError as error:
            self._error = error
            self._parts.clear()
        else:
            self._parts = [data] if data else []
            self.pending = len(data)

    def alone(self, data: bytes) -> list[bytes] | None:
        """The request that these bytes are if they are one, short and whole, as of a client that waits for each reply.

        None when they are anything else, or not all that is there: ``feed`` them.
        """
        if self.pending or self._done or len(data) >= SHORT or self._error is not None:
            return None
        lines = data.split(b"\r\n")
        words = lines[2:-1:2]
        count = len(words)
        if (0 < count < 8 and lines[0] == COUNTS[count] and not lines[-1] and len(lines) == 2 * count + 2
                and lines[1:-1:2] == [LENGTHS[len(word)] for word in words]):  # fmt: skip
            return words
        return None

    def forget(self) -> None:
        """Drop all that has come, and what was wrong with it: an error holds on to those who raised it."""
        self._parts.clear()
        self._done.clear()
        self._error = None

    def __iter__(self) -> Iterator[list[bytes]]:
        return iter(self.take())

    def take(self) -> list[list[bytes]]:
        """Give every request that is complete, in order, and forget it."""
        done, self._done = self._done, []
        if self._error is not None and not done:
            raise self._error
        return done

    def _parse(self, data: bytes) -> bytes:
        """Take the complete requests off the front and give the rest; reads an unfinished request on from ``_at``."""
        self._need, resume = 1, bool(self._at)
        sane: bool | None = None
        left = 1 if self.strange else self.most
        while data and left > 0:
            self.pending = len(data)
            if data[0] == ARRAY and not resume and sane is None:
                if self.strange:
                    sane = False
                    continue
                shapes = data.translate(SHAPES)
                sane = LARGE not in shapes and FOREIGN not in shapes and not shapes.startswith(LARGE[1:])
            if data[0] == ARRAY and not resume and sane:
                data, sane = self._arrays(data), False  # what is left goes request by request
                if not data:
                    break
                self.pending = len(data)
            before = len(self._done)
            end = self._array(data) if data[0] == ARRAY else self._inline(data, left)
            if not end:
                break
            left -= max(len(self._done) - before, 1)
            data, resume = data[end:], False
        self.cut = bool(data) and left <= 0
        return data

    def _arrays(self, data: bytes) -> bytes:
        """Let hiredis read request arrays; give what begins with one that is unfinished or not to its liking."""
        batch = self._plain(data)
        if batch is not None:
            self._done += batch
            return b""
        return self._mixed(data)

    def _plain(self, data: bytes) -> list[list[bytes]] | None:
        """Read bytes that hold whole requests of at least one word, and nothing else; None when they do not."""
        reader = self._reader
        reader.feed(data)
        reader.feed(END_MARK)  # comes out if no request is begun, which hiredis cannot tell otherwise
        try:
            batch = list(iter(reader.gets, False))
            if (batch.pop() == END and not reader.has_data() and all(batch)
                    and set(map(type, chain.from_iterable(batch))) == ONLY_BYTES):  # what is no list has no bytes in it
                return batch
        except Exception:  # its ProtocolError, MemoryError for an absurd count, an empty list
            pass
        self._reader = _reader()
        return None

    def _mixed(self, data: bytes) -> bytes:
        """The same, request by request, up to one that is unfinished or odd."""
        batch: list[list[bytes]] = []
        reader, used = self._reader, -1
        reader.feed(data)
        reader.feed(END_MARK)
        gets = reader.gets
        try:
            while type(argv := gets()) is list:
                for word in argv:
                    if type(word) is not bytes:
                        raise ValueError
                batch.append(argv)
            if argv == END and not reader.has_data():
                used = len(data)
        except Exception:  # its ProtocolError, MemoryError for an absurd count: _array finds the words for it
            pass
        if used < 0:
            self._reader = _reader()
            used = sum(map(_size, batch))
            if used > len(data):  # the end mark was taken for the end of a string
                used -= _size(batch.pop())
        self._done += [argv for argv in batch if argv] if [] in batch else batch
        return data[used:]

    def _array(self, data: bytes) -> int:
        """Read one request array, on from where reading stopped; give its end, 0 when unfinished."""
        at = self._at
        if not at:
            end = self._line_end(data, 0, "too big mbulk count string")
            if not end:
                return 0
            _check_end(data, end)
            count = _decimal(data[1:end])
            if count is None or count > MAX_WORDS:
                raise ProtocolError("Protocol error: invalid multibulk length")
            if self.strange and count > STRANGE_WORDS:
                raise ProtocolError("Protocol error: unauthenticated multibulk length")
            self._left, self._words, at = count, [], end + 2
        while self._left > 0:
            end = self._line_end(data, at, "too big bulk count string")
            if end:
                if data[at] != STRING:
                    found = data[at : at + 1].decode("utf-8", "surrogateescape")
                    raise ProtocolError(f"Protocol error: expected '$', got '{found}'")
                _check_end(data, end)
                length = _decimal(data[at + 1 : end])
                if length is None or not 0 <= length <= self.max_bulk:
                    raise ProtocolError("Protocol error: invalid bulk length")
                if self.strange and length > STRANGE_BULK:
                    raise ProtocolError("Protocol error: unauthenticated bulk length")
                self._need = end + 2 + length + 2
            if not end or self._need > len(data):
                self._at = at
                return 0
            self._words.append(data[end + 2 : self._need - 2])
            self._left, at = self._left - 1, self._need
        if self._words:
            self._done.append(self._words)
        self._at, self._words, self._need = 0, [], 1
        return at

    def _line_end(self, data: bytes, at: int, too_big: str) -> int:
        """Find the end of a header line; 0 when it is not there yet."""
        end = data.find(b"\r", at)
        if 0 < end < len(data) - 1:
            return end
        if end < 0 and len(data) - at > MAX_HEADER:
            raise ProtocolError("Protocol error: " + too_big)
        self._need = len(data) + 1
        return 0

    def _inline(self, data: bytes, most: int) -> int:
        """Read inline commands, one a line, up to a request of another kind; give their end, 0 when unfinished."""
        at, size = 0, len(data)
        most += len(self._done)
        while at < size and data[at] != ARRAY and len(self._done) < most:
            end = data.find(b"\n", at)
            line = data[at:end]
            if end < 0 or b"\0" in line:  # for a server a line with a zero byte never ends
                if size - at > MAX_HEADER:
                    self.pending = size - at
                    raise ProtocolError("Protocol error: too big inline request")
                if not at:
                    self._need = size + 1
                break
            words = line.split() if b'"' not in line and b"'" not in line else self._quoted(line, size - at)
            at = end + 1
            if words:
                if words[0].lower() in HTTP:
                    raise ProtocolError("")  # a web page makes a browser talk to this port: nothing to be learnt here
                self._done.append(words)
        return at

    def _quoted(self, line: bytes, pending: int) -> list[bytes]:
        """The words of a line with quotes in it."""
        from redtool.errors import QuotingError
        from redtool.words import split

        try:
            return split(line.removesuffix(b"\r"))
        except QuotingError:
            self.pending = pending
            raise ProtocolError("Protocol error: unbalanced quotes in request") from None


def _reader() -> Reader:
    from hiredis import Reader

    return Reader()


def _check_end(data: bytes, end: int) -> None:
    """Refuse a header whose carriage return at ``end`` has no newline behind it."""
    if data[end + 1] != NEWLINE:
        raise ProtocolError("Protocol error: invalid CRLF in request")


def _decimal(text: bytes) -> int | None:
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or len(digits) > 19 or (digits[0] == 48 and text != b"0"):
        return None
    return int(text)


def _size(argv: Sequence[bytes]) -> int:
    """How many bytes a request took that hiredis read: it admits canonical numbers only."""
    size = 3 + len(str(len(argv)))
    for word in argv:
        size += len(word) + len(str(len(word))) + 5
    return size
