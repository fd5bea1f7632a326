"""Stream commands: the same tables on the embedded store and on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from redtool import words
from redtool.session import Block
from tests import embedded
from tests.commands.conftest import Runner, plain
from tests.commands.journal import Recorder, effects

WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_INT = "-ERR value is not an integer or out of range"
SYNTAX = "-ERR syntax error"
BAD_ID = "-ERR Invalid stream ID specified as stream command argument"
SMALLER = "-ERR The ID specified in XADD is equal or smaller than the target stream top item"
BOTH = "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
NO_TILDE = "-ERR syntax error, LIMIT cannot be used without the special ~ option"
NO_TRIM = "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
NO_KEY = "-ERR no such key"
NEEDS_KEY = (
    "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM "
    "option to create an empty stream automatically."
)
ONLY_GROUP = "-ERR The {} option is only supported by XREADGROUP. You called XREAD instead."
MEANINGLESS = (
    "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
    "specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
)
MAX = "18446744073709551615"


def sub_syntax(sub: str, container: str) -> str:
    return f"-ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {container} HELP."


def no_group(group: str, key: str = "s") -> str:
    return f"-NOGROUP No such consumer group '{group}' for key name '{key}'"


def no_key_or_group(key: str, group: str, tail: str = "") -> str:
    return f"-NOGROUP No such key '{key}' or consumer group '{group}'{tail}"


def entry(id: str, value: bytes = b"1") -> list[Any]:
    return [id.encode(), [b"f", value]]


def added(*ids: str) -> list[tuple[str, Any]]:
    return [(f"XADD s {id} f 1", id.encode()) for id in ids]


def left(*ids: str) -> tuple[str, Any]:
    return "XRANGE s - +", [entry(id) for id in ids]


FOUR = added("1-1", "1-2", "2-0", "3-5")
GROUPED = [*FOUR, ("XGROUP CREATE s g 0", b"OK")]
READ = [*GROUPED, ("XREADGROUP GROUP g c COUNT 2 STREAMS s >", [[b"s", [entry("1-1"), entry("1-2")]]])]

TABLES: dict[str, list[tuple[str, Any]]] = {
    "ids of new entries": [
        *added("1-1", "1-2"),
        ("XADD s 1-2 f 1", SMALLER),
        ("XADD s 1 f 1", SMALLER),
        ("XADD s 1-* f 1", b"1-3"),
        ("XADD s 5-* f 1", b"5-0"),
        ("XADD s 4-* f 1", SMALLER),
        ("XADD s 6 f 1", b"6-0"),
        ("XADD s 00007-+3 f 1", b"7-3"),
        ("XADD new 0-0 f 1", "-ERR The ID specified in XADD must be greater than 0-0"),
        ("XADD new 0 f 1", "-ERR The ID specified in XADD must be greater than 0-0"),
        ("EXISTS new", 0),
        ("XADD new 0-* f 1", b"0-1"),
        *((f"XADD s {id} f 1", BAD_ID) for id in ("x", "-", "+", "1-", "-1", "1--5", "*-1", "1-x")),
        *((f"XADD s {id} f 1", BAD_ID) for id in ("1-2-*", "*-*", "-*", "''", "1" * 128)),
        ("XADD s 1.5 f 1", BAD_ID),
        (f"XADD s {MAX}-{MAX} f 1", f"{MAX}-{MAX}".encode()),
        ("XADD s * f 1", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
        (f"XADD s {MAX}-* f 1", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
        ("TYPE s", b"stream"),
        ("OBJECT ENCODING s", b"stream"),
    ],
    "wrong words of XADD": [
        ("XADD s 1-1 f", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD s 1-1 f 1 g", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD s MAXLEN 5", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD s NOMKSTREAM MAXLEN 5 1", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD s MAXLEN ~ 5 LIMIT 3 3-* a", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD s MAXLEN 5 MINID 3 3-* f 1", BOTH),
        ("XADD s MAXLEN 5 MAXLEN 3 3-* f 1", BOTH),
        ("XADD s LIMIT 3 3-* f 1", NO_TRIM),
        ("XADD s MAXLEN 5 LIMIT 3 3-* f 1", NO_TILDE),
        ("XADD s MAXLEN = 5 LIMIT 0 3-* f 1", NO_TILDE),
        ("XADD s MAXLEN ~ 5 LIMIT -1 3-* f 1", "-ERR The LIMIT argument must be >= 0."),
        ("XADD s MAXLEN -1 3-* f 1", "-ERR The MAXLEN argument must be >= 0."),
        ("XADD s MAXLEN x 3-* f 1", NOT_INT),
        ("XADD s MAXLEN ~ * f 1", NOT_INT),
        ("XADD s MINID x 3-* f 1", BAD_ID),
        ("EXISTS s", 0),
        ("XADD s NOMKSTREAM 1-1 f 1", None),
        ("EXISTS s", 0),
    ],
    "trimming as entries come": [
        *FOUR,
        ("XADD s MAXLEN 3 4-0 f 1", b"4-0"),
        left("2-0", "3-5", "4-0"),
        ("XADD s MINID = 3 5-0 f 1", b"5-0"),
        left("3-5", "4-0", "5-0"),
        ("XADD s nomkstream maxlen ~ 1 6-0 f 1", b"6-0"),
        left("3-5", "4-0", "5-0", "6-0"),
        ("XADD s MAXLEN 0 7-0 f 1", b"7-0"),
        ("XLEN s", 0),
        ("EXISTS s", 1),
        ("XADD s 7-0 f 1", SMALLER),
    ],
    "ranges": [
        *FOUR,
        left("1-1", "1-2", "2-0", "3-5"),
        ("XRANGE s 1 1", [entry("1-1"), entry("1-2")]),
        ("XRANGE s 1-2 2", [entry("1-2"), entry("2-0")]),
        ("XRANGE s (1-2 (3-5", [entry("2-0")]),
        ("XRANGE s (1 +", [entry("1-1"), entry("1-2"), entry("2-0"), entry("3-5")]),
        ("XRANGE s - (1", [entry("1-1"), entry("1-2")]),
        ("XRANGE s - (1-1", []),
        ("XRANGE s 3 1", []),
        ("XRANGE s - + COUNT 1", [entry("1-1")]),
        ("XRANGE s - + COUNT 9 COUNT 2", [entry("1-1"), entry("1-2")]),
        ("XRANGE s - + COUNT 0", None),
        ("XRANGE s - + COUNT -2", None),
        ("XRANGE nope - + COUNT 0", []),
        ("XREVRANGE s + -", [entry("3-5"), entry("2-0"), entry("1-2"), entry("1-1")]),
        ("XREVRANGE s (3-5 1-2 COUNT 1", [entry("2-0")]),
        ("XREVRANGE s - +", []),
        ("XRANGE nope - +", []),
        ("XRANGE s - + COUNT x", NOT_INT),
        ("XRANGE s - + COUNT", SYNTAX),
        ("XRANGE s - + FOO 1", SYNTAX),
        ("XRANGE nope x +", BAD_ID),
        ("XRANGE s (- +", BAD_ID),
        ("XRANGE s ( +", BAD_ID),
        ("XRANGE s - (0-0", "-ERR invalid end ID for the interval"),
        (f"XRANGE s ({MAX}-{MAX} +", "-ERR invalid start ID for the interval"),
        ("XLEN s", 4),
        ("XLEN nope", 0),
    ],
    "deleting": [
        *FOUR,
        ("XDEL s 1-2 9-9 3-5 1-2", 2),
        left("1-1", "2-0"),
        ("XADD s 3-5 f 1", SMALLER),
        ("XDEL nope x", 0),
        ("XDEL s 1-1 x", BAD_ID),
        ("XDEL s -", BAD_ID),
        ("XDEL s 1-1 2", 2),
        ("XLEN s", 0),
        ("TYPE s", b"stream"),
    ],
    "trimming": [
        *FOUR,
        ("XTRIM s MAXLEN 3", 1),
        ("XTRIM s MINID 2-1", 2),
        left("3-5"),
        ("XTRIM s MAXLEN ~ 0", 1),
        ("XTRIM s MAXLEN = 0", 0),
        ("XTRIM nope MAXLEN 0", 0),
        ("XTRIM s LIMIT 4", NO_TRIM),
        ("XTRIM s LIMIT 4 5", SYNTAX),
        ("XTRIM s FOO 4", SYNTAX),
        ("XTRIM s MAXLEN", "-ERR wrong number of arguments for 'xtrim' command"),
        ("XTRIM s MAXLEN ~", NOT_INT),
        ("XTRIM s MAXLEN 5 FOO", SYNTAX),
        ("XTRIM s MAXLEN 5 MINID 4", BOTH),
        ("XTRIM s MAXLEN 5 LIMIT 1", NO_TILDE),
        ("XTRIM s MAXLEN ~ 5 LIMIT x", NOT_INT),
        ("XTRIM s MINID ~ - LIMIT 1", BAD_ID),
    ],
    "approximate trimming takes whole nodes": [
        *((f"XADD s {number}-0 f 1", f"{number}-0".encode()) for number in range(1, 231)),
        ("XTRIM s MAXLEN ~ 131", 0),
        ("XTRIM s MAXLEN ~ 130 LIMIT 99", 0),
        ("XTRIM s MAXLEN ~ 130", 100),
        ("XTRIM s MINID ~ 190", 0),
        ("XTRIM s MAXLEN 120", 10),
        ("XTRIM s MINID ~ 201", 90),
        ("XTRIM s MAXLEN ~ 0 LIMIT 29", 0),
        ("XTRIM s MAXLEN ~ 0 LIMIT 0", 30),
    ],
    "setting the last id": [
        *FOUR,
        ("XSETID s 9", b"OK"),
        ("XADD s 9-0 f 1", SMALLER),
        ("XSETID nope x", BAD_ID),
        ("XSETID s 9 ENTRIESADDED -1 MAXDELETEDID", "-ERR entries_added must be positive"),
        ("XSETID s 9 ENTRIESADDED 9 MAXDELETEDID", "-ERR syntax error"),
        ("XSETID nope 1", NO_KEY),
        ("XSETID s 1-1", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
        ("XSETID s 20 ENTRIESADDED 3",
         "-ERR The entries_added specified in XSETID is smaller than the target stream length"),
        ("XSETID s 20 ENTRIESADDED -1", "-ERR entries_added must be positive"),
        ("XSETID s 20 ENTRIESADDED x", NOT_INT),
        ("XSETID s 20 ENTRIESADDED", SYNTAX),
        ("XSETID s 20 FOO 1", SYNTAX),
        ("XSETID s 20 MAXDELETEDID 21",
         "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
        ("XSETID s 20 MAXDELETEDID 15 ENTRIESADDED 40", b"OK"),
        ("XSETID s 14", "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
        ("XINFO STREAM s", [
            b"length", 4, b"radix-tree-keys", 1, b"radix-tree-nodes", 2, b"last-generated-id", b"20-0",
            b"max-deleted-entry-id", b"15-0", b"entries-added", 40, b"recorded-first-entry-id", b"1-1",
            b"groups", 0, b"first-entry", entry("1-1"), b"last-entry", entry("3-5"),
        ]),
    ],
    "reading on": [
        *FOUR,
        ("XADD t 1-0 f 2", b"1-0"),
        ("XREAD STREAMS s 1-2", [[b"s", [entry("2-0"), entry("3-5")]]]),
        ("XREAD COUNT 1 STREAMS s t nope 2 0 0", [[b"s", [entry("3-5")]], [b"t", [entry("1-0", b"2")]]]),
        ("XREAD count -1 streams s t 2 1", [[b"s", [entry("3-5")]]]),
        ("XREAD COUNT 0 STREAMS s 2", [[b"s", [entry("3-5")]]]),
        ("XREAD STREAMS s $", None),
        ("XREAD STREAMS s +", [[b"s", [entry("3-5")]]]),
        ("XREAD STREAMS nope +", None),
        (f"XREAD STREAMS s {MAX}-{MAX}", None),
        ("XREAD BLOCK 1 STREAMS s t $ $", None),
        ("XREAD BLOCK 1 STREAMS s t $ 0", [[b"t", [entry("1-0", b"2")]]]),
        ("XREAD COUNT x STREAMS s 0", NOT_INT),
        ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK 1.5 STREAMS s 0", "-ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
        ("XREAD BLOCK 9223372036854775807 STREAMS s 0", "-ERR timeout is out of range"),
        ("XREAD STREAMS s 0 1",
         "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."),
        ("XREAD COUNT 1 FOO", SYNTAX),
        ("XREAD COUNT 1 STREAMS", SYNTAX),
        ("XREAD GROUP g c STREAMS s 0", ONLY_GROUP.format("GROUP")),
        ("XREAD NOACK STREAMS s 0", ONLY_GROUP.format("NOACK")),
        ("XREAD STREAMS s -", BAD_ID),
        ("XREAD STREAMS s >",
         "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."),
        ("MULTI", b"OK"),
        ("XREAD BLOCK 0 STREAMS s $", b"QUEUED"),
        ("EXEC", [None]),
    ],
    "groups": [
        ("XGROUP CREATE s g 0", NEEDS_KEY),
        ("XGROUP CREATE s g x MKSTREAM", BAD_ID),
        ("EXISTS s", 0),
        ("XGROUP CREATE s g $ MKSTREAM", b"OK"),
        ("XLEN s", 0),
        ("XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists"),
        ("XGROUP CREATE s h - ", BAD_ID),
        ("XGROUP CREATE s h 5 ENTRIESREAD 7", b"OK"),
        ("XGROUP CREATE s i 5 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"),
        ("XGROUP CREATE s i 5 ENTRIESREAD x", NOT_INT),
        ("XGROUP CREATE s i 0 FOO", sub_syntax("CREATE", "XGROUP")),
        ("XGROUP CREATE s i 0 ENTRIESREAD", sub_syntax("CREATE", "XGROUP")),
        ("XGROUP CREATE s i 0 MKSTREAM MKSTREAM ENTRIESREAD 1", sub_syntax("CREATE", "XGROUP")),
        ("XGROUP SETID s g 3-3 ENTRIESREAD 2", b"OK"),
        ("XGROUP SETID s g 0 MKSTREAM", sub_syntax("SETID", "XGROUP")),
        ("XGROUP SETID s nope 0", no_group("nope")),
        ("XGROUP SETID nope g 0", NEEDS_KEY),
        ("XGROUP SETID s h +", b"OK"),
        ("XINFO GROUPS s", [
            [b"name", b"g", b"consumers", 0, b"pending", 0, b"last-delivered-id", b"3-3", b"entries-read", 2,
             b"lag", 0],
            [b"name", b"h", b"consumers", 0, b"pending", 0, b"last-delivered-id", f"{MAX}-{MAX}".encode(),
             b"entries-read", None, b"lag", 0],
        ]),
        ("XGROUP CREATECONSUMER s g c", 1),
        ("XGROUP CREATECONSUMER s g c", 0),
        ("XGROUP CREATECONSUMER s nope c", no_group("nope")),
        ("XGROUP DELCONSUMER s g nope", 0),
        ("XGROUP DELCONSUMER s g c", 0),
        ("XGROUP DELCONSUMER s nope c", no_group("nope")),
        ("XGROUP DESTROY s g", 1),
        ("XGROUP DESTROY s g", 0),
        ("XGROUP DESTROY nope g", NEEDS_KEY),
        ("XGROUP FOO s g", "-ERR unknown subcommand 'FOO'. Try XGROUP HELP."),
    ],
    "reading as a group": [
        *READ,
        ("XREADGROUP GROUP g d STREAMS s >", [[b"s", [entry("2-0"), entry("3-5")]]]),
        ("XREADGROUP GROUP g d STREAMS s >", None),
        ("XREADGROUP GROUP g d BLOCK 1 STREAMS s >", None),
        ("XREADGROUP GROUP g c STREAMS s 0", [[b"s", [entry("1-1"), entry("1-2")]]]),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS s 1-1", [[b"s", [entry("1-2")]]]),
        ("XREADGROUP GROUP g e STREAMS s 0", [[b"s", []]]),
        ("XDEL s 1-1", 1),
        ("XREADGROUP GROUP g c STREAMS s 0", [[b"s", [[b"1-1", None], entry("1-2")]]]),
        ("XACK s g 1-1 1-2 2-0 7-7", 3),
        ("XACK s g 1-1", 0),
        ("XACK s g 1-1 x", BAD_ID),
        ("XACK s nope x", 0),
        ("XACK nope g x", 0),
        ("XREADGROUP GROUP g c STREAMS s 0", [[b"s", []]]),
        ("XADD s 9-0 f 1", b"9-0"),
        ("XREADGROUP GROUP g e NOACK STREAMS s >", [[b"s", [entry("9-0")]]]),
        ("XPENDING s g", [1, b"3-5", b"3-5", [[b"d", b"1"]]]),
        ("XGROUP DELCONSUMER s g d", 1),
        ("XPENDING s g", [0, None, None, None]),
    ],
    "wrong words of XREADGROUP": [
        *GROUPED,
        ("XREADGROUP COUNT 1 COUNT 1 COUNT 1 STREAMS s >", "-ERR Missing GROUP option for XREADGROUP"),
        ("XREADGROUP FOO g c STREAMS s 0", SYNTAX),
        ("XREADGROUP GROUP g c STREAMS s $", MEANINGLESS),
        ("XREADGROUP GROUP g c STREAMS s +", MEANINGLESS.replace("$", "+")),
        ("XREADGROUP GROUP nope c STREAMS s $", no_key_or_group("s", "nope", " in XREADGROUP with GROUP option")),
        ("XREADGROUP GROUP g c STREAMS nope >", no_key_or_group("nope", "g", " in XREADGROUP with GROUP option")),
        ("XREADGROUP GROUP g c STREAMS s 0 1",
         "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."),
        ("XREADGROUP GROUP g c STREAMS s x", BAD_ID),
        ("XINFO CONSUMERS s g", []),
    ],
    "what is pending": [
        *READ,
        ("XREADGROUP GROUP g b COUNT 1 STREAMS s >", [[b"s", [entry("2-0")]]]),
        ("XPENDING s g", [3, b"1-1", b"2-0", [[b"b", b"1"], [b"c", b"2"]]]),
        ("XPENDING s g IDLE 100000 - + 10", []),
        ("XPENDING s g - + 0", []),
        ("XPENDING s g - + -1", []),
        ("XPENDING s g - + 10 nobody", []),
        ("XPENDING s g - + 10 b three extra words", SYNTAX),
        ("XPENDING s g (2-0 + 10 b extra", []),
        ("XPENDING s nope", no_key_or_group("s", "nope")),
        ("XPENDING nope g - + 1", no_key_or_group("nope", "g")),
        ("XPENDING s g -", SYNTAX),
        ("XPENDING s g - +", SYNTAX),
        ("XPENDING s g - + x", NOT_INT),
        ("XPENDING s g x + 1", BAD_ID),
        ("XPENDING s g IDLE x - + 10", NOT_INT),
        ("XPENDING s g IDLE 1 - +", SYNTAX),
        ("XPENDING s g IDLE 1 - + 1 c x", SYNTAX),
    ],
    "claiming": [
        *READ,
        ("XCLAIM s g d 0 1-1", [entry("1-1")]),
        ("XCLAIM s g d 0 1-2 JUSTID", [b"1-2"]),
        ("XCLAIM s g d 100000 1-1", []),
        ("XCLAIM s g d -5 1-1 9-9 2-0", [entry("1-1")]),
        ("XCLAIM s g d 0 2-0 FORCE IDLE 5000 RETRYCOUNT 7", [entry("2-0")]),
        ("XDEL s 1-1", 1),
        ("XCLAIM s g d 0 1-1 1-2", [entry("1-2")]),
        ("XPENDING s g", [2, b"1-2", b"2-0", [[b"d", b"2"]]]),
        ("XCLAIM s g e 0 9-9 FORCE LASTID 3-5", []),
        ("XREADGROUP GROUP g e STREAMS s >", None),
        ("XCLAIM s g d x 1-1", "-ERR Invalid min-idle-time argument for XCLAIM"),
        ("XCLAIM s nope d x 1-1", no_key_or_group("s", "nope")),
        ("XCLAIM nope g d 0 1-1", no_key_or_group("nope", "g")),
        ("XCLAIM s g d 0 1-1 FOO", "-ERR Unrecognized XCLAIM option 'FOO'"),
        ("XCLAIM s g d 0 x", "-ERR Unrecognized XCLAIM option 'x'"),
        ("XCLAIM s g d 0 1-2 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM"),
        ("XCLAIM s g d 0 1-2 TIME x", "-ERR Invalid TIME option argument for XCLAIM"),
        ("XCLAIM s g d 0 1-2 RETRYCOUNT x", "-ERR Invalid RETRYCOUNT option argument for XCLAIM"),
        ("XCLAIM s g d 0 1-2 RETRYCOUNT", "-ERR Unrecognized XCLAIM option 'RETRYCOUNT'"),
        ("XCLAIM s g d 0 1-2 LASTID x", BAD_ID),
    ],
    "claiming what comes": [
        *GROUPED,
        ("XREADGROUP GROUP g c STREAMS s >", [[b"s", [entry(id) for id in ("1-1", "1-2", "2-0", "3-5")]]]),
        ("XAUTOCLAIM s g d 0 0 COUNT 2", [b"2-0", [entry("1-1"), entry("1-2")], []]),
        ("XAUTOCLAIM s g d 0 2-0 COUNT 2", [b"0-0", [entry("2-0"), entry("3-5")], []]),
        ("XAUTOCLAIM s g e 0 (2-0 JUSTID", [b"0-0", [b"3-5"], []]),
        ("XDEL s 1-1 2-0", 2),
        ("XAUTOCLAIM s g e 0 - COUNT 2 JUSTID", [b"2-0", [b"1-2"], [b"1-1"]]),
        ("XAUTOCLAIM s g e 0 - COUNT 2 JUSTID", [b"3-5", [b"1-2"], [b"2-0"]]),
        ("XAUTOCLAIM s g e 100000 -", [b"0-0", [], []]),
        ("XAUTOCLAIM s g d x 0", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"),
        ("XAUTOCLAIM s g d 0 0 COUNT 0", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s g d 0 0 COUNT x", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s g d 0 0 COUNT 922337203685477581", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s g d 0 0 FOO", SYNTAX),
        ("XAUTOCLAIM s nope d 0 0", no_key_or_group("s", "nope")),
        ("XAUTOCLAIM nope g d 0 x", BAD_ID),
    ],
    "wrong words of XINFO": [
        *FOUR,
        ("XINFO STREAM nope", NO_KEY),
        ("XINFO GROUPS nope", NO_KEY),
        ("XINFO CONSUMERS nope g", NO_KEY),
        ("XINFO CONSUMERS s g", no_group("g")),
        ("XINFO STREAM s FOO", sub_syntax("STREAM", "XINFO")),
        ("XINFO STREAM s FULL COUNT", sub_syntax("STREAM", "XINFO")),
        ("XINFO STREAM s FULL FOO 1", sub_syntax("STREAM", "XINFO")),
        ("XINFO STREAM s FULL COUNT x", NOT_INT),
        ("XINFO FOO", "-ERR unknown subcommand 'FOO'. Try XINFO HELP."),
        ("XINFO STREAM", "-ERR wrong number of arguments for 'xinfo|stream' command"),
    ],
    "how far groups have come": [
        *GROUPED,
        ("XGROUP CREATE s h 1-2", b"OK"),
        ("XREADGROUP GROUP g c COUNT 3 NOACK STREAMS s >", [[b"s", [entry("1-1"), entry("1-2"), entry("2-0")]]]),
        ("XREADGROUP GROUP h c COUNT 1 NOACK STREAMS s >", [[b"s", [entry("2-0")]]]),
        ("XINFO GROUPS s", [
            [b"name", b"g", b"consumers", 1, b"pending", 0, b"last-delivered-id", b"2-0", b"entries-read", 3,
             b"lag", 1],
            [b"name", b"h", b"consumers", 1, b"pending", 0, b"last-delivered-id", b"2-0", b"entries-read", None,
             b"lag", None],
        ]),
        ("XREADGROUP GROUP h c NOACK STREAMS s >", [[b"s", [entry("3-5")]]]),
        ("XDEL s 3-5", 1),
        ("XINFO GROUPS s", [
            [b"name", b"g", b"consumers", 1, b"pending", 0, b"last-delivered-id", b"2-0", b"entries-read", 3,
             b"lag", None],
            [b"name", b"h", b"consumers", 1, b"pending", 0, b"last-delivered-id", b"3-5", b"entries-read", 4,
             b"lag", 0],
        ]),
    ],
    "wrong type": [
        ("SET s x", b"OK"),
        *((line, WRONG_TYPE) for line in (
            "XADD s 1-1 f 1", "XLEN s", "XRANGE s - +", "XREVRANGE s + -", "XDEL s x", "XTRIM s MAXLEN 1",
            "XSETID s 1", "XREAD STREAMS s 0", "XREADGROUP GROUP g c STREAMS s >", "XGROUP CREATE s g 0 MKSTREAM",
            "XGROUP SETID s g 0", "XGROUP DESTROY s g", "XGROUP CREATECONSUMER s g c", "XGROUP DELCONSUMER s g c",
            "XACK s g 1", "XPENDING s g", "XCLAIM s g c x 1", "XAUTOCLAIM s g c 0 0", "XINFO STREAM s",
            "XINFO GROUPS s", "XINFO CONSUMERS s g",
        )),
        ("XADD s x f 1", BAD_ID),
        ("XRANGE s x +", BAD_ID),
    ],
}  # fmt: skip


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_table(r: Runner, rows: list[tuple[str, Any]]) -> None:
    r.table(rows)


def test_maps_in_resp3(r: Runner) -> None:
    r("HELLO 3")
    r.table(READ[:-1])
    entries = [entry("1-1"), entry("1-2"), entry("2-0"), entry("3-5")]
    r.table([
        ("XREAD COUNT 1 STREAMS s nope 2 0", {b"s": [entry("3-5")]}),
        ("XREAD STREAMS nope 0", None),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS s >", {b"s": [entry("1-1")]}),
        ("XRANGE s 2 2", [entry("2-0")]),
        ("XINFO GROUPS s", [{b"name": b"g", b"consumers": 1, b"pending": 1, b"last-delivered-id": b"1-1",
                             b"entries-read": 1, b"lag": 3}]),
    ])  # fmt: skip
    full = r("XINFO STREAM s FULL")
    (group,) = full.pop(b"groups")
    assert full == {
        b"length": 4, b"radix-tree-keys": 1, b"radix-tree-nodes": 2, b"last-generated-id": b"3-5",
        b"max-deleted-entry-id": b"0-0", b"entries-added": 4, b"recorded-first-entry-id": b"1-1", b"entries": entries,
    }  # fmt: skip
    (consumer,) = group.pop(b"consumers")
    ((id, owner, when, count),) = group.pop(b"pending")
    assert (id, owner, count) == (b"1-1", b"c", 1)
    assert group == {b"name": b"g", b"last-delivered-id": b"1-1", b"entries-read": 1, b"lag": 3, b"pel-count": 1}
    assert consumer == {b"name": b"c", b"seen-time": when, b"active-time": when, b"pel-count": 1,
                        b"pending": [[b"1-1", when, 1]]}  # fmt: skip


def test_full_shows_ten_of_everything_unless_told(r: Runner) -> None:
    for number in range(1, 13):
        r(f"XADD s {number} f 1")
    assert [len(r(f"XINFO STREAM s FULL{count}")[15]) for count in ("", " COUNT 3", " COUNT 0", " COUNT -1")] == [
        10, 3, 12, 10,
    ]  # fmt: skip


def test_times_of_pending_entries(clocked: Runner) -> None:
    clocked.table(READ)
    clocked.advance(500)
    clocked("XREADGROUP GROUP g d COUNT 1 STREAMS s >")
    clocked.advance(20)
    clocked.table([
        ("XPENDING s g - + 10", [[b"1-1", b"c", 520, 1], [b"1-2", b"c", 520, 1], [b"2-0", b"d", 20, 1]]),
        ("XPENDING s g IDLE 21 - + 10", [[b"1-1", b"c", 520, 1], [b"1-2", b"c", 520, 1]]),
        ("XPENDING s g IDLE 21 - + 1 c", [[b"1-1", b"c", 520, 1]]),
        ("XCLAIM s g d 521 1-1", []),
        ("XCLAIM s g d 520 1-1 IDLE 100", [entry("1-1")]),
        ("XAUTOCLAIM s g d 101 0 JUSTID", [b"0-0", [b"1-2"], []]),
        ("XREADGROUP GROUP g d STREAMS s 1-2", [[b"s", [entry("2-0")]]]),
        ("XPENDING s g - + 10", [[b"1-1", b"d", 100, 2], [b"1-2", b"d", 0, 1], [b"2-0", b"d", 0, 2]]),
        ("XCLAIM s g c 0 3-5 FORCE TIME 1000 RETRYCOUNT 4 JUSTID", [b"3-5"]),
        ("XINFO CONSUMERS s g", [
            [b"name", b"c", b"pending", 1, b"idle", 0, b"inactive", 0],
            [b"name", b"d", b"pending", 3, b"idle", 0, b"inactive", 0],
        ]),
    ])  # fmt: skip
    clocked.advance(7)
    clocked("XREADGROUP GROUP g e STREAMS s 0")
    assert clocked("XINFO CONSUMERS s g")[0] == [b"name", b"c", b"pending", 1, b"idle", 7, b"inactive", 7]
    assert clocked("XINFO CONSUMERS s g")[2] == [b"name", b"e", b"pending", 0, b"idle", 0, b"inactive", -1]
    pending = clocked("XPENDING s g (2-0 + 1")[0]
    assert (pending[1], pending[2] > 10**12, pending[3]) == (b"c", True, 4)


def test_ids_of_the_clock_never_go_back(clocked: Runner) -> None:
    first = clocked("XADD s * f 1")
    ms = int(first.partition(b"-")[0])
    assert first == b"%d-0" % ms
    assert clocked("XADD s * f 1") == b"%d-1" % ms
    clocked.advance(5)
    assert clocked("XADD s * f 1") == b"%d-0" % (ms + 5)
    assert clocked("XSETID s 9999999999999-7") == b"OK"
    assert clocked("XADD s * f 1") == b"9999999999999-8"


# -- what WATCH sees

UNSEEN = [
    "XSETID s 9", "XGROUP CREATE s h 0", "XGROUP SETID s g 0", "XGROUP CREATECONSUMER s g d",
    "XGROUP DELCONSUMER s g c", "XGROUP DESTROY s g", "XREADGROUP GROUP g c STREAMS s >",
    "XREADGROUP GROUP g c STREAMS s 0", "XACK s g 1-1",
    "XCLAIM s g d 0 1-1", "XAUTOCLAIM s g d 0 0", "XTRIM s MAXLEN 9",
]  # fmt: skip
SEEN = ["XADD s 9-0 f 1", "XDEL s 1-1", "XTRIM s MAXLEN 1", "XGROUP CREATE new g $ MKSTREAM"]


@pytest.mark.parametrize(("line", "seen"), [*((line, False) for line in UNSEEN), *((line, True) for line in SEEN)])
def test_what_watch_sees(r: Runner, line: str, seen: bool) -> None:
    r.table(READ)
    r("WATCH s new")
    r.other()(line)
    r.table([("MULTI", b"OK"), ("PING", b"QUEUED"), ("EXEC", None if seen else [b"PONG"])])


# -- the journal

JOURNALLED = [
    ("XADD s 9 f 1", [b"XADD s 9 f 1"]),
    ("XADD s 3-* f 1", [b"XADD s 3-6 f 1"]),
    ("XADD s MAXLEN 2 9-* f 1", [b"XADD s MAXLEN 2 9-0 f 1"]),
    ("XADD s MAXLEN 2 9-0 f *", [b"XADD s MAXLEN 2 9-0 f *"]),
    ("XADD s NOMKSTREAM MAXLEN ~ 2 LIMIT 500 9-* f 1", [b"XADD s NOMKSTREAM MAXLEN = 5 9-0 f 1"]),
    ("XADD s MINID ~ 3 9-0 f 1", [b"XADD s MINID = 1-1 9-0 f 1"]),
    ("XADD s MINID ~ 99 9-0 f 1", [b"XADD s MAXLEN = 0 9-0 f 1"]),
    ("XADD nope NOMKSTREAM 9-* f 1", []),
    ("XTRIM s MAXLEN 1", [b"XTRIM s MAXLEN 1"]),
    ("XTRIM s MAXLEN ~ 0", [b"XTRIM s MAXLEN = 0"]),
    ("XTRIM s MINID ~ 2", []),
    ("XDEL s 1-1 7", [b"XDEL s 1-1 7"]),
    ("XDEL s 7", []),
    ("XACK s g 1-1", [b"XACK s g 1-1"]),
    ("XACK s g 3-5", []),
    ("XGROUP CREATECONSUMER s g c", []),
    ("XGROUP SETID s g $", [b"XGROUP SETID s g $"]),
    ("XGROUP DESTROY s g", [b"XGROUP DESTROY s g"]),
    ("XREADGROUP GROUP g c COUNT 1 STREAMS s >", [
        b"MULTI", b"XCLAIM s g c 0 2-0 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 2-0",
        b"XGROUP SETID s g 2-0 ENTRIESREAD 3", b"EXEC",
    ]),
    ("XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >", [b"XGROUP SETID s g 2-0 ENTRIESREAD 3"]),
    ("XREADGROUP GROUP g d COUNT 1 NOACK STREAMS s >", [
        b"MULTI", b"XGROUP SETID s g 2-0 ENTRIESREAD 3", b"XGROUP CREATECONSUMER s g d", b"EXEC",
    ]),
    ("XREADGROUP GROUP g c COUNT 1 STREAMS s 0",
     [b"XCLAIM s g c 0 1-1 TIME <ms> RETRYCOUNT 2 FORCE JUSTID LASTID 1-2"]),
    ("XREADGROUP GROUP g d STREAMS s 0", [b"XGROUP CREATECONSUMER s g d"]),
    ("XCLAIM s g d 0 1-1 3-5", [b"XCLAIM s g d 0 1-1 TIME <ms> RETRYCOUNT 2 FORCE JUSTID LASTID 1-2"]),
    ("XCLAIM s g d 0 9-9 LASTID 2-0", [
        b"MULTI", b"XGROUP SETID s g 2-0 ENTRIESREAD 2", b"XGROUP CREATECONSUMER s g d", b"EXEC",
    ]),
    ("XCLAIM s g c 0 9-9", []),
    ("XAUTOCLAIM s g d 0 0 COUNT 1 JUSTID",
     [b"XCLAIM s g d 0 1-1 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 1-2"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), JOURNALLED, ids=[line for line, _ in JOURNALLED])
def test_journal(line: str, expected: list[bytes]) -> None:
    client = embedded.Client()
    for setup, _ in READ:
        client.call(*setup.split())
    ms = b"%d" % (client.ns // 1_000_000)
    assert [effect.replace(ms, b"<ms>") for effect in effects(client, line)] == expected


def run(client: embedded.Client, line: str) -> Any:
    return client.store.execute(client.session, tuple(words.split(line.encode())))


def test_a_consumer_that_waits_is_journalled() -> None:
    client = embedded.Client()
    for setup, _ in GROUPED:
        client.call(*setup.split())
    client.call("XGROUP", "SETID", "s", "g", "$")
    recorder: Any = Recorder()
    client.store.journal = recorder
    with pytest.raises(Block):
        run(client, "XREADGROUP GROUP g new BLOCK 0 STREAMS s >")
    assert recorder.pending == [(b"XGROUP", b"CREATECONSUMER", b"s", b"g", b"new")]
    run(client, "PING")
    assert len(recorder.pending) == 1


def test_a_replayed_journal_gives_the_same_stream(clocked: Runner) -> None:
    recorder: Any = Recorder()
    clocked.client.store.journal = recorder  # type: ignore[union-attr]
    for line, _ in [*TABLES["reading as a group"], *TABLES["trimming as entries come"], *TABLES["deleting"]]:
        clocked(line)
        clocked.advance(3)
    for number in range(10, 20):
        clocked(f"XADD s {number}-* f 1")
        clocked(f"XREADGROUP GROUP g c{number % 3} COUNT 2 STREAMS s {'0' if number % 4 == 0 else '>'}")
        clocked.advance(3)
    for line in ("XDEL s 12-0", "XAUTOCLAIM s g new 10 0", "XCLAIM s g other 0 99 LASTID 15-0", "XACK s g 11-0"):
        clocked(line)
    clocked.client.store.journal = None  # type: ignore[union-attr]
    again = embedded.Client()
    again.ns = clocked.client.ns  # type: ignore[union-attr]
    for argv in recorder.pending:
        again.call(*argv)
    assert without_visits(again.call("XINFO", "STREAM", "s", "FULL", "COUNT", "0")) == without_visits(
        clocked("XINFO STREAM s FULL COUNT 0")
    )


def without_visits(reply: Any) -> Any:
    """XINFO's reply without when consumers were seen."""
    if not isinstance(reply, list):
        return reply
    kept = list(reply)
    for label in (b"seen-time", b"active-time"):
        if label in kept:
            at = kept.index(label)
            del kept[at : at + 2]
    return [without_visits(item) for item in kept]


# -- waiting

NO_LONGER = no_key_or_group("s", "g", " in XREADGROUP with GROUP option")
AS_GROUP = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"
NEW = [[b"s", [entry("9-0")]]]
WAITING = "still waiting"

SERVED: list[tuple[str, list[str], Any]] = [
    ("XREAD BLOCK 0 STREAMS s $", ["XADD s 9-0 f 1"], NEW),
    ("XREAD BLOCK 0 STREAMS new s $ $", ["XADD s 9-0 f 1"], NEW),
    ("XREAD BLOCK 0 STREAMS s 8", ["XADD s 7-0 f 2", "XADD s 9-0 f 1"], NEW),
    ("XREAD COUNT 1 BLOCK 0 STREAMS s $", ["MULTI", "XADD s 9-0 f 1", "XADD s 9-1 f 1", "EXEC"], NEW),
    ("XREAD BLOCK 0 STREAMS new +", ["XADD new 1-0 f 1"], [[b"new", [entry("1-0")]]]),
    ("XREAD BLOCK 0 STREAMS s $", ["DEL s", "XADD s 1-1 f 1"], WAITING),
    ("XREAD BLOCK 0 STREAMS s $", ["DEL s", "SET s 1"], WAITING),
    ("XREAD BLOCK 0 STREAMS s $", ["XSETID s 99"], WAITING),
    (AS_GROUP, ["XADD s 9-0 f 1"], NEW),
    (AS_GROUP, ["XGROUP SETID s g 0"], WAITING),
    (AS_GROUP, ["XGROUP SETID s g 3", "XADD s 9-0 f 1"], [[b"s", [entry("3-5"), entry("9-0")]]]),
    (AS_GROUP, ["XGROUP DELCONSUMER s g c", "XADD s 9-0 f 1"], NEW),
    (AS_GROUP, ["DEL s"], NO_LONGER),
    (AS_GROUP, ["UNLINK s", "XADD s 9-0 f 1"], NO_LONGER),
    (AS_GROUP, ["MULTI", "DEL s", "XADD s 9-0 f 1", "EXEC"], NO_LONGER),
    (AS_GROUP, ["FLUSHALL"], NO_LONGER),
    (AS_GROUP, ["RENAME s t"], NO_LONGER),
    (AS_GROUP, ["MOVE s 1"], NO_LONGER),
    (AS_GROUP, ["SWAPDB 0 1"], NO_LONGER),
    (AS_GROUP, ["PEXPIRE s -1"], NO_LONGER),
    (AS_GROUP, ["XGROUP DESTROY s g"], NO_LONGER),
    (AS_GROUP, ["SET s x"], WRONG_TYPE),
]


@pytest.mark.parametrize(("waiting", "lines", "expected"), SERVED)
def test_what_wakes_a_waiting_command(waiting: str, lines: list[str], expected: Any) -> None:
    """The outcomes are those of Valkey 9.1, where they were looked up."""
    client = embedded.Client()
    for line, _ in FOUR:
        run(client, line)
    run(client, "XGROUP CREATE s g $")
    replies: list[Any] = []
    with pytest.raises(Block) as caught:
        run(client, waiting)
    client.store.waiting.park(client.session, tuple(waiting.encode().split()), caught.value, replies.append)
    other = embedded.Client(client.store)
    for line in lines:
        run(other, line)
    assert [plain(reply) for reply in replies or [WAITING]] == [expected]


def test_a_key_that_expires_unawaited_wakes_its_consumers() -> None:
    client = embedded.Client()
    for line, _ in [*GROUPED, ("XGROUP SETID s g $", b""), ("PEXPIRE s 10", 1)]:
        run(client, line)
    replies: list[Any] = []
    with pytest.raises(Block) as caught:
        run(client, AS_GROUP)
    client.store.waiting.park(client.session, tuple(AS_GROUP.encode().split()), caught.value, replies.append)
    client.advance(200)
    client.store.tick()
    assert [plain(reply) for reply in replies] == [NO_LONGER]


def test_one_entry_wakes_one_consumer_of_a_group_and_every_reader() -> None:
    client = embedded.Client()
    run(client, "XGROUP CREATE s g $ MKSTREAM")
    replies: list[tuple[int, Any]] = []

    def park(number: int, line: str) -> None:
        waiter = embedded.Client(client.store)
        with pytest.raises(Block) as caught:
            run(waiter, line)
        argv = tuple(line.encode().split())
        client.store.waiting.park(waiter.session, argv, caught.value, lambda reply: replies.append((number, reply)))

    for number, line in enumerate([AS_GROUP, AS_GROUP, "XREAD BLOCK 0 STREAMS s $", "XREAD BLOCK 0 STREAMS s 0"]):
        park(number, line)
    run(client, "XADD s 9-0 f 1")
    assert replies == [(0, NEW), (2, NEW), (3, NEW)]


def test_how_long_a_read_waits() -> None:
    client = embedded.Client()
    with pytest.raises(Block) as caught:
        run(client, "XREAD BLOCK 1500 STREAMS s $")
    assert caught.value.deadline == client.ns // 1_000_000 + 1500
