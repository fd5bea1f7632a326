"""Scripts: commands from a file or a pipe, one a line, run as they come.

Lines are read in chunks, run in batches, and a batch's replies leave in one write after the journal has
reached the kernel. An error reply goes to stderr as ``file:line: text`` and, unless --errexit, the script goes on.
"""

from __future__ import annotations

import os

from redtool import errors, exits
from redtool.oneshot import REDIRECTED, REDIRECTS, close_after_failure, complain, format_of, stream, suggest, write
from redtool.render.plain import raw
from redtool.resp import Replies, Status
from redtool.words import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.backends import Backend
    from redtool.options import Options
    from redtool.resp import Reply
    from redtool.words import Entry

    Renderer = Callable[[tuple[bytes, ...], Reply], bytes]

CHUNK = 1 << 18  # bytes read at a time; a pipe gives what there is
LARGE = 4 << 20  # bytes of a file whose commands take some tenths of a second
MARK = b"\xef\xbb\xbf"  # what some editors put before UTF-8
ONE_COMMAND = {"repeat": "-r", "interval": "-i", "test": "--test", "stdin": "-x"}  # options that mean nothing here


def run(options: Options, path: str | None = None) -> int:
    """Run the commands of a file, or of stdin; gives the exit code."""
    for flag, option in ONE_COMMAND.items():
        if flag in options.flags:
            raise errors.UsageError(f"{option} is for one command: redtool {option} … COMMAND")
    if path is None or path == "-":
        fd, name = 0, "stdin"
    else:
        fd, name = _open(path), path
    from redtool.backends import open_backend

    backend = open_backend(options, share=_lasts(fd))
    try:
        code = Script(backend, name, options).run(fd)
    except BaseException:
        close_after_failure(backend)
        raise
    finally:
        if fd:
            os.close(fd)
    backend.close()
    return code


def _lasts(fd: int) -> bool:
    """Whether a script may take so long that others should be let in meanwhile: a pipe, a terminal, a large file."""
    from stat import S_ISREG

    found = os.fstat(fd)
    return not S_ISREG(found.st_mode) or found.st_size > LARGE


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise errors.UsageError(f"cannot read {path}: {(error.strerror or '').lower()}") from None


class Script:
    """A run of a script against a backend. ``code`` is the exit code so far."""

    def __init__(self, backend: Backend, name: str, options: Options) -> None:
        self.backend, self.name, self.options = backend, name, options
        self.errexit = "errexit" in options.flags
        self.code = exits.OK
        self.told = False
        self.format = format_of(options)
        self.render = _renderer(self.format, options)

    def run(self, fd: int) -> int:
        """Run everything readable from ``fd``."""
        lines, mark = Lines(), MARK
        try:
            while chunk := os.read(fd, CHUNK):
                if not self.batch(lines.feed(chunk.removeprefix(mark))):
                    return self.code
                mark = b""
        except IsADirectoryError:
            raise errors.UsageError(f"cannot read {self.name}: it is a directory") from None
        if not self.batch(lines.end()):
            return self.code
        if self.backend.in_multi:
            complain(f"{self.name}: it ends in MULTI without EXEC: what was queued has not run")
            self.code = max(self.code, exits.ERROR_REPLY)
        else:
            stream(self.backend, self.options)
        return self.code

    def batch(self, entries: list[Entry]) -> bool:
        """Run some lines. False when the script must stop."""
        start = 0
        for at, (number, argv) in enumerate(entries):
            if type(argv) is not list:
                if not self.commands(entries[start:at]):
                    return False
                start = at + 1
                complain(f"{self.name}:{number}: {argv}")
                self.code = max(self.code, exits.USAGE)
                if self.errexit:
                    return False
        return self.commands(entries[start:] if start else entries)

    def commands(self, entries: list[Entry]) -> bool:
        """Run lines that are whole commands. False when the script must stop."""
        pipeline = getattr(self.backend, "batch", self.backend.pipeline)  # words are bytes as they are
        while entries:
            try:
                replies = pipeline([argv for _, argv in entries], self.errexit)  # type: ignore[misc]
            except errors.ConnectError as error:
                # What had replies before the target was lost has run, and is told
                replies = list(getattr(error, "replies", ()))
                self.show(entries, replies)
                at = entries[min(len(replies), len(entries) - 1)][0]
                raise errors.ConnectError(f"{self.name}:{at}: {error}") from None
            if not self.show(entries, replies):
                return False
            entries = entries[len(replies) :]
        return True

    def show(self, entries: list[Entry], replies: list[Reply]) -> bool:
        """Print the replies of a batch, errors where they belong. False when an error ends the script."""
        render = self.render
        out: list[bytes] = []
        for at, reply in enumerate(replies):
            kind = type(reply)
            if render is None and (kind is Status or kind is bytes):
                out.append(reply)  # type: ignore[arg-type]
            elif render is None and kind is int:
                out.append(b"%d" % reply)  # type: ignore[str-format]
            elif isinstance(reply, errors.ReplyError):
                if render is not None and self.format != "human":
                    out.append(self.text(entries[at], reply))
                _write(out)
                self._failed(entries[at], reply)
                if self.errexit:
                    return False
            elif type(reply) is Replies:  # SUBSCRIBE: each confirmation by itself
                out += [self.text(entries[at], each) for each in reply]
            else:
                out.append(self.text(entries[at], reply))
        _write(out)
        return True

    def text(self, entry: Entry, reply: Reply) -> bytes:
        """A reply as it is printed, without its last line end."""
        return (raw(reply) if self.render is None else self.render(tuple(entry[1]), reply))[:-1]  # type: ignore[arg-type]

    def _failed(self, entry: Entry, error: errors.ReplyError) -> None:
        number, argv = entry
        self.code = max(self.code, exits.ERROR_REPLY)
        complain(f"{self.name}:{number}: {error.message}")
        if error.code in REDIRECTS:
            self._redirected()
        elif self.format == "human":
            suggest(argv, error)  # type: ignore[arg-type]

    def _redirected(self) -> None:
        """Tell once how to follow a cluster."""
        if not self.told:
            self.told = True
            complain(REDIRECTED)


def _write(out: list[bytes]) -> None:
    """Write lines and forget them."""
    if out:
        out.append(b"")
        write(b"\n".join(out))
        out.clear()


def _renderer(name: str, options: Options) -> Renderer | None:
    """How a reply is printed; None for raw, which needs no call a reply."""
    if name == "raw":
        return None
    if name != "human":
        from redtool.render import choose

        return choose(name)
    return _for_people(options)


def _for_people(options: Options) -> Renderer:
    """Tables and colours as after a one-shot command, but never the pager."""
    from redtool.render import want_color
    from redtool.render.terminal import screen, to_text

    isatty = os.isatty(1)
    width = screen(os.environ)[0] if isatty else 80
    color, pretty = want_color(options.get("color", "auto"), os.environ, isatty), "pretty" in options.flags

    def draw(argv: tuple[bytes, ...], reply: Reply) -> bytes:
        return to_text(argv, reply, width=width, color=color, json_pretty=pretty).encode("utf-8", "surrogateescape")

    return draw
