"""The exception tree, and each Redis error text once.

RedtoolError                 anything a person may be shown; ``str()`` is the whole message
├── UsageError               the command line or a typed line is wrong              exit 2
│   └── QuotingError         a quote is not closed, or is followed by text
├── ConnectError             no connection, no authentication, no store             exit 3
│   ├── StoreError           the store directory cannot be opened or written
│   │   └── StoreLocked      another process owns it
│   ├── ProtocolError            bytes that are not RESP
│   └── CorruptFile          a damaged file: path, offset, reason, and how to repair it
└── ReplyError               an error reply, its text exactly a server's            exit 1
    └── WrongType, SyntaxError_, NotInteger, …      one class a text

Handlers ``raise errors.WrongType``. Texts with a blank take the missing words:
``raise errors.WrongArity("get")``. Replies from a remote server are plain ``ReplyError``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from redtool.denials import *  # noqa: F403
    from redtool.refusals import *  # noqa: F403


class RedtoolError(Exception):
    """Anything a person may be shown."""


class UsageError(RedtoolError):
    """The command line or a typed line is wrong."""


class QuotingError(UsageError):
    """A quote is not closed, or is followed by text without a space."""


class ConnectError(RedtoolError):
    """The target cannot be reached, authenticated to, or opened."""


class StoreError(ConnectError):
    """The store directory cannot be opened or written."""


class Unfit(StoreError):
    """The dataset holds something for which the chosen file format has no place."""


class StoreLocked(StoreError):
    """Another process owns the store and the wait ran out."""


class ProtocolError(ConnectError):
    """The other side sent bytes that are not RESP; nothing it sends after can be understood."""


class CorruptFile(ConnectError):
    """A file is damaged: where, why, and the command that repairs it."""

    def __init__(self, path: str, offset: int, reason: str, repair: str = "") -> None:
        text = f"{path}: {reason} at byte {offset}"
        super().__init__(f"{text}; {repair}" if repair else text)
        self.path, self.offset, self.reason, self.repair = path, offset, reason, repair


class ReplyError(RedtoolError):
    """An error reply. ``message`` is the whole text, ``code`` its first word.

    Bytes that are not UTF-8 are carried as surrogate escapes.
    """

    text = "ERR {}"

    def __init__(self, *parts: object) -> None:
        message = self.text.format(*parts) if parts else self.text
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        return self.message.partition(" ")[0]

    @classmethod
    def of(cls, message: str) -> ReplyError:
        """An error with a text of its own, code included (a server's, a script's)."""
        error = ReplyError()
        error.message = message
        error.args = (message,)
        return error


class WrongType(ReplyError):
    text = "WRONGTYPE Operation against a key holding the wrong kind of value"


class SyntaxError_(ReplyError):
    text = "ERR syntax error"


class NotInteger(ReplyError):
    text = "ERR value is not an integer or out of range"


class NotFloat(ReplyError):
    text = "ERR value is not a valid float"


class OutOfRange(ReplyError):
    text = "ERR value is out of range"


class MustBePositive(ReplyError):
    text = "ERR value is out of range, must be positive"


class UnknownSubcommand(ReplyError):
    text = "ERR unknown subcommand '{}'. Try {} HELP."


class NoSuchKey(ReplyError):
    text = "ERR no such key"


class WrongArity(ReplyError):
    text = "ERR wrong number of arguments for '{}' command"


class FateUnknown(ReplyError):
    """No server's: the connection ended after a command that alters data was sent, before its reply came."""

    text = "UNCERTAIN {}: connection lost after sending {}: it may or may not have run"


class RunsOn(ReplyError):
    text = "ERR a script runs for longer than busy-reply-threshold ({} ms)"


class UnknownCommand(ReplyError):
    text = "ERR unknown command '{}', with args beginning with: {}"


class LimitNeedsBy(SyntaxError_):
    text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"


class ScoresWithLex(SyntaxError_):
    text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"


def __getattr__(name: str) -> type[ReplyError]:
    """Find one of the rarer texts, so that a one-shot does not pay for making a class of each."""
    found: type[ReplyError] | None = None
    if name[0] != "_":  # the import system asks for __path__
        from redtool import denials, refusals

        found = vars(refusals).get(name) or vars(denials).get(name)
    if found is None:
        raise AttributeError(f"there is no error named {name}")
    return found
