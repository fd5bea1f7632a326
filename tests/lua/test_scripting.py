"""EVAL, SCRIPT, FUNCTION and FCALL as tables of (line, reply), on every backend; transactions and time among them."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

import pytest

from tests.commands.conftest import Runner
from tests.embedded import Client

SCRIPTS = [
    ('EVAL "return 1" 0', 1),
    ('EVAL "return {1, 2, {3, \'x\'}}" 0', [1, 2, [3, b"x"]]),
    ('EVAL "return {KEYS[1], ARGV[1], #KEYS, #ARGV}" 1 k v w', [b"k", b"v", 1, 2]),
    ('EVAL "return 3.99" 0', 3),
    ('EVAL "return -3.99" 0', -3),
    ('EVAL "return true" 0', 1),
    ('EVAL "return false" 0', None),
    ('EVAL "return nil" 0', None),
    ('EVAL "return {1, nil, 3}" 0', [1]),
    ('EVAL "return {ok=\'fine\'}" 0', b"fine"),
    ('EVAL "return {err=\'MY error\'}" 0', "-MY error"),
    ('EVAL "return redis.error_reply(\'MY error\')" 0', "-MY error"),
    ('EVAL "return redis.error_reply(\'alone\')" 0', "-ERR alone"),
    ('EVAL "return redis.status_reply(\'fine\')" 0', b"fine"),
    ('EVAL "return redis.status_reply(ARGV[1])" 0 "fi\\x00ne"', b"fi"),
    ('EVAL "return redis.error_reply(ARGV[1])" 0 "MY er\\x00ror"', "-MY er"),
    ("GEOADD places 0.00000126 1 a", 1),
    ('EVAL "redis.setresp(3) return redis.call(\'GEOPOS\', KEYS[1], \'a\')[1][1]" 1 places', b"2.68220901489e-6"),
    ('EVAL "return redis.call(\'SET\', KEYS[1], ARGV[1])" 1 k v', b"OK"),
    ("GET k", b"v"),
    ('EVAL "return redis.pcall(\'INCR\', KEYS[1])" 1 k', "-ERR value is not an integer or out of range"),
    ('EVAL "return redis.pcall(\'INCR\', KEYS[1]).err" 1 k', b"ERR value is not an integer or out of range"),
    ('EVAL "return redis.sha1hex(\'\')" 0', b"da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ('EVAL "return cjson.encode({1, {a = true}})" 0', b'[1,{"a":true}]'),
    ('EVAL "return cjson.decode(ARGV[1]).a[2]" 0 \'{"a":[1,"two"]}\'', b"two"),
    ('EVAL "return cmsgpack.unpack(cmsgpack.pack({1, 2}))" 0', [1, 2]),
    ('EVAL "return struct.unpack(\'>I2\', struct.pack(\'>I2\', 513))" 0', 513),
    ('EVAL "return bit.bor(1, 6)" 0', 7),
    ("EVAL x", "-ERR wrong number of arguments for 'eval' command"),
    ("EVAL x y", "-ERR value is not an integer or out of range"),
    ("EVAL x -1", "-ERR Number of keys can't be negative"),
    ("EVAL x 3 a", "-ERR Number of keys can't be greater than number of args"),
]

CACHE = [
    ('SCRIPT LOAD "return 1"', b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"),
    ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", 1),
    ("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0", 1),
    ("EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", 1),
    ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db x", [1, 0]),
    ("SCRIPT SHOW e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"return 1"),
    ("SCRIPT FLUSH", b"OK"),
    ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", [0]),
    ('EVAL "return 1" 0', 1),
    ("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", [1]),
    ("SCRIPT FLUSH SYNC", b"OK"),
    ("SCRIPT FLUSH nonsense", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
    ("SCRIPT KILL", "-NOTBUSY No scripts in execution right now."),
    ("SCRIPT DEBUG no", b"OK"),
    ("SCRIPT DEBUG x", "-ERR Use SCRIPT DEBUG YES/SYNC/NO"),
]

LIBRARY = (
    "#!lua name=lib\\nredis.register_function('add', function(k, a) return redis.call('INCRBY', k[1], a[1]) end) "
    "redis.register_function{function_name='look', callback=function(k) return redis.call('GET', k[1]) end, "
    "flags={'no-writes'}, description='Looks.'}"
)
FUNCTIONS = [
    (f'FUNCTION LOAD "{LIBRARY}"', b"lib"),
    (f'FUNCTION LOAD "{LIBRARY}"', "-ERR Library 'lib' already exists"),
    (f'FUNCTION LOAD REPLACE "{LIBRARY}"', b"lib"),
    ("FCALL add 1 n 5", 5),
    ("FCALL ADD 1 n 5", 10),
    ("FCALL_RO look 1 n", b"10"),
    ("FCALL_RO add 1 n 5", "-ERR Can not execute a script with write flag using *_ro command."),
    ("FCALL none 0", "-ERR Function not found"),
    ("FCALL add x", "-ERR Bad number of keys provided"),
    ("FUNCTION STATS", [b"running_script", None, b"engines", [b"LUA", [b"libraries_count", 1, b"functions_count", 2]]]),
    ("FUNCTION DELETE lib", b"OK"),
    ("FUNCTION DELETE lib", "-ERR Library not found"),
    ("FUNCTION LIST", []),
    ("FUNCTION FLUSH", b"OK"),
    ("FUNCTION KILL", "-NOTBUSY No scripts in execution right now."),
]

TRANSACTIONS = [
    ("MULTI", b"OK"),
    ('EVAL "return redis.call(\'INCR\', KEYS[1])" 1 n', b"QUEUED"),
    ('EVAL "redis.call(\'SET\', KEYS[1], 1) return redis.pcall(\'INCR\', \'l\')" 1 m', b"QUEUED"),
    ("INCR n", b"QUEUED"),
    ("EXEC", [1, 1, 2]),
    ("WATCH w", b"OK"),
    ('EVAL "return redis.call(\'SET\', KEYS[1], 1)" 1 w', b"OK"),
    ("MULTI", b"OK"),
    ("EXEC", None),
    ("SELECT 2", b"OK"),
    ('EVAL "redis.call(\'SELECT\', 5) return redis.call(\'SET\', \'there\', \'x\')" 0', b"OK"),
    ("GET there", None),
    ("SELECT 5", b"OK"),
    ("GET there", b"x"),
    ("SELECT 0", b"OK"),
    ('EVAL "local a = redis.call(\'TIME\') for i = 1, 1e5 do end local b = redis.call(\'TIME\') return a[1] == b[1] and a[2] == b[2]" 0', 1),
    ('EVAL "redis.call(\'SET\', \'t\', 1, \'PX\', 1) for i = 1, 1e6 do end return redis.call(\'EXISTS\', \'t\')" 0', 1),
]  # fmt: skip

RESP3 = [
    ("HSET h a 1", 1), ("ZADD z 1.5 m", 1), ("SADD s x", 1),
    ('EVAL "redis.setresp(3) return redis.call(\'HGETALL\', \'h\').map.a" 0', b"1"),
    ('EVAL "redis.setresp(3) return tostring(redis.call(\'ZSCORE\', \'z\', \'m\').double)" 0', b"1.5"),
    ('EVAL "redis.setresp(3) return redis.call(\'SMEMBERS\', \'s\').set.x" 0', 1),
    ('EVAL "redis.setresp(3) return redis.call(\'GET\', \'none\') == nil" 0', 1),
    ('EVAL "return redis.call(\'GET\', \'none\') == false" 0', 1),
    ("EVAL \"return {map={a=1}}\" 0", [b"a", 1]),
    ("EVAL \"return {set={a=true}}\" 0", [b"a"]),
    ("EVAL \"return {double=1.5}\" 0", b"1.5"),
    ("EVAL \"return {big_number='123'}\" 0", b"123"),
    ("EVAL \"return {verbatim_string={format='txt', string='hi'}}\" 0", b"hi"),
]  # fmt: skip


@pytest.mark.parametrize("rows", [SCRIPTS, CACHE, FUNCTIONS, TRANSACTIONS, RESP3],
                         ids=["scripts", "cache", "functions", "transactions", "resp3"])  # fmt: skip
def test_table(r: Runner, rows: list[tuple[str, object]]) -> None:
    r.table(rows)


def test_dump_and_restore(r: Runner) -> None:
    r(f'FUNCTION LOAD "{LIBRARY}"')
    payload = r("FUNCTION DUMP")
    assert r.client.call("FUNCTION", "RESTORE", payload).message == "ERR Library lib already exists"
    assert r.client.call("FUNCTION", "RESTORE", payload, "REPLACE") == b"OK"
    assert r("FUNCTION FLUSH") == b"OK"
    assert r.client.call("FUNCTION", "RESTORE", payload) == b"OK"
    assert r("FCALL add 1 n 2") == 2
    assert r.client.call("FUNCTION", "RESTORE", payload, "FLUSH") == b"OK"
    assert r.client.call("FUNCTION", "RESTORE", payload[:-1]).message == "ERR DUMP payload version or checksum are wrong"
    assert r("FCALL look 1 n") == b"2"


def test_debug_lets_scripts_run_what_they_may_not() -> None:
    client = Client()
    script = "return redis.call('CLIENT', 'GETNAME')"
    assert "not allowed from script" in str(client.call("EVAL", script, 0))
    client.call("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 1)
    assert client.call("EVAL", script, 0) is None
    assert "not allowed from script" in str(client.call("EVAL", "return redis.call('EVAL', 'return 1', 0)", 0))
    client.call("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 0)
    assert "not allowed from script" in str(client.call("EVAL", script, 0))
