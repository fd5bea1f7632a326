"""Attempts to get out of a script: each must fail, and leave the interpreter as it was."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

from typing import Any

import pytest

from redtool.errors import ReplyError
from tests import embedded

LOCKED = "Attempt to modify a readonly table"
NONE = "nonexistent global variable"

# A script, and a part of the error that it must end in.
REFUSED = [
    ("os.execute('id')", "attempt to call"),
    ("os.exit()", "attempt to call"),
    ("os.remove('x')", "attempt to call"),
    ("os.rename('x','y')", "attempt to call"),
    ("os.tmpname()", "attempt to call"),
    ("os.getenv('HOME')", "attempt to call"),
    ("io.open('/etc/passwd')", NONE),
    ("io.popen('id')", NONE),
    ("print('x')", NONE),
    ("dofile('/etc/passwd')", NONE),
    ("loadfile('/etc/passwd')", NONE),
    ("require('os')", NONE),
    ("module('x')", NONE),
    ("package.loadlib('libc.so.6','system')", NONE),
    ("debug.getregistry()", NONE),
    ("debug.getupvalue(redis.call,1)", NONE),
    ("debug.sethook()", NONE),
    ("python.eval('1')", NONE),
    ("python.builtins.open('/etc/passwd')", NONE),
    ("getfenv(0)", NONE),
    ("getfenv(redis.call)", NONE),
    ("setfenv(1,{})", NONE),
    ("newproxy(true)", NONE),
    ("string.dump(function() end)", "attempt to call"),
    ("loadstring('\\27Lua')()", "attempt to call"),
    ("local n = 0 load(function() n = n + 1 return n == 1 and '\\27Lua' or nil end)()", "attempt to call"),
    ("loadstring('x=1')()", LOCKED),
    ("loadstring('return io.open')()", NONE),
    ("load(coroutine.wrap(function() coroutine.yield('return ') coroutine.yield('io') end))()", NONE),
    ("x = 1", LOCKED),
    ("_G.x = 1", LOCKED),
    ("_G._G = nil", LOCKED),
    ("rawset(_G, 'x', 1)", LOCKED),
    ("rawset(redis, 'call', nil)", LOCKED),
    ("redis.call = nil", LOCKED),
    ("redis.call = function() end", LOCKED),
    ("server.call = nil", LOCKED),
    ("string.format = nil", LOCKED),
    ("math.random = nil", LOCKED),
    ("table.insert = nil", LOCKED),
    ("coroutine.wrap = nil", LOCKED),
    ("os.clock = nil", LOCKED),
    ("cjson.encode = nil", LOCKED),
    ("cmsgpack.pack = nil", LOCKED),
    ("struct.pack = nil", LOCKED),
    ("bit.band = nil", LOCKED),
    ("pairs = nil", LOCKED),
    ("pcall = nil", LOCKED),
    ("KEYS = {}", LOCKED),
    ("setmetatable(_G, {})", LOCKED),
    ("setmetatable(redis, {})", LOCKED),
    ("setmetatable(_G, nil)", LOCKED),
    ("getmetatable(_G).__index = nil", LOCKED),
    ("getmetatable(_G).__newindex = nil", LOCKED),
    ("getmetatable('').__index = {}", LOCKED),
    ("getmetatable('').__add = function() end", LOCKED),
    ("getmetatable('').__index.upper = nil", LOCKED),
    ("rawset(getmetatable(''), '__index', {})", LOCKED),
    ("rawset(getmetatable(_G), '__index', {})", LOCKED),
    ("setmetatable(getmetatable(_G), {})", LOCKED),
    ("setmetatable('', {})", "table expected"),
    ("setmetatable(redis.call, {})", "table expected"),
    ("getmetatable(redis.call).__index = 1", "attempt to index"),
    ("getmetatable(cjson.null).__index = 1", "attempt to index"),
    ("table.insert(_G, 1)", LOCKED),
    ("table.insert(redis, 1)", LOCKED),
    ("table.remove(redis)", LOCKED),
    ("table.sort(redis)", LOCKED),
    ("table.setn(redis, 1)", LOCKED),
    ("local _, t = pairs(redis) t.call = nil", LOCKED),
    ("local _, t = pairs(_G) t.redis = nil", LOCKED),
    ("for k in pairs(string) do string[k] = nil end", LOCKED),
    ("redis.call.__class__ = 1", "attempt to index"),
    ("return redis.call.__globals__", "attempt to index"),
    ("return redis['call'].__code__", "attempt to index"),
    ("return cjson.null.x", "attempt to index"),
    ("redis.call('CONFIG','SET','dir','/')", "not allowed from script"),
    ("redis.call('SHUTDOWN')", "not allowed from script"),
    ("redis.call('DEBUG','SLEEP','0')", "not allowed from script"),
    ("redis.call('EVAL','return 1','0')", "not allowed from script"),
    ("redis.call('MULTI')", "not allowed from script"),
    ("redis.call(redis.call)", "must be strings or integers"),
    ("redis.call({'GET'})", "must be strings or integers"),
    ("redis.register_function('f', function() end)", "attempt to call"),
]


@pytest.fixture(scope="module")
def client() -> embedded.Client:
    return embedded.Client(frozen=False)


@pytest.mark.parametrize(("script", "text"), REFUSED, ids=[script for script, _ in REFUSED])
def test_refused(client: embedded.Client, script: str, text: str) -> None:
    reply = client.call("EVAL", script, 0)
    assert isinstance(reply, ReplyError)
    assert text in reply.message
    assert client.call("EVAL", "return redis.call('ECHO', string.format('%s', 'ok'))", 0) == b"ok"


# Walks everything a script can reach, errors and their values too, and gives what is no plain Lua value.
WALK = """
local seen, odd, functions = {}, {}, 0
local allowed = { ['nil'] = 1, boolean = 1, number = 1, string = 1, table = 1, ['function'] = 1, thread = 1 }
local function walk(value, path)
  local kind = type(value)
  if not allowed[kind] and value ~= cjson.null then odd[#odd + 1] = path .. ' is ' .. kind end
  if kind == 'function' then functions = functions + 1 end
  if kind ~= 'table' or seen[value] then return end
  seen[value] = true
  for k, v in pairs(value) do
    walk(k, path .. '.key')
    walk(v, path .. '.' .. tostring(k))
  end
  walk(getmetatable(value) or nil, path .. '.meta')
end
walk(_G, '_G')
walk(getmetatable(''), 'string.meta')
walk(getmetatable(cjson.null) or nil, 'null.meta')
walk(cjson.new(), 'new')
for name, group in pairs({ redis = redis, cjson = cjson, cmsgpack = cmsgpack, struct = struct, bit = bit, math = math }) do
  for key, fn in pairs(group) do
    if type(fn) == 'function' and key ~= 'breakpoint' then
      for _, args in ipairs({ {}, { {} }, { function() end }, { 'x', 'y', 'z' }, { -1, 1e300 }, { redis } }) do
        walk({ pcall(fn, unpack(args)) }, name .. '.' .. key)
        walk({ xpcall(function() return fn(unpack(args)) end, function(e) return e end) }, name .. '.' .. key)
        walk({ coroutine.resume(coroutine.create(function(...) return fn(...) end), unpack(args)) }, name .. '.' .. key)
        walk({ pcall(coroutine.wrap(function(...) return fn(...) end), unpack(args)) }, name .. '.' .. key)
        walk({ xpcall(coroutine.wrap(function() return fn(unpack(args)) end), function(e) walk(e, 'handler') return e end) }, key)
      end
    end
  end
end
return { functions > 100 and 'enough' or functions, odd }
"""


def test_nothing_of_python_is_reachable(client: embedded.Client) -> None:
    assert client.call("EVAL", WALK, 0) == [b"enough", []]


def test_libraries_see_the_same_walls(client: embedded.Client) -> None:
    code = "#!lua name=walk\nredis.register_function('walk', function(keys, args)\n" + WALK.replace(
        "key ~= 'breakpoint'", "key ~= 'setresp'") + "\nend)"  # fmt: skip
    assert client.call("FUNCTION", "LOAD", code) == b"walk"
    assert client.call("FCALL", "walk", 0) == [b"enough", []]
    for line in ("x = 1", "redis.call = nil", "_G.x = 1", "string.format = nil"):
        source = f"#!lua name=breaker\nredis.register_function('breaker', function() {line} end)"
        client.call("FUNCTION", "LOAD", "REPLACE", source)
        reply = client.call("FCALL", "breaker", 0)
        assert isinstance(reply, ReplyError)
        assert LOCKED in reply.message


EXHAUSTING = [
    ("return string.rep('x', 1e10)", "not enough memory"),
    ("local s = 'x' while true do s = s .. s end", "not enough memory"),
    ("local t = {} for i = 1, 1e9 do t[i] = { i } end", "not enough memory"),
    ("local t = {} while true do pcall(function() t[#t + 1] = string.rep('y', 1e6 + #t) end) end", "not enough memory"),
    ("local function f() return 1 + f() end return f()", "stack overflow"),
    ("local function f() return pcall(f) end return f()", ""),
    ("local f f = function() return coroutine.wrap(f)() end return f()", "C stack overflow"),
    ("return loadstring('return ' .. string.rep('(', 1e5))()", "attempt to call"),
    ("return string.find(string.rep('a', 1e5), string.rep('a?', 1e5))", "pattern too complex"),
    ("return unpack({}, 1, 1e8)", "too many results"),
    ("return unpack({}, -2^31, 2^31 - 1)", "too many results"),
    ("return unpack({}, -2^31, -1)", "too many results"),
    ("local function f(a, b, c, d--[[e]], ...) end return f()", "more than 3 parameters before '...'"),
    ("local t = {} function t:f(a, b, c, ...) end return t:f()", "more than 3 parameters before '...'"),
    ("return loadstring('return function(' .. string.rep('a,', 190) .. '...) end')()", "attempt to call"),
    ("for i = 1, 300 do loadstring(string.rep('local a = {} ', 150), '@x' .. string.rep('n', i) .. '\\0' .. i) end return {}", ""),
    ("return cjson.decode(string.rep('[', 1e5))", "too many nested"),
    ("local t = {} t[1] = t return cjson.encode(t)", "excessive nesting"),
    ("local t = {} t.t = t return #cmsgpack.pack(t)", ""),
    ("local t = {} t[1] = t return t", ""),
    ("return setmetatable({}, { __index = function(t, k) return t[k] end }).x", "C stack overflow"),
]


@pytest.mark.parametrize(("script", "text"), EXHAUSTING, ids=[script for script, _ in EXHAUSTING])
def test_exhaustion_is_an_error(client: embedded.Client, script: str, text: str) -> None:
    reply = client.call("EVAL", script, 0)
    if text:
        assert isinstance(reply, ReplyError)
        assert text in reply.message
    assert client.call("EVAL", "return {1, ARGV[1]}", 0, "x") == [1, b"x"]


def test_state_does_not_leak(client: embedded.Client) -> None:
    """What one script does to its arguments, the protocol or the database is not there for the next."""
    script = "KEYS[1] = 'x' ARGV.y = 1 redis.setresp(3) redis.call('SELECT', 3) table.insert(KEYS, 'z') return 1"
    assert client.call("EVAL", script, 1, "k", "a") == 1
    reply: Any = client.call("EVAL", "return {#KEYS, #ARGV, tostring(ARGV.y), redis.call('GET', 'none')}", 0)
    assert reply == [0, 0, b"nil", None]
    assert client.session.db.index == 0
