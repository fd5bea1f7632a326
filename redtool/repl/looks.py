"""The colours of the REPL: the sixteen of the terminal's own palette, so that they suit light and dark ones.

White, black and bright yellow are on neither list, and nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable

# role -> prompt-toolkit style
STYLES = {
    "command": "bold ansiblue",
    "unknown": "",
    "count": "ansimagenta",
    "key": "ansicyan",
    "field": "ansigreen",
    "member": "ansigreen",
    "value": "",
    "score": "ansimagenta",
    "integer": "ansimagenta",
    "double": "ansimagenta",
    "option": "ansiblue",
    "pattern": "ansicyan",
    "id": "ansimagenta",
    "bound": "ansimagenta",
    "channel": "ansicyan",
    "group": "ansigreen",
    "script": "",
    "secret": "",
    "argument": "",
    "quote": "ansibrightblack",
    "comment": "ansibrightblack italic",
    "error": "underline ansired",
    "hint": "ansibrightblack",
    "auto-suggestion": "ansibrightblack",
    "prompt": "bold",
    "prompt.multi": "bold ansimagenta",
    "prompt.lost": "bold ansired",
    "continuation": "ansibrightblack",
    "syntax": "",
    "facts": "ansibrightblack",
    "problem": "ansired",
    "missing": "ansimagenta",
    "bottom-toolbar": "noreverse",
    "completion-menu": "noreverse bg:default",
    "completion-menu.completion": "noreverse bg:default fg:default",
    "completion-menu.completion.current": "reverse",
    "completion-menu.meta.completion": "bg:default ansibrightblack",
    "completion-menu.meta.completion.current": "bg:default bold",
    "scrollbar.background": "bg:default",
    "scrollbar.button": "noreverse bg:ansibrightblack",
}

SGR = {"ansired": "31", "ansigreen": "32", "ansiblue": "34", "ansimagenta": "35", "ansicyan": "36",
       "ansibrightblack": "90", "bold": "1", "italic": "3", "underline": "4"}  # fmt: skip


def painted(pieces: Iterable[tuple[str, str]], color: bool) -> str:
    """A text of (role, text) pieces for printing on the terminal outside of the line editor."""
    if not color:
        return "".join(text for _, text in pieces)
    return "".join(_paint(role, text) for role, text in pieces)


def _paint(role: str, text: str) -> str:
    codes = ";".join(SGR[word] for word in STYLES.get(role, "").split() if word in SGR)
    body = text.rstrip("\n")
    return f"\x1b[{codes}m{body}\x1b[0m{text[len(body):]}" if codes and body else text
