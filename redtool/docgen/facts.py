"""What the man pages say beyond the tables: exit codes, files, variables, and what parameters mean."""

from __future__ import annotations

from redtool import exits

CODES = {
    exits.OK: "It worked.",
    exits.ERROR_REPLY: "An error reply, in scripts and pipes too; with --test also nil, 0, false and empty replies.",
    exits.USAGE: "The command line is wrong, or a quote is not closed.",
    exits.NO_TARGET: "Cannot connect, authenticate, or open the store.",
    exits.NOT_OBTAINED: "A lock, a limit or a quota was not obtained.",
    exits.REFUSED: "The guard refused the command.",
    exits.TIMED_OUT: "The time was up.",
    exits.INTERRUPTED: "Ctrl-C.",
}

OUTPUT = """
On a terminal replies are drawn for people: tables where a reply has columns, the layout of redis-cli elsewhere, through
the pager when taller than the screen. Anywhere else a reply is its bytes and a newline, a list one element a line.
--human, --raw, --json and --csv choose; the last one counts.

--json prints a line a reply, which always parses: an error is {"error": {"code": ..., "message": ...}}, bytes that are
not UTF-8 are {"base64": ...}.

Replies go to standard output and nothing else does: errors, warnings, notes and progress go to standard error, in
scripts with file and line. Colour follows NO_COLOR, then --color, then whether the output is a terminal.
"""

QUOTING = """
In scripts and at the prompt words are quoted as in redis-cli: "..." with \\n \\r \\t \\b \\a \\xHH, '...' with only \\'
special. A line that begins with # is a comment. A backslash at the end of a line or an open quote continues it on the
next. On the command line of a shell, the shell's quoting applies and nothing else.
"""

TARGETS = (
    "Without an option the store of REDTOOL_STORE is used, or the server of REDIS_URL, or else the default store. The "
    "configuration file gives names to others, for -t: url or store, and any setting by the name of its option.",
    "[targets.prod]",
    'url = "rediss://prod.example:6380"',
    'user = "reader"',
    'password_command = "pass redis/prod"',
    "[targets.shop]",
    'url = "redis+cluster://node1.example:7000,node2.example:7000"',
    "[targets.queue]",
    'url = "redis+sentinel://host1.example,host2.example/mymaster/0"',
)

FILES = (
    ("~/.local/share/redtool/default", "The default store, a directory. In it:"),
    ("redtool.conf", "its configuration, see redtool.conf(5);"),
    ("appendonlydir/", "its journal, the append only file of Redis 7: manifest, base and increments;"),
    ("dump.rdb", "its last snapshot, if one was made."),
    ("~/.config/redtool/config.toml", "Named targets."),
    ("~/.local/state/redtool/history", "What was typed at the prompt, without lines that hold a password."),
)

ENVIRONMENT = (
    ("REDTOOL_STORE", "The store's directory."),
    ("REDIS_URL", "A server to use instead of the default store."),
    ("REDISCLI_AUTH", "The password for a server."),
    ("REDTOOL_CONFIG", "The configuration file."),
    ("REDTOOL_HISTFILE, REDISCLI_HISTFILE", "The history file; /dev/null keeps none."),
    ("NO_COLOR, FORCE_COLOR, PAGER, COLUMNS, LINES", "As everywhere."),
    ("XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME",
     "Where ~/.local/share, ~/.config, ~/.local/state and ~/.cache are."),
)

CONF = """
The file redtool.conf in a store's directory has the syntax of redis.conf: a parameter and its value a line, quoted as
at the prompt, # before a comment. CONFIG SET, and so redtool config set, writes it at once; comments, order and lines
that are not understood stay as they are. Values are those at the time the store is opened. Sizes take kb, mb and gb.
"""

# What a parameter does, for those that an embedded store honours.
MEANINGS = {
    "acl-pubsub-default": "Whether a new user may use every channel (allchannels) or none (resetchannels).",
    "aclfile": "File that holds the users: read when the store is opened and by ACL LOAD, written by ACL SAVE. Without "
    "it users are kept here, a user line each, at once.",
    "acllog-max-len": "Most entries of ACL LOG.",
    "aof-load-truncated": "Cut an unfinished command from the end of the journal when opening, with a warning; no: "
    "refuse to open.",
    "appenddirname": "Name of the directory, in the store's, that holds the journal.",
    "appendfilename": "What the names of the journal's files begin with.",
    "appendfsync": "When writes are brought to the disk: always (before the reply), everysec (once a second), or no "
    "(when the system likes). Closing the store does so in any case.",
    "appendonly": "Keep a journal of every change; no: only what SAVE and BGSAVE write is kept.",
    "auto-aof-rewrite-min-size": "Size below which the journal is never rewritten by itself.",
    "auto-aof-rewrite-percentage": "Growth since the last rewrite, in percent, at which another starts; 0: never.",
    "databases": "How many numbered databases there are.",
    "dbfilename": "Name of the snapshot that SAVE and BGSAVE write.",
    "busy-reply-threshold": "Milliseconds after which a script lets other clients in, who are told BUSY; 0: never.",
    "hash-max-listpack-entries": "Most fields of a hash that OBJECT ENCODING calls a listpack.",
    "hash-max-listpack-value": "Longest field or value of such a hash, in bytes.",
    "hll-sparse-max-bytes": "Size up to which a HyperLogLog stays in its sparse form.",
    "latency-monitor-threshold": "Milliseconds from which on LATENCY notes an event; 0: none.",
    "list-max-listpack-size": "Most elements of a list that OBJECT ENCODING calls a listpack; -1 to -5: its size "
    "class, 4 kb to 64 kb.",
    "lfu-decay-time": "Minutes without use that take one off the counter of an LFU policy; 0: nothing does.",
    "lfu-log-factor": "How slowly that counter grows: with 10, a million uses bring it to its end, 255.",
    "maxmemory": "Most that the data may take, as used_memory of INFO tells it: at more, keys are dropped as the "
    "policy says, and if none may be, commands that need memory get an OOM error. 0: no limit.",
    "maxmemory-eviction-tenacity": "How long dropping keys may hold up a command: 10 is half a millisecond, each step "
    "more 15 percent longer, 100 until all is done; the next command goes on.",
    "maxmemory-policy": "Which keys go: none (noeviction), any (allkeys-) or those with a TTL (volatile-), the longest "
    "unused (lru), the least often used (lfu), by chance (random), or the soonest to end (ttl). With lru and lfu the "
    "snapshots keep when or how often each key was used.",
    "maxmemory-samples": "How many keys are looked at for one to drop, 1 to 64: more come nearer to the best choice "
    "and take longer.",
    "notify-keyspace-events": "Which keyspace events are published: letters as in redis.conf, \"\" for none.",
    "proto-max-bulk-len": "Longest string that a command may make.",
    "rdb-format": "What dump.rdb is written as: 0010, which Redis 7.0 and Valkey 8 and all later ones load (0012 once "
    "hash fields have deadlines); 0009, for Redis 5 to 6.2; 0012, for Redis 7.4 and later; valkey080, for Valkey 9. "
    "What a format has no place for is refused. The journal's base follows it where that is possible. Servers do not "
    "know this parameter.",
    "requirepass": "Password of the default user, which clients of a served store must give; who opens the store need "
    "not. A user line for default, if there is one, says more and counts.",
    "save": "Save points: seconds and changes, in pairs. dump.rdb is saved in the background when so many changes have "
    "gone unsaved for so long; FLUSHALL and SHUTDOWN then save at once.",
    "set-max-intset-entries": "Most members of a set of integers that OBJECT ENCODING calls an intset.",
    "set-max-listpack-entries": "Most members of a set that it calls a listpack.",
    "set-max-listpack-value": "Longest member of such a set, in bytes.",
    "slowlog-log-slower-than": "Microseconds from which on SLOWLOG notes a command; -1: none.",
    "slowlog-max-len": "Most entries of SLOWLOG.",
    "stop-writes-on-bgsave-error": "Refuse writes when save points are set and the last save in the background has "
    "failed, until one works.",
    "stream-node-max-entries": "Entries of a stream that an approximate trim takes at once.",
    "tracking-table-max-keys": "Most keys that CLIENT TRACKING remembers; 0: no limit.",
    "zset-max-listpack-entries": "Most members of a sorted set that OBJECT ENCODING calls a listpack.",
    "zset-max-listpack-value": "Longest member of such a sorted set, in bytes.",
}
