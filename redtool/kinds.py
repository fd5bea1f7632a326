"""The kinds of configuration parameters: how a text becomes a value, and a value a text.

``parse`` raises ValueError with the reason in a real server's words.
"""

from __future__ import annotations

from redtool.errors import ReplyError
from redtool.numeric import INT64_MAX, to_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

INT = 2**31 - 1
UINT = 2**32 - 1
LONG = INT64_MAX
CLIENT_CLASSES = {"normal": 0, "slave": 1, "replica": 1, "pubsub": 2}
UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000**2, "mb": 1 << 20, "g": 1000**3, "gb": 1 << 30}


class Parameter:
    """One parameter.

    ``fixed`` is "" or the word for why it cannot be set at run time; ``words`` tells that it takes several.
    """

    __slots__ = ("default", "fixed")
    words = False

    def __init__(self, default: Any = None, *, fixed: str = "") -> None:
        self.default, self.fixed = default, fixed

    def parse(self, text: str, old: Any) -> Any:
        """Give the typed value; ``old`` is the value so far, which some texts change in part."""
        return text

    def show(self, value: Any) -> str:
        """Give the text that CONFIG GET answers."""
        return str(value)

    def choices(self) -> tuple[str, ...]:
        """Texts that can be completed; empty when there is no list."""
        return ()


class Text(Parameter):
    """Any text, unless ``check`` gives a reason against it."""

    __slots__ = ("check",)

    def __init__(self, default: Any = "", check: Callable[[str], str] | None = None, *, fixed: str = "") -> None:
        super().__init__(default, fixed=fixed)
        self.check = check

    def parse(self, text: str, old: Any) -> str:
        reason = self.check(text) if self.check else ""
        if reason:
            raise ValueError(reason)
        return text


class Words(Text):
    """Several words, kept as typed (``bind``)."""

    __slots__ = ()
    words = True


class Switch(Parameter):
    """yes or no."""

    __slots__ = ()

    def parse(self, text: str, old: Any) -> bool:
        if text.lower() not in ("yes", "no"):
            raise ValueError("argument must be 'yes' or 'no'")
        return text.lower() == "yes"

    def show(self, value: bool) -> str:
        return "yes" if value else "no"

    def choices(self) -> tuple[str, ...]:
        return "yes", "no"


class Integer(Parameter):
    """A whole number between two bounds; ``clamp`` narrows it silently, as Redis does with hz."""

    __slots__ = ("clamp", "high", "low")

    def __init__(self, default: int | None = None, low: int = 0, high: int = INT, *,
                 clamp: tuple[int, int] | None = None, fixed: str = "") -> None:  # fmt: skip
        super().__init__(default, fixed=fixed)
        self.low, self.high, self.clamp = low, high, clamp

    def parse(self, text: str, old: Any) -> int:
        try:
            value = to_int(text.encode("utf-8", "surrogateescape"))
        except ReplyError:
            raise ValueError("argument couldn't be parsed into an integer") from None
        return self.bound(value)

    def bound(self, value: int) -> int:
        if not self.low <= value <= self.high:
            raise ValueError(f"argument must be between {self.low} and {self.high} inclusive")
        return sorted((self.clamp[0], value, self.clamp[1]))[1] if self.clamp else value


class Octal(Integer):
    """File permissions."""

    __slots__ = ()

    def parse(self, text: str, old: Any) -> int:
        try:
            return self.bound(int(text, 8))
        except ValueError:
            raise ValueError("argument couldn't be parsed into an integer") from None

    def show(self, value: int) -> str:
        return f"{value:o}"


class Memory(Integer):
    """A size in bytes; units b, k and kb, m and mb, g and gb (1000 and 1024)."""

    __slots__ = ()

    def __init__(self, default: int | None = None, low: int = 0, high: int = LONG, *, fixed: str = "") -> None:
        super().__init__(default, low, high, fixed=fixed)

    def parse(self, text: str, old: Any) -> int:
        value = _memory(text)
        if value is None:
            raise ValueError("argument must be a memory value")
        return self.bound(value)


class MemoryOrPercent(Memory):
    """A size, or a share of maxmemory, which is held as a negative number."""

    __slots__ = ()

    def parse(self, text: str, old: Any) -> int:
        number = text[:-1]
        if text.endswith("%") and number.isascii() and number.isdigit():
            if int(number) > 100:
                raise ValueError("percentage argument must be less or equal to 100")
            return -int(number)
        value = _memory(text)
        if value is None:
            raise ValueError("argument must be a memory or percent value")
        return self.bound(value)

    def show(self, value: int) -> str:
        return f"{-value}%" if value < 0 else str(value)


def _memory(text: str) -> int | None:
    """A size in bytes, None when it is none. As memtoull reads it: an empty text is 0, a sign is an error."""
    digits = text.rstrip("bBkKmMgG")
    unit = UNITS.get(text[len(digits) :].lower())
    if unit is None or not (text == "" or (digits.isascii() and digits.isdigit())):
        return None
    value = int(digits or "0") * unit
    return value if value < 1 << 64 else None


class Choice(Parameter):
    """One of several words, in any case. ``same`` maps a word to the one that is shown for it."""

    __slots__ = ("allowed", "same")

    def __init__(self, default: str | None, *allowed: str, same: dict[str, str] | None = None, fixed: str = "") -> None:
        super().__init__(default, fixed=fixed)
        self.allowed = allowed
        self.same = same or {}

    def parse(self, text: str, old: Any) -> str:
        for word in self.allowed:
            if word.lower() == text.lower():
                return self.same.get(word, word)
        raise ValueError("argument(s) must be one of the following: " + ", ".join(self.allowed))

    def choices(self) -> tuple[str, ...]:
        return self.allowed


class Choices(Choice):
    """Several of the words, shown in the order in which they are declared."""

    __slots__ = ()
    words = True

    def parse(self, text: str, old: Any) -> str:
        picked = {super(Choices, self).parse(word, old) for word in text.split(" ")}
        return " ".join(word for word in self.allowed if word in picked and (word != self.default or len(picked) == 1))


class SavePoints(Parameter):
    """When to save by itself: ((seconds, changes), ...)."""

    __slots__ = ()
    words = True

    def parse(self, text: str, old: Any) -> tuple[tuple[int, int], ...]:
        words = text.split()
        try:
            numbers = [int(word) for word in words]
        except ValueError:
            numbers = [0]
        points = tuple(zip(numbers[::2], numbers[1::2], strict=False))
        if len(numbers) % 2 or any(seconds < 1 or changes < 0 for seconds, changes in points):
            raise ValueError("Invalid save parameters")
        return points

    def show(self, value: tuple[tuple[int, int], ...]) -> str:
        return " ".join(f"{seconds} {changes}" for seconds, changes in value)


class Events(Parameter):
    """Classes of keyspace events, in the order in which Redis shows them; A stands for all but n, K, E and m."""

    __slots__ = ()
    ALL = "g$lshzxetd"

    def parse(self, text: str, old: Any) -> str:
        if any(c not in "AKEmn" + self.ALL for c in text):
            raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        have = set(text)
        every = "A" in have or have.issuperset(self.ALL)
        classes = "A" if every else "".join(c for c in self.ALL if c in have)
        return classes + "".join(c for c in "nKEm" if c in have)

    def show(self, value: str) -> str:
        """Without n beside A, where servers do not show it."""
        return value.replace("An", "A")


class BufferLimits(Parameter):
    """Output buffer limits by class of client; what is not named stays."""

    __slots__ = ()
    words = True

    def parse(self, text: str, old: str) -> str:
        words = text.split(" ") if text else []
        if len(words) % 4:
            raise ValueError("Wrong number of arguments in buffer limit configuration.")
        limits = old.split(" ")
        for at in range(0, len(words), 4):
            row = CLIENT_CLASSES.get(words[at].lower())
            if row is None:
                raise ValueError("Invalid client class specified in buffer limit configuration.")
            hard, soft, seconds = _memory(words[at + 1]), _memory(words[at + 2]), words[at + 3]
            if hard is None or soft is None or not (seconds.isascii() and seconds.isdigit()):
                raise ValueError("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            limits[row * 4 + 1 : row * 4 + 4] = str(hard), str(soft), str(int(seconds))
        return " ".join(limits)


class OomScores(Parameter):
    """Three scores for the kernel's out-of-memory killer."""

    __slots__ = ()
    words = True

    def parse(self, text: str, old: Any) -> str:
        words = text.split(" ")
        if len(words) != 3:
            raise ValueError("wrong number of arguments")
        for word in words:
            if not (word.lstrip("-").isascii() and word.lstrip("-").isdigit() and -2000 <= int(word) <= 2000):
                raise ValueError("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
        return " ".join(str(int(word)) for word in words)


class Percentiles(Parameter):
    """Which percentiles INFO latencystats shows: floats."""

    __slots__ = ()
    words = True

    def parse(self, text: str, old: Any) -> tuple[float, ...]:
        try:
            values = tuple(float(word) for word in text.split(" ")) if text else ()
        except ValueError:
            raise ValueError("Invalid latency-tracking-info-percentiles parameters") from None
        if not all(0 <= value <= 100 for value in values):
            raise ValueError("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
        return values

    def show(self, value: tuple[float, ...]) -> str:
        return " ".join(f"{number:.10g}" for number in value)


def host_name(text: str) -> str:
    """Say what is wrong with the name of a host."""
    if len(text) >= 256:
        return "Hostnames must be less than 256 characters"
    if text and not (text.isascii() and text.replace("-", "").replace(".", "").isalnum()):
        return "Hostnames may only contain alphanumeric characters, hyphens or dots"
    return ""


def file_name(text: str) -> str:
    """Say what is wrong with a name that must stay inside the store's directory."""
    if not text or "/" in text or text in (".", ".."):
        return "must be a filename, not a path"
    return ""


def node_name(text: str) -> str:
    """Say what is wrong with the name of a cluster node."""
    if any(c in "!\"#$%&'()*+:;<>?@[]{}^{|}~ \t\r\n,=" for c in text):
        return "Announced human node name contained invalid character"
    return ""


def ip_address(version: int) -> Callable[[str], str]:
    """Make the check for an address of one version of IP."""

    def check(text: str) -> str:
        if not text:
            return ""
        from socket import AF_INET, AF_INET6, inet_pton

        try:
            inet_pton(AF_INET if version == 4 else AF_INET6, text)
        except (OSError, ValueError):
            return f"Invalid IPv{version} address"
        return ""

    return check
