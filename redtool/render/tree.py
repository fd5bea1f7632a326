"""Draw a reply in redis-cli's layout, with colour, folded to the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from redtool.render import single
from redtool.render.cells import inline
from redtool.render.paint import Look, fold, leaf, paint, share
from redtool.render.plain import empty_text, has_lines

NESTED = 1000  # characters of a string among others
DEEP = 40  # levels; what is deeper stands on one line

Nested = dict[object, object] | list[object] | tuple[object, ...] | set[object] | frozenset[object]


def draw(reply: object, look: Look, note: str = "") -> str:
    """Draw any reply. A single value is one line however long it is: the terminal wraps it, copying gives it whole."""
    if not isinstance(reply, (dict, list, tuple, set, frozenset)):
        return single.draw(reply, note, look.color, look.cap, look.json_pretty)
    tree = _Tree(look)
    tree.node(reply, Text(), 0, 0)
    lines = tree.lines
    remarks = [f"… {tree.left:,} more; use --raw for all" if tree.left else "", note]
    lines += (piece for remark in remarks if remark for piece in fold(Text(remark, "dim"), look.width))
    return paint(Text("\n").join(lines), look)


class _Tree:
    """The lines of a nested reply as they are made. ``left`` counts the elements beyond the cap."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.lines: list[Text] = []
        self.left = 0
        self._room = look.cap or 1 << 62
        self._limit = NESTED

    def node(self, reply: object, head: Text, indent: int, depth: int) -> None:
        """Add a reply whose first line begins with ``head``, the others with ``indent`` blanks."""
        if not isinstance(reply, (dict, list, tuple, set, frozenset)):
            self._leaf(leaf(reply, self.look, self._limit), head, indent)
        elif not reply:
            self._leaf(Text(empty_text(reply).decode(), "dim"), head, indent)
        elif depth >= DEEP or indent > self.look.width // 2:
            self._leaf(Text(inline(reply)), head, indent)
        else:
            self._items(reply, head, indent, depth)

    def _leaf(self, text: Text, head: Text, indent: int) -> None:
        pieces = [piece for line in text.split("\n") for piece in fold(line, max(self.look.width - indent, 2))]
        self.lines.append(head + pieces[0])
        self.lines += (Text(" " * indent) + piece for piece in pieces[1:])

    def _items(self, reply: Nested, head: Text, indent: int, depth: int) -> None:
        width = len(str(len(reply)))
        self._limit = min(self._limit, share(NESTED, min(len(reply), self._room)))
        mark = "# " if isinstance(reply, dict) else "~ " if isinstance(reply, (set, frozenset)) else ") "
        deeper = indent + width + 2
        pairs: Iterable[tuple[object, object]] = reply.items() if isinstance(reply, dict) else ((0, i) for i in reply)
        for index, (key, item) in enumerate(pairs):
            if self._room <= 0:
                self.left += len(reply) - index
                if index == 0:
                    self._leaf(Text("…", "dim"), head, indent)
                return
            self._room -= 1
            start = (head if index == 0 else Text(" " * indent)) + Text(f"{index + 1:{width}d}{mark}", "dim")
            if isinstance(reply, dict):
                self._pair(key, item, start, deeper, depth)
            else:
                self.node(item, start, deeper, depth + 1)

    def _pair(self, key: object, value: object, start: Text, indent: int, depth: int) -> None:
        """Add ``key => value``, the value below when it takes several lines or there is no room beside the key."""
        name = leaf(key, self.look, self._limit) if not isinstance(key, (tuple, frozenset)) else Text(inline(key))
        name.stylize("cyan")
        self._leaf(name, start, indent)
        arrow = Text(" => ", "dim")
        beside = self.lines[-1].cell_len + 4
        if has_lines(value) or beside > self.look.width // 2:
            if beside <= self.look.width:
                self.lines[-1] += arrow
            self.node(value, Text(" " * indent), indent, depth + 1)
        else:
            self.node(value, self.lines.pop() + arrow, beside, depth + 1)
