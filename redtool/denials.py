"""The error texts of the rest: clients, users, scripts, replication, logs. See ``refusals``."""

from __future__ import annotations

from redtool.errors import ReplyError


class NoAuth(ReplyError):
    text = "NOAUTH Authentication required."

class Busy(ReplyError):
    text = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."

class BusyFunction(ReplyError):
    text = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."

class NoCluster(ReplyError):
    text = "ERR This instance has cluster support disabled"

class InvalidMasterPort(ReplyError):
    text = "ERR Invalid master port"

class NoReplica(ReplyError):
    text = "ERR a store of redtool follows no other server; copy its data with MIGRATE or a dump"

class NoReplicas(ReplyError):
    text = "ERR redtool serves no replicas"

class UnknownReplconf(ReplyError):
    text = "ERR Unrecognized REPLCONF option: {}"

class FailoverTimeout(ReplyError):
    text = "ERR FAILOVER timeout must be greater than 0"

class NoFailover(ReplyError):
    text = "ERR No failover in progress."

class FailoverAlone(ReplyError):
    text = "ERR FAILOVER requires connected replicas."

class OutsideRange(ReplyError):
    text = "ERR value is out of range, value must between {} and {}"

class WaitWithoutJournal(ReplyError):
    text = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."

class NoModules(ReplyError):
    text = "ERR redtool loads no modules"

class NoSuchModule(ReplyError):
    text = "ERR Error unloading module: no such module with that name"

class MigrateKeys(ReplyError):
    text = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"

class MigrateTarget(ReplyError):
    text = "ERR Target instance replied with error: {}"

class MigrateFailed(ReplyError):
    text = "IOERR error or timeout {} target instance"

class UnknownSubcommandOrArity(ReplyError):
    text = "ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP."

class NoPerm(ReplyError):
    text = "NOPERM {}"

class ExecDenied(NoPerm):
    text = (
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
        "This command is no longer allowed for the following reason: {}"
    )

class ScriptDenied(ReplyError):
    text = "ERR ACL failure in script: {}"

class BadUsername(ReplyError):
    text = "ERR Usernames can't contain spaces or null characters"

class BadAclRule(ReplyError):
    text = "ERR Error in ACL SETUSER modifier '{}': {}"

class UnmatchedParenthesis(ReplyError):
    text = "ERR Unmatched parenthesis in acl selector starting at '{}'."

class DefaultUserStays(ReplyError):
    text = "ERR The 'default' user cannot be removed"

class NoSuchUser(ReplyError):
    text = "ERR User '{}' not found"

class CommandNotFound(ReplyError):
    text = "ERR Command '{}' not found"

class UnknownCategory(ReplyError):
    text = "ERR Unknown category '{}'"

class PasswordBits(ReplyError):
    text = (
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to {}"
    )

class NoAclFile(ReplyError):
    text = (
        "ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER "
        "command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users "
        "in the configuration."
    )

class AclFileUnreadable(ReplyError):
    text = "ERR Error loading ACLs, opening file '{}': {}"

class AclFileErrors(ReplyError):
    text = "ERR {}"

class AclFileUnwritable(ReplyError):
    text = "ERR There was an error trying to save the ACLs. Please check the server logs for more information"

class HelloNoAuth(ReplyError):
    text = (
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    )

class SortDenied(ReplyError):
    text = "ERR {} option of SORT denied due to insufficient ACL permissions."

class LogCount(ReplyError):
    text = "ERR count should be greater than or equal to -1"

class LogKind(ReplyError):
    text = "ERR type should be one of the following: slow, large-request, large-reply"

class NoLatencySamples(ReplyError):
    text = "ERR No samples available for event '{}'"

class FilterNotInteger(ReplyError):
    text = "ERR {} is not an integer or out of range"

class FilterNotPositive(ReplyError):
    text = "ERR {} should be greater than 0"

class FilterDb(ReplyError):
    text = "ERR {} number should be between 0 and {}"

class UnknownFilterFlags(ReplyError):
    text = "ERR Unknown flags found in the {} filter: {}"

class UnknownFilterCapa(ReplyError):
    text = "ERR Unknown capa found in the {} filter: {}"

class ClientIdNotPositive(ReplyError):
    text = "ERR client-id should be greater than 0"

class FilterNoUser(ReplyError):
    text = "ERR No such user '{}'"

class NoSuchClient(ReplyError):
    text = "ERR No such client"

class PauseMode(ReplyError):
    text = "ERR CLIENT PAUSE mode must be WRITE or ALL"

class NotImporting(ReplyError):
    text = "ERR Server is not in import mode"

class MonitorDenied(ReplyError):
    text = "ERR MONITOR isn't allowed for DENY BLOCKING client"

class MonitorsReadNothing(ReplyError):
    text = "ERR Replica can't interact with the keyspace"

class NoCaching(ReplyError):
    text = (
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    )

class CachingYes(ReplyError):
    text = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."

class CachingNo(ReplyError):
    text = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."

class OneRedirect(ReplyError):
    text = "ERR A client can only redirect to a single other client"

class NoRedirectTarget(ReplyError):
    text = "ERR The client ID you want redirect to does not exist"

class PrefixNeedsBcast(ReplyError):
    text = "ERR PREFIX option requires BCAST mode to be enabled"

class BcastSwitch(ReplyError):
    text = (
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it "
        "with a different mode."
    )

class BcastWithOpt(ReplyError):
    text = "ERR OPTIN and OPTOUT are not compatible with BCAST"

class OptinWithOptout(ReplyError):
    text = "ERR You can't specify both OPTIN mode and OPTOUT mode"

class OptSwitch(ReplyError):
    text = (
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it "
        "with a different mode."
    )

class PrefixOverlap(ReplyError):
    text = "ERR Prefix '{}' overlaps with {} prefix '{}'. Prefixes for a single client must not overlap."

class OnlyListening(ReplyError):
    text = ("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
            "context")  # fmt: skip

class DenyBlocking(ReplyError):
    text = "ERR {} isn't allowed for a DENY BLOCKING client"

class NoScript(ReplyError):
    text = "NOSCRIPT No matching script. Please use EVAL."

class NotBusy(ReplyError):
    text = "NOTBUSY No scripts in execution right now."

class Unkillable(ReplyError):
    text = ("UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the "
            "script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.")  # fmt: skip

class WritingScript(ReplyError):
    text = "ERR Can not execute a script with write flag using *_ro command."

class ReadOnlyScript(ReplyError):
    text = "READONLY Can not run script with write flag on readonly replica."

class NegativeKeys(ReplyError):
    text = "ERR Number of keys can't be negative"

class BadFunctions(ReplyError):
    text = "ERR failed loading functions payload"

class DebugOff(ReplyError):
    text = (
        'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a '
        "local connection, otherwise you need to set this option in the configuration file, and then restart the "
        "server."
    )
