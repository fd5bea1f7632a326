"""Make a command table of a server's own words: COMMAND DOCS and COMMAND INFO -> syntax lines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def from_docs(name: str, doc: dict[Any, Any] | list[Any]) -> str:
    """Write the syntax line of one COMMAND DOCS entry, a map or RESP2's flat list.

    ``name`` is as the server gives it ("set", "config|get"); an entry without arguments gives the bare name.
    """
    words = [name.upper().replace("|", " ")]
    words += [_argument(argument) for argument in fields(doc).get("arguments", ())]
    return " ".join(words)


def lines(docs: dict[Any, Any] | list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give (syntax line, entry) of every command and subcommand of a COMMAND DOCS reply."""
    for name, doc in fields(docs).items():
        entry = fields(doc)
        yield from_docs(name, doc), entry
        yield from lines(entry.get("subcommands", {}))


def fields(reply: dict[Any, Any] | list[Any]) -> dict[str, Any]:
    """A map or a flat list of pairs as a dict with text keys."""
    pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=False)
    return {text(key): value for key, value in pairs}


def text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _argument(reply: dict[Any, Any] | list[Any]) -> str:
    """One argument, with its token, brackets and repetition."""
    argument = fields(reply)
    kind = text(argument.get("type", "string"))
    flags = {text(flag) for flag in argument.get("flags", ())}
    parts = [_argument(part) for part in argument.get("arguments", ())]
    token = text(argument["token"]) or '""' if argument.get("token") is not None else ""
    if kind == "pure-token":
        words = token
    elif kind == "oneof":
        words = " | ".join(parts)
    elif kind == "block":
        words = " ".join(parts)
    else:
        words = text(argument.get("display_text") or argument["name"]).replace(" ", "-") or "arg"
        # A placeholder in capitals would be read as a token.
        words = words.lower() if words == words.upper() else words
    if kind == "oneof" and ("optional" not in flags or token):
        words = f"<{words}>"
    whole = f"{token} {words}" if token and kind != "pure-token" else words
    if "multiple" in flags:
        again = whole if "multiple_token" in flags or not token else words
        if kind == "oneof" and again.startswith("<"):
            again = again[1:-1]
        whole = f"{whole} [{again} ...]"
    return f"[{whole}]" if "optional" in flags else whole
