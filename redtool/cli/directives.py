"""Directives of redis.conf on the command line, as redis-server takes them: --NAME and then its words."""

from __future__ import annotations

from difflib import get_close_matches

from redtool.conffile import SPECIAL
from redtool.errors import UsageError
from redtool.options import OPTIONS
from redtool.parameters import ALIASES, PARAMETERS
from redtool.rewriting import quoted

OTHERS = "--set"  # carries what has no option of its own
KNOWN = frozenset([*PARAMETERS, *ALIASES, *SPECIAL])


def arrange(words: list[str], own: dict[str, bool]) -> list[str]:
    """A verb's words as typer reads them: one word a directive, then the file ("" for none), ``--`` and a program.

    ``own`` are the verb's options and whether they take a value. A directive without one goes as --set=NAME WORDS.
    The words of a directive are quoted as in the file.
    """
    out: list[str] = []
    operands: list[str] = []
    at, end = 0, words.index("--") if "--" in words else len(words)
    while at < end:
        word = words[at]
        name, equals, text = word[2:].partition("=")
        if word[:2] == "--" and name.lower() in KNOWN:
            at += 1
            found = [text] if equals else values(words[at:end], name.lower())
            at += 0 if equals else len(found)
            if not found:
                raise UsageError(f"--{name} needs a value")
            out.append(written(name.lower(), found, own))
        elif word[:1] != "-" or word == "-":
            operands.append(word)
            at += 1
        else:
            step = _other(word, own)
            out += words[at : at + step]
            at += step
    if len(operands) > 1:
        raise UsageError(f"what is {operands[1]}? One FILE; a program follows --: redtool serve -- {operands[1]}")
    return [*out, *(operands or [""]), *words[end:]]


def values(words: list[str], name: str) -> list[str]:
    """The words that belong to a directive: one, or up to the next option where it takes several."""
    found = PARAMETERS.get(ALIASES.get(name, name))
    if found is not None and not found.words:
        return words[:1]
    for at, word in enumerate(words):
        if word in OPTIONS or (word[:2] == "--" and word != "--"):
            return words[:at]
    return words


def written(name: str, found: list[str], own: dict[str, bool]) -> str:
    """A directive as one word."""
    parameter = PARAMETERS.get(ALIASES.get(name, name))
    if len(found) == 1 and parameter is not None and parameter.words and found[0]:
        found = found[0].split()  # --save "60 1", --bind "127.0.0.1 ::1"
    text = b" ".join(quoted(word.encode("utf-8", "surrogateescape")) for word in found)
    shown = text.decode("utf-8", "surrogateescape")
    return f"--{name}={shown}" if f"--{name}" in own else f"{OTHERS}={name} {shown}"


def _other(word: str, own: dict[str, bool]) -> int:
    """How many words an option is that is no directive: the verb's own, or one of all verbs."""
    name, equals, _ = word.partition("=")
    if name in own:
        return 2 if own[name] and not equals else 1
    if name in OPTIONS:
        return 2 if OPTIONS[name][1] and not equals else 1
    near = get_close_matches(name[2:], KNOWN, 1) if name[:2] == "--" else []
    raise UsageError(f"unknown option {name}" + (f"; did you mean --{near[0]}?" if near else ""))
