"""Steps that make a change to a directory survive a crash."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
INDEX = ".idx"  # after a snapshot's name: its index, see ``index``


def sync_directory(path: str) -> None:
    """Make renames and new names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def create(path: str, flags: int = 0) -> int:
    """Create or empty a private file and give its descriptor. With O_APPEND a cut file has no hole."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | flags, PRIVATE_FILE)


def replace(path: str, temporary: str, fill: Callable[[int], object]) -> None:
    """Write a file beside ``path`` (``fill`` gets its descriptor and syncs it), then put it in its place."""
    fd = create(temporary)
    try:
        try:
            fill(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    sync_directory(os.path.dirname(path) or ".")


def remove(path: str) -> None:
    """Delete a file that may be gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write every byte, whatever the kernel takes at a time."""
    done = os.write(fd, data)
    if done < len(data):
        with memoryview(data) as view:
            while done < len(data):
                done += os.write(fd, view[done:])


def copy(source: str, target: str, start: int = 0) -> int:
    """Copy a file from ``start`` on into a new one and sync it; gives the bytes copied."""
    done = 0
    with open(source, "rb", buffering=0) as file:
        file.seek(start)
        fd = create(target)
        try:
            while piece := file.read(1 << 20):
                write_all(fd, piece)
                done += len(piece)
            os.fsync(fd)
        finally:
            os.close(fd)
    return done


def sweep(folder: str) -> None:
    """Delete temporary files that processes have left that are no more: their names have a pid last."""
    for name in os.listdir(folder):
        pid = name.rpartition("-")[2].partition(".")[0]
        if name.startswith("temp-") and pid.isdigit() and not _is_alive(int(pid)):
            remove(os.path.join(folder, name))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
