"""COMMAND DOCS: the arguments of a command as a tree of maps, made from its syntax tree.

A client that reads them completes redtool's commands as it completes a server's.
"""

from __future__ import annotations

from redtool.commands.keyspecs import key_specs
from redtool.notation import ARG, BAG, CHOICE, KEYS, OPT, POOL, REP, SEQ, TOKEN
from redtool.placeholders import type_of
from redtool.resp import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.commands.table import Command
    from redtool.notation import Node
    from redtool.resp import Reply

    Argument = dict[bytes, Reply]

TYPES = {"key", "integer", "double", "pattern", "unix-time"}
SIGNS = {"": "empty-string", "*": "auto-id", "=": "equal", "~": "approximately", "$": "new-id", ">": "new-entries"}


def docs(command: Command) -> dict[Reply, Reply]:
    """What COMMAND DOCS tells of one command."""
    found: dict[Reply, Reply] = {
        b"summary": command.summary.encode(),
        b"since": command.since.encode(),
        b"group": command.group.replace("_", "-").encode(),
    }
    if command.complexity:
        found[b"complexity"] = command.complexity.encode()
    arguments = Arguments(command).of(command.syntax.tree)
    if arguments:
        found[b"arguments"] = arguments
    if command.subs:
        found[b"subcommands"] = {full_name(sub): docs(sub) for sub in command.subs.values()}
    return found


def full_name(command: Command) -> bytes:
    """A command's name as COMMAND gives it: ``config|get``."""
    return command.name.lower().replace(" ", "|").encode()


class Arguments:
    """Turn the nodes of one command's tree into arguments; keys are numbered by their specification."""

    def __init__(self, command: Command) -> None:
        self.name = command.name
        self.keys = 0
        self.specs = len(key_specs(command))

    def of(self, node: Node) -> list[Reply]:
        """The arguments that a sequence of parts consists of."""
        out: list[Reply] = []
        parts = list(node.items) if node.kind in (SEQ, BAG) else [node]
        while parts:
            part = parts.pop(0)
            if part.kind in (SEQ, BAG):
                parts[:0] = [part] if part.kind == SEQ and self.is_block(part) else part.items
                if parts and parts[0] is part:
                    out.append(self.one(parts.pop(0)))
            elif part.kind == POOL:
                out += [self.marked(self.one(item), "multiple") for item in part.items]
            elif part.kind == TOKEN and parts and parts[0].kind == POOL:
                pool = parts.pop(0)
                block: Argument = {b"name": part.text.lower().encode(), b"type": b"block", b"token": part.text.encode()}
                block[b"arguments"] = self.of(pool)
                out.append(block)
            else:
                out.append(self.one(part))
        return out

    def is_block(self, node: Node) -> bool:
        """Whether a sequence belongs to one option word."""
        return node.items[0].kind == TOKEN

    def one(self, node: Node) -> Argument:
        """One part as one argument."""
        kind = node.kind
        if kind == TOKEN:
            name = SIGNS.get(node.text, node.text.lower()).encode()
            return {b"name": name, b"type": b"pure-token", b"display_text": name, b"token": node.text.encode()}
        if kind == ARG:
            return self.placeholder(node.text)
        if kind == OPT:
            return self.marked(self.one(node.items[0]), "optional")
        if kind == REP:
            return self.repeated(node)
        if kind == CHOICE:
            inner = [self.one(item) for item in node.items]
            return {b"name": _joined(inner, b"-or-"), b"type": b"oneof", b"arguments": inner}
        return self.block(node)

    def placeholder(self, text: str) -> Argument:
        kind = type_of(self.name, text)
        kind = "integer" if kind == "cursor" else kind if kind in TYPES else "string"
        word = text.encode()
        argument: Argument = {b"name": word, b"type": kind.encode(), b"display_text": word}
        if text in KEYS and self.specs:
            argument[b"key_spec_index"] = min(self.keys, self.specs - 1)
            self.keys += 1
        return argument

    def repeated(self, node: Node) -> Argument:
        inner = node.items[0]
        argument = self.one(inner)
        words = ["multiple"] if node.low else ["optional", "multiple"]
        if b"token" in argument and argument[b"type"] != b"pure-token":
            words.append("multiple_token")
        return self.marked(argument, *words)

    def block(self, node: Node) -> Argument:
        """A sequence: one argument with a token before it, or a block."""
        first, *rest = node.items
        if first.kind == TOKEN and len(rest) == 1 and rest[0].kind in (ARG, CHOICE, REP) and not _has_token(rest[0]):
            argument = self.one(rest[0])
            argument[b"token"] = first.text.encode()
            return argument
        inner: list[Reply]
        if first.kind == TOKEN and rest and all(item.kind == ARG for item in rest):
            inner = self.of(node)[1:]
            return {b"name": first.text.lower().encode(), b"type": b"block", b"token": first.text.encode(),
                    b"arguments": inner}  # fmt: skip
        inner = self.parts(node)
        return {b"name": _joined(inner, b"_"), b"type": b"block", b"arguments": inner}

    def parts(self, node: Node) -> list[Reply]:
        """The arguments of a block; a token right before a placeholder belongs to it."""
        out: list[Reply] = []
        items = list(node.items)
        while items:
            item = items.pop(0)
            if item.kind == TOKEN and items and items[0].kind == ARG:
                argument = self.one(items.pop(0))
                argument[b"token"] = item.text.encode()
                out.append(argument)
            elif item.kind == BAG:
                items[:0] = item.items
            else:
                out.append(self.one(item))
        return out

    def marked(self, argument: Argument, *words: str) -> Argument:
        """Add flags to an argument."""
        before = argument.get(b"flags", set())
        assert isinstance(before, set)
        argument[b"flags"] = before | {Status(word.encode()) for word in words}
        return argument


def _has_token(node: Node) -> bool:
    """Whether a repetition brings a word of its own (``GET pattern``)."""
    return node.kind == REP and node.items[0].kind == SEQ and node.items[0].items[0].kind == TOKEN


def _joined(arguments: list[Argument] | list[Reply], sign: bytes) -> bytes:
    names = [argument[b"name"] for argument in arguments if isinstance(argument, dict)]
    return sign.join(name for name in names[:3] if isinstance(name, bytes))
