"""Lay a JSON text out over several lines without changing any of its tokens (``1.10`` stays ``1.10``)."""

from __future__ import annotations

import json
import re

from redtool.render.cells import show

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
STEP = "  "


def indented(value: bytes) -> str | None:
    """Give a JSON object or array indented by two blanks, None when the bytes are no JSON."""
    try:
        text = value.decode()
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    tokens = _TOKENS.findall(text)
    out: list[str] = []
    depth = 0
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in "[{":
            depth += 1
            out += (token, "" if following in ("]", "}") else _line(depth))
        elif token in "]}":
            depth -= 1
            out += ("" if tokens[at - 1] in ("[", "{") else _line(depth), token)
        elif token == ",":
            out += (token, _line(depth))
        else:
            out.append(": " if token == ":" else show(token.encode())[0] if not token.isprintable() else token)
    return "".join(out)


def _line(depth: int) -> str:
    return "\n" + STEP * depth
