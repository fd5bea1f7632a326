"""The filter expressions of VSIM: ``.year >= 1980 and "drama" in .tags``.

An expression is compiled once into a program for a stack and run on the JSON of each element. What cannot be compared
counts as 0, and an element whose JSON lacks a field that is named never matches, both as in Redis 8.2.
"""

from __future__ import annotations

from math import fmod, inf, nan

from redtool.engine.attributes import Unreadable, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from redtool.engine.attributes import Value

    Token = tuple[str, Value]

SPACE = b" \t\n\r\v\f"
DIGITS = b"0123456789"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SIGNS = b"+-*%/!()<>=|&"
NAME = LETTERS + DIGITS + b"_-"
# word -> (operation, precedence, operands)
OPERATORS: dict[bytes, tuple[str, int, int]] = {
    b"(": ("(", 7, 0), b")": (")", 7, 0), b"!": ("not", 6, 1), b"not": ("not", 6, 1), b"**": ("**", 5, 2),
    b"*": ("*", 4, 2), b"/": ("/", 4, 2), b"%": ("%", 4, 2), b"+": ("+", 3, 2), b"-": ("-", 3, 2),
    b">": (">", 2, 2), b">=": (">=", 2, 2), b"<": ("<", 2, 2), b"<=": ("<=", 2, 2), b"==": ("==", 2, 2),
    b"!=": ("!=", 2, 2), b"in": ("in", 2, 2), b"and": ("and", 1, 2), b"&&": ("and", 1, 2), b"or": ("or", 0, 2),
    b"||": ("or", 0, 2),
}  # fmt: skip
RANKS = {operation: (precedence, operands) for operation, precedence, operands in OPERATORS.values()}
LONGEST_NUMBER = 255


class BadExpression(ValueError):
    """What is wrong, as the place in the expression where reading stopped."""

    def __init__(self, at: int = 0) -> None:
        super().__init__(at)
        self.at = at


def compiled(text: bytes) -> Callable[[bytes], bool]:
    """Compile an expression; the result tells whether a JSON text matches. Raises BadExpression."""
    program = _ordered(_Scanner(text.partition(b"\0")[0]).tokens())
    return lambda json: _run(program, json)


class _Scanner:
    """Splits an expression into ("value", x), ("field", name) and (operation, None)."""

    def __init__(self, text: bytes) -> None:
        self.text, self.pos = text, 0
        self.out: list[Token] = []

    def tokens(self) -> list[Token]:
        while self._peek():
            self.out.append(self._token())
        return self.out

    def _peek(self) -> bytes:
        """The next character that is no space, "" at the end."""
        while (sign := self.text[self.pos : self.pos + 1]) and sign in SPACE:
            self.pos += 1
        return sign

    def _token(self) -> Token:
        sign, after = self.text[self.pos : self.pos + 1], self.text[self.pos + 1 : self.pos + 2]
        signed = sign == b"-" and after and after in DIGITS
        if sign in DIGITS or (signed and (not self.out or self.out[-1][0] not in ("value", "field", ")"))):
            return "value", self._number()
        if sign in b"\"'":
            return "value", self._string()
        if sign == b"." and (not after or after in NAME):
            self.pos += 1
            return "field", self._run_of(NAME)
        if sign == b"[":
            return "value", self._list()
        if sign in LETTERS or sign in SIGNS:
            return self._operator()
        raise BadExpression(self.pos)

    def _run_of(self, allowed: bytes) -> bytes:
        start = self.pos
        while self.pos < len(self.text) and self.text[self.pos] in allowed:
            self.pos += 1
        return self.text[start : self.pos]

    def _number(self) -> float:
        start = self.pos
        if self.text[start] == 45:  # a minus
            self.pos += 1
        self._run_of(DIGITS + b".eE")
        if self.pos - start > LONGEST_NUMBER:
            raise BadExpression(start + LONGEST_NUMBER)
        try:
            return float(self.text[start : self.pos])
        except ValueError:
            raise BadExpression(self.pos) from None

    def _string(self) -> bytes:
        """A string as it stands between its quotes: a backslash only keeps a quote from ending it."""
        quote, start = self.text[self.pos], self.pos + 1
        self.pos = start
        while self.pos < len(self.text):
            sign = self.text[self.pos]
            if sign == 92 and self.pos + 1 < len(self.text):
                self.pos += 2
            elif sign == quote:
                self.pos += 1
                return self.text[start : self.pos - 1]
            else:
                self.pos += 1
        raise BadExpression(self.pos)

    def _list(self) -> list[Value]:
        self.pos += 1
        items: list[Value] = []
        while (sign := self._peek()) != b"]":
            if sign and sign in DIGITS + b"-":
                items.append(self._number())
            elif sign and sign in b"\"'":
                items.append(self._string())
            else:
                raise BadExpression(self.pos)
            sign = self._peek()
            if sign == b",":
                self.pos += 1
            elif sign != b"]":
                raise BadExpression(self.pos)
        self.pos += 1
        return items

    def _operator(self) -> Token:
        start = self.pos
        word = self._run_of(LETTERS + SIGNS)
        if word == b"null":
            return "value", None
        for size in (3, 2, 1):  # the longest operator that the word begins with
            found = OPERATORS.get(word[:size])
            if found is not None:
                self.pos = start + min(size, len(word))
                return found[0], None
        raise BadExpression(self.pos)


def _ordered(tokens: list[Token]) -> list[Token]:
    """Bring operations behind their operands (shunting-yard); they must have as many as they need."""
    program: list[Token] = []
    waiting: list[str] = []
    height = 0  # of the stack when the program gets here

    def emit(operation: str) -> None:
        nonlocal height
        operands = RANKS[operation][1]
        if height < operands or operation == "(":
            raise BadExpression
        height += 1 - operands
        program.append((operation, None))

    for kind, value in tokens:
        if kind in ("value", "field"):
            program.append((kind, value))
            height += 1
        elif kind == "(":
            waiting.append(kind)
        elif kind == ")":
            while waiting and waiting[-1] != "(":
                emit(waiting.pop())
            if not waiting:
                raise BadExpression
            waiting.pop()
        else:
            rank = RANKS[kind][0] + (kind == "**")  # which is grouped from the right
            while waiting and waiting[-1] != "(" and RANKS[waiting[-1]][0] >= rank:
                emit(waiting.pop())
            waiting.append(kind)
    while waiting:
        emit(waiting.pop())
    if height != 1:
        raise BadExpression
    return program


def _run(program: list[Token], json: bytes) -> bool:
    stack: list[Value] = []
    for kind, value in program:
        if kind == "value":
            stack.append(value)
        elif kind == "field":
            assert isinstance(value, bytes)
            try:
                stack.append(field(json, value))
            except Unreadable:
                return False
        elif kind == "not":
            stack.append(float(not _truth(stack.pop())))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(float(BINARY[kind](left, right)))
    return _truth(stack.pop())


def _number(value: Value) -> float:
    """A value as a number: text as strtod reads it, 0 for what is none."""
    if isinstance(value, float):
        return value
    if not isinstance(value, bytes) or len(value) > LONGEST_NUMBER:
        return 0.0
    text = value.partition(b"\0")[0].lstrip(SPACE)
    if b"_" in text or text[-1:] in SPACE:
        return 0.0
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float.fromhex(text.decode("ascii")) if b"x" in text.lower() else 0.0
    except (ValueError, OverflowError):
        return 0.0


def _truth(value: Value) -> bool:
    return True if isinstance(value, list) else bool(value)


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, bytes) and isinstance(right, bytes):
        return left == right
    if left is None or right is None:
        return left is right
    return _number(left) == _number(right)


def _within(left: Value, right: Value) -> bool:
    """An item of a list, or a piece of a text."""
    if isinstance(right, list):
        return any(_equal(left, item) for item in right)
    return isinstance(left, bytes) and isinstance(right, bytes) and left in right


def _power(left: float, right: float) -> float:
    try:
        found = left**right
    except ZeroDivisionError:
        return inf
    except OverflowError:
        return -inf if left < 0 and right % 2 == 1 else inf
    return nan if isinstance(found, complex) else found


def _quotient(left: float, right: float) -> float:
    try:
        return left / right
    except ZeroDivisionError:
        return nan if not left or left != left else inf if (left > 0) == (str(right)[0] != "-") else -inf


def _remainder(left: float, right: float) -> float:
    try:
        return fmod(left, right)
    except ValueError:
        return nan


def _of_numbers(work: Callable[[float, float], float]) -> Callable[[Value, Value], float]:
    return lambda left, right: work(_number(left), _number(right))


BINARY: dict[str, Callable[[Value, Value], float]] = {
    "**": _of_numbers(_power), "*": _of_numbers(lambda a, b: a * b), "/": _of_numbers(_quotient),
    "%": _of_numbers(_remainder), "+": _of_numbers(lambda a, b: a + b), "-": _of_numbers(lambda a, b: a - b),
    ">": _of_numbers(lambda a, b: a > b), ">=": _of_numbers(lambda a, b: a >= b),
    "<": _of_numbers(lambda a, b: a < b), "<=": _of_numbers(lambda a, b: a <= b),
    "==": _equal, "!=": lambda left, right: not _equal(left, right), "in": _within,
    "and": lambda left, right: _truth(left) and _truth(right),
    "or": lambda left, right: _truth(left) or _truth(right),
}  # fmt: skip
