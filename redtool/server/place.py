"""Where a store's socket is: ``redtool.sock`` in its directory, through a link where that name would be too long.

The system takes about a hundred bytes for a socket's name. Beyond them the socket lies in a directory of the user's own
for such things, and ``redtool.sock`` is a symbolic link to it.
"""

from __future__ import annotations

import os

from redtool import errors

SOCKET = "redtool.sock"
LONGEST = 100  # bytes of a socket's name: 108 on Linux, 104 elsewhere, with the zero at the end


def socket_of(directory: str) -> str:
    """The path to connect to for the owner of this store; "" when nobody listens, as far as one can see."""
    path = os.path.join(directory, SOCKET)
    try:
        if len(os.fsencode(path)) <= LONGEST:
            os.lstat(path)
            return path
        if os.path.islink(path):
            return os.readlink(path)
    except OSError:
        return ""
    path = os.path.realpath(path)  # the directory has a shorter name, too
    return path if os.path.exists(path) and len(os.fsencode(path)) <= LONGEST else ""


def has_socket(directory: str) -> bool:
    """Whether an owner seems to listen."""
    return os.path.lexists(os.path.join(directory, SOCKET))


def forget_socket(directory: str) -> None:
    """Remove the socket that an owner who was killed has left: so that nobody tries it. For the owner alone."""
    try:  # noqa: SIM105 - contextlib is slow to import
        os.unlink(os.path.join(directory, SOCKET))
    except OSError:
        pass


def make_room(directory: str) -> tuple[str, str]:
    """Remove what an earlier owner left: (the path to listen on, the link to make to it or ""). For the owner alone."""
    path = os.path.join(os.path.realpath(directory), SOCKET)  # whatever name others have for the directory
    link = ""
    if len(os.fsencode(path)) > LONGEST:
        path, link = os.path.join(_own_directory(), f"{_digest(path)}.sock"), path
    for name in filter(None, (path, link)):
        try:  # noqa: SIM105 - contextlib is slow to import
            os.unlink(name)
        except FileNotFoundError:
            pass
    return path, link


def _digest(path: str) -> str:
    from zlib import crc32

    name = os.fsencode(path)
    return f"{crc32(name):08x}{crc32(name[::-1]):08x}"


def _own_directory() -> str:
    """A short directory that nobody else may enter. Raises StoreError."""
    base = os.environ.get("XDG_RUNTIME_DIR") or ""
    name = os.path.join(base, "redtool") if base and os.path.isdir(base) else f"/tmp/redtool-{os.getuid()}"
    if len(os.fsencode(name)) > LONGEST - 24:
        name = f"/tmp/redtool-{os.getuid()}"
    try:
        os.mkdir(name, 0o700)
    except FileExistsError:
        found = os.lstat(name)
        if found.st_uid != os.getuid() or found.st_mode & 0o77 or not os.path.isdir(name) or os.path.islink(name):
            raise errors.StoreError(f"{name} is not a directory of yours alone") from None
    except OSError as error:
        raise errors.StoreError(f"cannot make {name}: {(error.strerror or '').lower()}") from None
    return name
