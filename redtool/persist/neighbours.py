"""Find who is at work on a directory and holds no lock that one sees: two that write one journal spoil it.

Servers take no lock; and the lock file of an owner may have been deleted by somebody who took it for a stale one.
"""

from __future__ import annotations

import os

NAMES = ("redis", "valkey", "keydb")


def server_on(directory: str) -> str:
    """Name and number of a server's process whose working directory this is, which servers make of ``dir``; else "".

    Looks where the system shows processes as files, at those that this user may see.
    """
    try:
        place = os.stat(directory)
    except OSError:
        return ""
    for number in _processes():
        try:
            with open(f"/proc/{number}/comm") as file:
                name = file.read().strip()
            if name.startswith(NAMES) and "server" in name and os.path.samestat(os.stat(f"/proc/{number}/cwd"), place):
                return f"{name}, process {number}"
        except (OSError, UnicodeDecodeError):
            continue  # it has ended, or is another user's
    return ""


def owner_of(directory: str, lock: str) -> str:
    """Number of a process that has files of this store open, and its lock, which was deleted; else ""."""
    inside = os.path.realpath(directory) + os.sep
    gone = f"{inside}{lock} (deleted)"
    for number in _processes() if os.path.isdir(directory) else ():
        files = []
        try:
            for name in os.listdir(f"/proc/{number}/fd"):
                files.append(os.readlink(f"/proc/{number}/fd/{name}"))
        except OSError:
            continue
        if gone in files and any(path.startswith(inside) and os.path.exists(path) for path in files):
            return number
    return ""


def _processes() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
