"""Find the server that runs on a directory: two that write one journal spoil it, and servers take no lock."""

from __future__ import annotations

import os

NAMES = ("redis", "valkey", "keydb")


def server_on(directory: str) -> str:
    """Name and number of a server's process whose working directory this is, which servers make of ``dir``; else "".

    Looks where the system shows processes as files, at those that this user may see.
    """
    try:
        place = os.stat(directory)
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return ""
    for number in numbers:
        try:
            with open(f"/proc/{number}/comm") as file:
                name = file.read().strip()
            if name.startswith(NAMES) and "server" in name and os.path.samestat(os.stat(f"/proc/{number}/cwd"), place):
                return f"{name}, process {number}"
        except (OSError, UnicodeDecodeError):
            continue  # it has ended, or is another user's
    return ""
