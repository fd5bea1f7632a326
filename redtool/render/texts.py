"""Read the replies that are text with a layout of their own: INFO, CLIENT LIST, CLUSTER NODES, CLUSTER INFO."""

from __future__ import annotations

_TEXT_FIELDS = ("run_id", "build_id", "sha1", "version", "ver", "replid", "replid2", "name", "user")  # never numbers
NODE_FIELDS = ("id", "address", "flags", "master", "ping_sent", "pong_received", "epoch", "link")

Value = str | int | float | dict[str, "Value"]


def lines(reply: bytes) -> list[str]:
    """Give the lines of a text; bytes that are not UTF-8 stay as surrogate escapes."""
    return reply.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")


def sections(reply: bytes) -> list[tuple[str, list[tuple[str, str]]]]:
    """Split INFO into ``(section, [(name, value), …])``; lines before the first heading have the section ``""``."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in lines(reply):
        if line.startswith("# "):
            found.append((line[2:].strip(), []))
        elif line:
            name, colon, value = line.partition(":")
            if not found:
                found.append(("", []))
            found[-1][1].append((name, value) if colon else (line, ""))
    return found


def info(reply: bytes) -> dict[str, Value]:
    """Give INFO as ``{section: {name: value}}``: sections in lower case, as INFO's own arguments are.

    A text without sections gives its names alone. Numbers become numbers, ``k=v,k=v`` becomes an object.
    """
    found: dict[str, Value] = {}
    for title, rows in sections(reply):
        names: dict[str, Value] = {name: typed(name, value) for name, value in rows}
        if title:
            found[title.lower()] = names
        else:
            found.update(names)
    return found


def typed(name: str, value: str) -> Value:
    """Read a number where the text is one and the name does not speak of an id or version."""
    if "=" in value and all("=" in part for part in value.split(",")):
        parts = (part.partition("=") for part in value.split(","))
        return {key: typed(key, text) for key, _, text in parts}
    if name.endswith(_TEXT_FIELDS) or not value.isascii():
        return value
    digits = value[1:] if value.startswith("-") else value
    whole, point, fraction = digits.partition(".")
    if not whole.isdigit() or (len(whole) > 1 and whole[0] == "0") or len(digits) > 25:
        return value
    if not point:
        return int(value)
    return float(value) if fraction.isdigit() else value


def clients(reply: bytes) -> list[dict[str, str]]:
    """Read CLIENT LIST or CLIENT INFO: one dict a client."""
    return [
        {key: value for key, _, value in (word.partition("=") for word in line.split(" ")) if key}
        for line in lines(reply)
        if line
    ]


def nodes(reply: bytes) -> list[dict[str, str | list[str]]]:
    """Read CLUSTER NODES: one dict a node, its slots as a list."""
    found = []
    for line in lines(reply):
        words = line.split()
        if len(words) >= len(NODE_FIELDS):
            node: dict[str, str | list[str]] = dict(zip(NODE_FIELDS, words, strict=False))
            node["slots"] = words[len(NODE_FIELDS) :]
            found.append(node)
    return found
