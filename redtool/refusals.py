"""The rarer error texts of commands on data, a class each; raised as ``errors.X``, which finds them when asked."""

from __future__ import annotations

from redtool.errors import ReplyError


class IndexOutOfRange(ReplyError):
    text = "ERR index out of range"

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

class Unreadable(ReplyError):
    text = "ERR {}"

class NoWrites(ReplyError):
    text = "MISCONF Errors writing to the AOF file: {}"

class SaveFailed(ReplyError):
    text = (
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
        "Commands that may modify the data set are disabled, because this instance is configured to report errors "
        "during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). "
        "Please check the Redis logs for details about the RDB error."
    )

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

class LeftOut(ReplyError):
    text = "ERR this is no change of data, and left out"

class LcsTooLarge(ReplyError):
    text = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"

class SaveInProgress(ReplyError):
    text = "ERR Background save already in progress"

class RewriteInProgress(ReplyError):
    text = "ERR Background append only file rewriting already in progress"

class RewriteBlocksSave(ReplyError):
    text = (
        "ERR Another child process is active (AOF?): can't BGSAVE right now. "
        "Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
    )

class NoSaveToCancel(ReplyError):
    text = "ERR Background saving is currently not in progress or scheduled"

class ShutdownFailed(ReplyError):
    text = "ERR Errors trying to SHUTDOWN. Check logs."

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
    text = "ERR there are no files to write: this store is in memory, or a dump opened for reading"

class NoServer(ReplyError):
    text = "ERR an embedded store has no server to shut down; it is synced and closed when redtool ends"

class NoShutdown(ReplyError):
    text = "ERR No shutdown in progress."

class ReloadFailed(ReplyError):
    text = "ERR Error trying to load the RDB dump, check server logs."

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

class InvalidStreamId(ReplyError):
    text = "ERR Invalid stream ID specified as stream command argument"

class InvalidStartId(ReplyError):
    text = "ERR invalid start ID for the interval"

class InvalidEndId(ReplyError):
    text = "ERR invalid end ID for the interval"

class IdZero(ReplyError):
    text = "ERR The ID specified in XADD must be greater than 0-0"

class IdNotGreater(ReplyError):
    text = "ERR The ID specified in XADD is equal or smaller than the target stream top item"

class IdsExhausted(ReplyError):
    text = "ERR The stream has exhausted the last possible ID, unable to add more items"

class MaxlenAndMinid(ReplyError):
    text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"

class LimitWithoutTrim(ReplyError):
    text = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"

class LimitWithoutTilde(ReplyError):
    text = "ERR syntax error, LIMIT cannot be used without the special ~ option"

class TrimNotNatural(ReplyError):
    text = "ERR The {} argument must be >= 0."

class TrimMissing(ReplyError):
    text = "ERR syntax error, XTRIM must be called with a trimming strategy"

class EntriesAddedNegative(ReplyError):
    text = "ERR entries_added must be positive"

class SetIdTooSmall(ReplyError):
    text = "ERR The ID specified in XSETID is smaller than {}"

class EntriesAddedTooSmall(ReplyError):
    text = "ERR The entries_added specified in XSETID is smaller than the target stream length"

class UnbalancedStreams(ReplyError):
    text = "ERR Unbalanced '{}' list of streams: for each stream key an ID or '{}' must be specified."

class OnlyXreadgroup(ReplyError):
    text = "ERR The {} option is only supported by XREADGROUP. You called XREAD instead."

class GroupMissing(ReplyError):
    text = "ERR Missing GROUP option for XREADGROUP"

class NewEntriesOnlyXreadgroup(ReplyError):
    text = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."

class IdMeaningless(ReplyError):
    text = (
        "ERR The {0} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer "
        "by specifying a proper ID, or use the > ID to get new messages. The {0} ID would just return an empty "
        "result set."
    )

class NoGroupToRead(ReplyError):
    text = "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option"

class NoGroupOrKey(ReplyError):
    text = "NOGROUP No such key '{}' or consumer group '{}'"

class NoGroup(ReplyError):
    text = "NOGROUP No such consumer group '{}' for key name '{}'"

class BusyGroup(ReplyError):
    text = "BUSYGROUP Consumer Group name already exists"

class GroupNeedsKey(ReplyError):
    text = (
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
        "option to create an empty stream automatically."
    )

class EntriesReadNegative(ReplyError):
    text = "ERR value for ENTRIESREAD must be positive or -1"

class SubcommandSyntax(ReplyError):
    text = "ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP."

class ClaimArgument(ReplyError):
    text = "ERR Invalid {} argument for {}"

class ClaimOption(ReplyError):
    text = "ERR Unrecognized XCLAIM option '{}'"

class CountTooSmall(ReplyError):
    text = "ERR COUNT must be > 0"

class BitOffset(ReplyError):
    text = "ERR bit offset is not an integer or out of range"

class BitValue(ReplyError):
    text = "ERR bit is not an integer or out of range"

class BitArgument(ReplyError):
    text = "ERR The bit argument must be 1 or 0."

class BitopNot(ReplyError):
    text = "ERR BITOP NOT must be called with a single source key."

class BitfieldType(ReplyError):
    text = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."

class OverflowType(ReplyError):
    text = "ERR Invalid OVERFLOW type specified"

class BitfieldReadOnly(ReplyError):
    text = "ERR BITFIELD_RO only supports the GET subcommand"

class NotHll(ReplyError):
    text = "WRONGTYPE Key is not a valid HyperLogLog string value."

class CorruptHll(ReplyError):
    text = "INVALIDOBJ Corrupted HLL object detected"

class NoSuchHll(ReplyError):
    text = "ERR The specified key does not exist"

class HllNotSparse(ReplyError):
    text = "ERR HLL encoding is not sparse"

class UnknownPfdebug(ReplyError):
    text = "ERR Unknown PFDEBUG subcommand '{}'"

class HllSelfTest(ReplyError):
    text = "ERR TESTFAILED {}"

class LonLat(ReplyError):
    text = "ERR invalid longitude,latitude pair {:f},{:f}"

class UnknownUnit(ReplyError):
    text = "ERR unsupported unit provided. please use M, KM, FT, MI"

class NeedRadius(ReplyError):
    text = "ERR need numeric radius"

class NegativeRadius(ReplyError):
    text = "ERR radius cannot be negative"

class NeedWidth(ReplyError):
    text = "ERR need numeric width"

class NeedHeight(ReplyError):
    text = "ERR need numeric height"

class NegativeBox(ReplyError):
    text = "ERR height or width cannot be negative"

class NoSuchMember(ReplyError):
    text = "ERR member {} does not exist"

class GeoCount(ReplyError):
    text = "ERR COUNT must be > 0"

class GeoAny(ReplyError):
    text = "ERR the ANY argument requires COUNT argument"

class GeoStore(ReplyError):
    text = "ERR {} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"

class GeoFrom(ReplyError):
    text = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}"

class GeoBy(ReplyError):
    text = "ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for {}"

class FewVertices(ReplyError):
    text = "ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"

class BadVertices(ReplyError):
    text = "ERR invalid number of vertices"

class NegativeExpire(ReplyError):
    text = "ERR invalid expire time, must be >= 0"

class FieldsMissing(ReplyError):
    text = "ERR Mandatory argument FIELDS is missing or not at the right position"

class FieldCount(ReplyError):
    text = "ERR Number of fields must be a positive integer"

class NumFieldsTooSmall(ReplyError):
    text = "ERR Parameter `numFields` should be greater than 0"

class FieldCountDiffers(ReplyError):
    text = "ERR The `numfields` parameter must match the number of arguments"

class InvalidFieldCount(ReplyError):
    text = "ERR invalid number of fields"

class FieldConditionTwice(ReplyError):
    text = "ERR Only one of FXX or FNX arguments can be specified"

class FieldExpiryTwice(ReplyError):
    text = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"

class UnknownArgument(ReplyError):
    text = "ERR unknown argument: {}"

class DigestForm(ReplyError):
    text = "ERR must be exactly 16 hexadecimal characters"

class DelexCondition(ReplyError):
    text = "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"

class DelexNotString(ReplyError):
    text = "ERR Key should be of string type if conditions are specified"

class BadNumkeys(ReplyError):
    text = "ERR invalid numkeys value or out of range"

class IdCount(ReplyError):
    text = "ERR Number of IDs must be a positive integer"

class IdCountDiffers(ReplyError):
    text = "ERR The `numids` parameter must match the number of arguments"
