"""Scripts: commands from a file or a pipe, one a line, run as they come.

Lines are read in chunks, run in batches, and a batch's replies leave in one write after the journal has
reached the kernel. An error reply goes to stderr as ``file:line: text`` and, unless --errexit, the script goes on.
"""

from __future__ import annotations

import os

from redtool import errors, exits
from redtool.oneshot import complain, write
from redtool.render.plain import raw
from redtool.resp import Status
from redtool.words import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.backends import Backend
    from redtool.options import Options
    from redtool.resp import Reply
    from redtool.words import Entry

CHUNK = 1 << 18  # bytes read at a time; a pipe gives what there is


def run(options: Options, path: str | None = None) -> int:
    """Run the commands of a file, or of stdin; gives the exit code."""
    from redtool.backends import open_backend

    if path is None or path == "-":
        fd, name = 0, "stdin"
    else:
        try:
            fd, name = os.open(path, os.O_RDONLY), path
        except OSError as error:
            raise errors.UsageError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    backend = open_backend(options)
    try:
        return Script(backend, name, options).run(fd)
    finally:
        backend.close()
        if fd:
            os.close(fd)


class Script:
    """A run of a script against a backend. ``code`` is the exit code so far."""

    def __init__(self, backend: Backend, name: str, options: Options) -> None:
        self.backend, self.name, self.options = backend, name, options
        self.errexit = "errexit" in options.flags
        self.code = exits.OK
        self.render = self._renderer()

    def _renderer(self) -> Callable[[tuple[bytes, ...], Reply], bytes] | None:
        """How a reply is printed; None for raw, which batches."""
        for name in ("json", "csv", "human"):
            if name in self.options.flags:
                from redtool.render import choose

                return choose("text" if name == "human" else name)
        return None

    def run(self, fd: int) -> int:
        """Run everything readable from ``fd``."""
        lines = Lines()
        while chunk := os.read(fd, CHUNK):
            if not self.batch(lines.feed(chunk)):
                return self.code
        self.batch(lines.end())
        return self.code

    def batch(self, entries: list[Entry]) -> bool:
        """Run some lines. False when the script must stop."""
        start = 0
        for at, (number, argv) in enumerate(entries):
            if isinstance(argv, errors.QuotingError):
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
        pipeline = self.backend.pipeline
        while entries:
            replies = pipeline([argv for _, argv in entries], self.errexit)
            if not self.show(entries, replies):
                return False
            entries = entries[len(replies) :]
        return True

    def show(self, entries: list[Entry], replies: list[Reply]) -> bool:
        """Print the replies of a batch, errors where they belong. False when an error ends the script."""
        render, out = self.render, []
        for at, reply in enumerate(replies):
            kind = type(reply)
            if render is not None:
                out.append(render(tuple(entries[at][1]), reply)[:-1])  # type: ignore[arg-type]
                failed = isinstance(reply, errors.ReplyError)
            elif kind is Status or kind is bytes:
                out.append(reply)  # type: ignore[arg-type]
                continue
            elif kind is int:
                out.append(b"%d" % reply)
                continue
            elif isinstance(reply, errors.ReplyError):
                failed = True
                if out:
                    write(b"\n".join(out) + b"\n")
                    out.clear()
                complain(f"{self.name}:{entries[at][0]}: {reply.message}")
            else:
                out.append(raw(reply)[:-1])
                continue
            if failed:
                self.code = max(self.code, exits.ERROR_REPLY)
                if self.errexit:
                    break
        else:
            failed = False
        if out:
            write(b"\n".join(out) + b"\n")
        return not (failed and self.errexit)
