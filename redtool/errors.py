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


class IndexOutOfRange(ReplyError):
    text = "ERR index out of range"


class NoSuchKey(ReplyError):
    text = "ERR no such key"


class WrongArity(ReplyError):
    text = "ERR wrong number of arguments for '{}' command"


class UnknownCommand(ReplyError):
    text = "ERR unknown command '{}', with args beginning with: {}"


class UnknownSubcommand(ReplyError):
    text = "ERR unknown subcommand '{}'. Try {} HELP."


class InvalidExpire(ReplyError):
    text = "ERR invalid expire time in '{}' command"


class InvalidCursor(ReplyError):
    text = "ERR invalid cursor"


class Overflow(ReplyError):
    text = "ERR increment or decrement would overflow"


class TimeoutNotFloat(ReplyError):
    text = "ERR timeout is not a float or out of range"


class TimeoutNegative(ReplyError):
    text = "ERR timeout is negative"


class OutOfMemory(ReplyError):
    text = "OOM command not allowed when used memory > 'maxmemory'."


class NoWrites(ReplyError):
    text = "MISCONF Errors writing to the AOF file: {}"


class ReadOnly(ReplyError):
    text = "READONLY You can't write against a read only store."


class ExecAbort(ReplyError):
    text = "EXECABORT Transaction discarded because of previous errors."


class ExecAbortBecause(ReplyError):
    text = "EXECABORT Transaction discarded because of: {}"


class BusyKey(ReplyError):
    text = "BUSYKEY Target key name already exists."


class DbOutOfRange(ReplyError):
    text = "ERR DB index is out of range"


class NestedMulti(ReplyError):
    text = "ERR MULTI calls can not be nested"


class ExecWithoutMulti(ReplyError):
    text = "ERR EXEC without MULTI"


class DiscardWithoutMulti(ReplyError):
    text = "ERR DISCARD without MULTI"


class WatchInsideMulti(ReplyError):
    text = "ERR WATCH inside MULTI is not allowed"


class NotInMulti(ReplyError):
    text = "ERR Command not allowed inside a transaction"


class IncrementNotFinite(ReplyError):
    text = "ERR increment would produce NaN or Infinity"


class DecrementOverflow(ReplyError):
    text = "ERR decrement would overflow"


class StringTooLong(ReplyError):
    text = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"


class OffsetOutOfRange(ReplyError):
    text = "ERR offset is out of range"


class LcsOptions(ReplyError):
    text = "ERR If you want both the length and indexes, please just use IDX."


class LcsNotString(ReplyError):
    text = "ERR The specified keys must contain string values"


class SaveInProgress(ReplyError):
    text = "ERR Background save already in progress"


class RewriteInProgress(ReplyError):
    text = "ERR Background append only file rewriting already in progress"


class RewriteBlocksSave(ReplyError):
    text = (
        "ERR Another child process is active (AOF?): can't BGSAVE right now. "
        "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
    )


class NotInt32(ReplyError):
    text = "ERR value is out of range, value must between -2147483648 and 2147483647"


class SameObject(ReplyError):
    text = "ERR source and destination objects are the same"


class UnknownType(ReplyError):
    text = "ERR unknown type name '{}'"


class UnsupportedOption(ReplyError):
    text = "ERR Unsupported option {}"


class NxWithOthers(ReplyError):
    text = "ERR NX and XX, GT or LT options at the same time are not compatible"


class GtWithLt(ReplyError):
    text = "ERR GT and LT options at the same time are not compatible"


class NotNumbers(ReplyError):
    text = "ERR One or more scores can't be converted into double"


class OutOfInt64(ReplyError):
    text = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"


class NotFinite(ReplyError):
    text = "ERR value is NaN or Infinity"


class HashNotInteger(ReplyError):
    text = "ERR hash value is not an integer"


class HashNotFloat(ReplyError):
    text = "ERR hash value is not a float"


class NumkeysNotPositive(ReplyError):
    text = "ERR numkeys should be greater than 0"


class CountNotPositive(ReplyError):
    text = "ERR count should be greater than 0"


class CountNegative(ReplyError):
    text = "ERR COUNT can't be negative"


class MaxlenNegative(ReplyError):
    text = "ERR MAXLEN can't be negative"


class LimitNegative(ReplyError):
    text = "ERR LIMIT can't be negative"


class TooManyKeys(ReplyError):
    text = "ERR Number of keys can't be greater than number of args"


class TimeoutOutOfRange(ReplyError):
    text = "ERR timeout is out of range"


class NoValuesInHscanOnly(ReplyError):
    text = "ERR NOVALUES option can only be used in HSCAN"


class RankZero(ReplyError):
    text = (
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
        "or use negative to start from the end of the list"
    )


class UnknownParameter(ReplyError):
    text = "ERR Unknown option or number of arguments for CONFIG SET - '{}'"


class ConfigSetFailed(ReplyError):
    text = "ERR CONFIG SET failed (possibly related to argument '{}') - {}"


class ConfigRewriteFailed(ReplyError):
    text = "ERR Rewriting config file: {}"


class NoConfigFile(ReplyError):
    text = "ERR The server is running without a config file"


class NxWithXx(ReplyError):
    text = "ERR XX and NX options at the same time are not compatible"


class GtLtOrNx(ReplyError):
    text = "ERR GT, LT, and/or NX options at the same time are not compatible"


class IncrOnePair(ReplyError):
    text = "ERR INCR option supports a single increment-element pair"


class ScoreNotNumber(ReplyError):
    text = "ERR resulting score is not a number (NaN)"


class BoundNotFloat(ReplyError):
    text = "ERR min or max is not a float"


class BoundNotString(ReplyError):
    text = "ERR min or max not valid string range item"


class LimitNeedsBy(SyntaxError_):
    text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"


class ScoresWithLex(SyntaxError_):
    text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"


class WeightNotFloat(ReplyError):
    text = "ERR weight value is not a float"


class NoInputKeys(ReplyError):
    text = "ERR at least 1 input key is needed for '{}' command"


class WrongPass(ReplyError):
    text = "WRONGPASS invalid username-password pair or user is disabled."


class NoPasswordSet(ReplyError):
    text = (
        "ERR AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?"
    )


class ProtocolNotInteger(ReplyError):
    text = "ERR Protocol version is not an integer or out of range"


class NoProto(ReplyError):
    text = "NOPROTO unsupported protocol version"


class HelloOption(ReplyError):
    text = "ERR Syntax error in HELLO option '{}'"


class BadClientName(ReplyError):
    text = "ERR Client names cannot contain spaces, newlines or special characters."


class BadClientInfo(ReplyError):
    text = "ERR {} cannot contain spaces, newlines or special characters."


class UnrecognizedOption(ReplyError):
    text = "ERR Unrecognized option '{}'"


class UnknownClientType(ReplyError):
    text = "ERR Unknown client type '{}'"


class InvalidClientId(ReplyError):
    text = "ERR Invalid client ID"


class UnblockReason(ReplyError):
    text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"


class Unblocked(ReplyError):
    text = "UNBLOCKED client unblocked via CLIENT UNBLOCK"


class FirstDbIndex(ReplyError):
    text = "ERR invalid first DB index"


class SecondDbIndex(ReplyError):
    text = "ERR invalid second DB index"


class TimeoutNotInteger(ReplyError):
    text = "ERR timeout is not an integer or out of range"


class NotSaved(ReplyError):
    text = "ERR this store is in memory only: there are no files to write"


class NoServer(ReplyError):
    text = "ERR an embedded store has no server to shut down; it is synced and closed when redtool ends"


class NoShutdown(ReplyError):
    text = "ERR No shutdown in progress."


class DebugSubcommand(ReplyError):
    text = "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP."


class DebugProtocol(ReplyError):
    text = (
        "ERR Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
    )


class LfuOff(ReplyError):
    text = (
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
        "between policies at runtime LRU and LFU data will take some time to adjust."
    )


class LfuOn(ReplyError):
    text = (
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching "
        "between policies at runtime LRU and LFU data will take some time to adjust."
    )


class InvalidCommand(ReplyError):
    text = "ERR Invalid command specified"


class NoKeyArguments(ReplyError):
    text = "ERR The command has no key arguments"


class InvalidArgumentCount(ReplyError):
    text = "ERR Invalid number of arguments specified for command"


class InvalidArguments(ReplyError):
    text = "ERR Invalid arguments specified for command"


class InvalidTtl(ReplyError):
    text = "ERR Invalid TTL value, must be >= 0"


class InvalidIdleTime(ReplyError):
    text = "ERR Invalid IDLETIME value, must be >= 0"


class InvalidFrequency(ReplyError):
    text = "ERR Invalid FREQ value, must be >= 0 and <= 255"


class BadPayload(ReplyError):
    text = "ERR DUMP payload version or checksum are wrong"


class BadFormat(ReplyError):
    text = "ERR Bad data format"
