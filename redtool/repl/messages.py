"""Published messages and MONITOR's lines, one a line, as they come."""

from __future__ import annotations

from collections.abc import Sequence

from redtool.render.cells import show

Pieces = list[tuple[str, str]]


def message(push: Sequence[object]) -> Pieces:
    """Draw a message: its channel (and pattern), then its payload."""
    kind, rest = _text(push[0]) if push else "", [_text(item) for item in push[1:]]
    if kind == "monitor":
        return [("", " ".join(rest) + "\n")]
    if kind in ("message", "smessage") and len(rest) == 2:
        return [("channel", rest[0]), ("", f"  {rest[1]}\n")]
    if kind == "pmessage" and len(rest) == 3:
        return [("channel", rest[1]), ("facts", f" ({rest[0]})"), ("", f"  {rest[2]}\n")]
    return [("facts", f"{kind} "), ("", " ".join(rest) + "\n")]


def confirmations(replies: object) -> Pieces:
    """Say which channels are listened to now."""
    names = [_text(reply[1]) for reply in replies if isinstance(reply, list) and len(reply) > 1] \
        if isinstance(replies, list) else []  # fmt: skip
    where = f" to {', '.join(names)}" if names else ""
    return [("facts", f"listening{where}; Ctrl-C ends it\n")]


def _text(item: object) -> str:
    if isinstance(item, bytes):
        return show(item)[0]
    if isinstance(item, list):
        return "[" + ", ".join(map(_text, item)) + "]"
    return "(nil)" if item is None else str(item)
