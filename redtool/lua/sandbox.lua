-- The walls of the sandbox: what scripts may reach, and how Python calls them. Runs once, with the whole of Lua at
-- hand; its last statement gives Python the functions it needs. Nothing of Python is reachable from a script but
-- the functions in `api`, as plain C functions, and what they return is strings, numbers and tables.
local python, api, answers, soft, every, signal = ...
local as_function = python.as_function
local getinfo, sethook = debug.getinfo, debug.sethook
local type, tostring, error, select, next, unpack = type, tostring, error, select, next, unpack
local tonumber = tonumber
local rawget, rawset, setmetatable, getmetatable, setfenv = rawget, rawset, setmetatable, getmetatable, setfenv
local cpcall, cxpcall, loadstring, collectgarbage = pcall, xpcall, loadstring, collectgarbage
local concat, sub, byte, gsub = table.concat, string.sub, string.byte, string.gsub
local create, resume, wrap, current = coroutine.create, coroutine.resume, coroutine.wrap, coroutine.running
local null = newproxy()
local SOURCE = getinfo(1, "S").source
local LOCKED = "Attempt to modify a readonly table"
local NO_MEMORY = "not enough memory"
local MAX_PATTERN = 4000
local HOST = "^host:%d+: "
local OURS = "^redtool:%d+: "  -- how an error of a C function begins that was called from here

-- Functions of Python come as objects, which no script may see: each is put into a function of C.
local function dressed(group)
  for name, fn in next, group do
    if type(fn) == "userdata" then group[name] = as_function(fn) end
  end
  return group
end

for _, group in next, api do dressed(group) end
local tick, explain, safe = api.inner.tick, api.inner.explain, api.inner.safe
local dump, find, match, format = string.dump, string.find, string.match, string.format
local MAX_CODE = 2 ^ 26  -- bytes; the counters of the lexer are not made for more than 2^31

-- Compile text and nothing else. The name of the chunk must be a string that is held while the parser runs, which
-- holds it not itself: one without zeros, as C would cut it there. What Lua cannot run safely is refused.
local function translate(code, name)
  if byte(code) == 27 then
    local shown = sub(name, 1, 1) == "@" and sub(name, 2) or '[string "' .. sub(name, 2, 4) .. '"]'
    return nil, shown .. ":1: unexpected symbol near 'char(27)'"
  end
  if #code > MAX_CODE then return nil, "the script is too long" end
  name = match(name, "^[^%z]*")
  local f, reason = loadstring(code, name)
  if f and find(code, "...", 1, true) and not safe(dump(f)) then
    return nil, "a function has more than 3 parameters before '...'"
  end
  return f, reason
end

-- Read-only tables: an empty proxy before the contents, which no script ever holds.

local contents_of = setmetatable({}, { __mode = "k" })

local function refuse() error(LOCKED, 2) end

local function locked(contents, shown)
  local proxy = {}
  contents_of[proxy] = contents
  return setmetatable(proxy, { __index = contents, __newindex = refuse, __metatable = shown or false })
end

local function missing(_, name)
  if type(name) ~= "string" and type(name) ~= "number" then name = "(null)" end
  error("Script attempted to access nonexistent global variable '" .. name .. "'", 2)
end

-- Stopping a script: once `killed` is set, the hook fires at every instruction and no pcall holds the error.

local killed, hook
local looks, TICK = 0, 10  -- every so many looks at memory there is one at the clock
local FULL = { err = "ERR " .. NO_MEMORY }  -- made while there is room for it

local function stop(why)
  killed = why
  sethook(hook, "", 1)
  error(why, 0)
end

local function explained(e)
  -- What a Python function raised, as a script may see it: a string, or a table with an err field.
  -- `signal`, the one object that is raised for every error, must stay alive on this side: lupa mixes up objects
  -- that come again while Lua has given them up but not finalized them.
  local kind, text, counted = explain(e == signal or e)
  if kind == "error" then return { err = text, ignore_error_stats_update = counted or nil } end
  if kind == "stop" then stop({ err = text }) end
  return text
end

local after = {}  -- the functions that see a script off: they run while `killed` is set

function hook()
  if killed then
    if after[getinfo(2, "f").func] then return end
    sethook(hook, "", 1)
    error(killed, 0)
  end
  if collectgarbage("count") > soft then
    collectgarbage()
    if collectgarbage("count") > soft * 0.9 then stop(FULL) end
  end
  looks = looks + 1
  if looks < TICK then return end
  looks = 0
  local ok, why = cpcall(tick)
  if not ok then
    explain(why == signal or why)
    why = "ERR Script interrupted"
  end
  if why then stop({ err = why }) end
end

local function caught(ok, ...)
  if killed then stop(killed) end
  if ok then return true, ... end
  local e = ...
  if type(e) == "string" then return false, (gsub(e, OURS, "")) end
  if type(e) == "userdata" and e ~= null then return false, explained(e) end
  return false, e
end

local function worded(ok, ...)
  if ok then return true, ... end
  local e = ...
  if type(e) == "table" and not contents_of[e] then
    local text = rawget(e, "err")
    if type(text) == "string" then return false, text end
  end
  return false, e
end

local function misused(text)
  -- An error of the function that calls this one, placed where the script called it; a tail call has left no place.
  local info = getinfo(3, "l")
  if info and info.currentline > 0 then error(text, 3) end
  error("redtool:0: " .. text, 0)
end

local function argument(n, name, expected, got, count)
  local kind = n > count and "no value" or type(got)
  local text = "bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. kind .. ")"
  local info = getinfo(3, "l")
  if info and info.currentline > 0 then error(text, 3) end
  error("redtool:0: " .. text, 0)
end

-- The functions of Lua that are not given to scripts as they are.

local base = {}

function base.pcall(...)
  if select("#", ...) == 0 then return false end
  return worded(caught(cpcall(...)))
end

local function handled(handler, ok, ...)
  if ok then return true, ... end
  local e = ...
  local fine, value = caught(cpcall(handler, e))
  return false, value
end

-- The handler runs after unwinding, not at the point of the error, where nothing could stop it.
function base.xpcall(f, handler)
  return handled(handler, caught(cpcall(f)))
end

function base.setmetatable(t, meta, ...)
  if type(t) ~= "table" then argument(1, "setmetatable", "table", t, 1) end
  if meta ~= nil and type(meta) ~= "table" then
    misused("bad argument #2 to 'setmetatable' (nil or table expected)")
  end
  if contents_of[t] then error(LOCKED, 0) end
  return setmetatable(t, meta)
end

function base.getmetatable(...)
  local t = ...
  if select("#", ...) == 0 then misused("bad argument #1 to 'getmetatable' (value expected)") end
  return getmetatable(t) or nil
end

function base.rawset(t, k, v)
  if type(t) ~= "table" then argument(1, "rawset", "table", t, 1) end
  if contents_of[t] then error(LOCKED, 0) end
  return rawset(t, k, v)
end

function base.rawget(t, k)
  if type(t) ~= "table" then argument(1, "rawget", "table", t, 1) end
  return rawget(contents_of[t] or t, k)
end

function base.next(...)
  local t, k = ...
  if type(t) ~= "table" then argument(1, "next", "table", t, select("#", ...)) end
  return next(contents_of[t] or t, k)
end

function base.pairs(...)
  local t = ...
  if type(t) ~= "table" then argument(1, "pairs", "table", t, select("#", ...)) end
  if contents_of[t] then return base.next, t, nil end
  return next, t, nil
end

function base.loadstring(...)
  local text, name = ...
  if type(text) == "number" then text = tostring(text) end
  if type(text) ~= "string" then argument(1, "loadstring", "string", text, select("#", ...)) end
  if type(name) == "number" then name = tostring(name) end
  if name ~= nil and type(name) ~= "string" then
    misused("bad argument #2 to 'loadstring' (string expected, got " .. type(name) .. ")")
  end
  local f, reason = translate(text, name or text)
  if not f then return nil, reason end
  return setfenv(f, base.scope)
end

function base.load(reader, name)
  if type(reader) ~= "function" then argument(1, "load", "function", reader, 1) end
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == "" then break end
    if type(piece) ~= "string" then return nil, "reader function must return a string" end
    pieces[#pieces + 1] = piece
  end
  return base.loadstring(concat(pieces), name or "=(load)")
end

-- The C function counts with ints, and checks too late whether it has counted past their end.
function base.unpack(...)
  local t, from, to = ...
  if type(t) ~= "table" then argument(1, "unpack", "table", t, select("#", ...)) end
  if from ~= nil or to ~= nil then
    from, to = tonumber(from or 1), tonumber(to or #t)
    if from and to and not (to - from < 1e6 and from > -2 ^ 31 and to < 2 ^ 31 - 1) then
      misused("too many results to unpack")
    end
  end
  return unpack(...)
end

local OPTIONS = { collect = 1, count = 1, step = 1, stop = 0, restart = 0, setpause = 200, setstepmul = 200 }

function base.collectgarbage(option)
  option = option or "collect"
  local known = OPTIONS[option]
  if not known then
    misused("bad argument #1 to 'collectgarbage' (invalid option '" .. tostring(option) .. "')")
  end
  if known ~= 1 then return known end
  return collectgarbage(option)
end

-- Lua never forgets the hook of a thread. The list is emptied when it has grown, and that of living ones set again.
local threads, made = setmetatable({}, { __mode = "k" }), 0
local hooks, main

local function hooked(thread)
  sethook(thread, hook, "", every)
  threads[thread] = true
  made = made + 1
  if made < 1000 then return end
  made = 0
  for key in next, hooks do
    if key ~= main then hooks[key] = nil end
  end
  for living in next, threads do sethook(living, hook, "", every) end
end

function base.create(f)
  if type(f) ~= "function" then misused("bad argument #1 to 'create' (Lua function expected)") end
  local thread = create(f)
  hooked(thread)
  return thread
end

function base.wrap(f)
  if type(f) ~= "function" then misused("bad argument #1 to 'wrap' (Lua function expected)") end
  return wrap(function(...)
    hooked(current())
    return f(...)
  end)
end

function base.resume(...)
  return caught(resume(...))
end

local function guarded(fn)
  return function(t, ...)
    if contents_of[t] then error(LOCKED, 0) end
    return fn(t, ...)
  end
end

-- What scripts see.

local function pick(from, names)
  local chosen = {}
  for name in names:gmatch("%S+") do chosen[name] = from[name] end
  return chosen
end

local strings = pick(string, "byte char format len lower reverse sub upper")

-- What matches patterns recurses in C as deep as the pattern is long; what repeats strings cannot be stopped.
-- Each is made from text, so that an error about its arguments calls it by its name.
local GUARD = "local %s, most, type, error = ... return function(...) local _, pattern = ..."
  .. " if type(pattern) == 'string' and #pattern > most then error('pattern too complex', 2) end return %s(...) end"
for _, name in next, { "find", "match", "gmatch", "gfind", "gsub" } do
  local make = loadstring(format(GUARD, name, name), "=redtool")
  strings[name] = make(string[name], MAX_PATTERN, type, error)
end

local rep = string.rep
function strings.rep(...)
  local text, n = ...
  if type(text) == "string" and type(n) == "number" then
    if text == "" then return "" end
    if #text * n > soft * 1024 then error(NO_MEMORY, 2) end
  end
  return rep(...)
end

local tables = pick(table, "concat foreach foreachi getn maxn")
for _, name in next, { "insert", "remove", "setn", "sort" } do tables[name] = guarded(table[name]) end
local maths = pick(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min "
  .. "mod modf pi pow rad sin sinh sqrt tan tanh")
maths.random, maths.randomseed = api.math.random, api.math.randomseed
api.cjson.null = null

-- Another instance of cjson: functions of Lua that tell the one behind them all which settings are meant.
local new, of = api.cjson.new, api.cjson.of
api.cjson.of = nil
function api.cjson.new()
  local number, instance = new(), {}
  for name, fn in next, api.cjson do
    instance[name] = type(fn) == "function" and name ~= "new" and function(...) return of(number, name, ...) end or fn
  end
  return instance
end
local threads = pick(coroutine, "running status yield")
threads.create, threads.wrap, threads.resume = base.create, base.wrap, base.resume

local shared = pick(_G, "_VERSION assert error gcinfo ipairs rawequal select tonumber tostring type")
for name in ("collectgarbage getmetatable load loadstring next pairs pcall rawget rawset setmetatable unpack xpcall"):gmatch("%S+") do
  shared[name] = base[name]
end
shared.string, shared.table, shared.math = locked(strings), locked(tables), locked(maths)
shared.os, shared.coroutine = locked({ clock = os.clock }), locked(threads)
shared.cjson, shared.cmsgpack = locked(api.cjson), locked(api.cmsgpack)
shared.struct, shared.bit = locked(api.struct), locked(api.bit)

local function scope(contents)
  setmetatable(contents, { __index = missing })
  local proxy = locked(contents, locked({ __index = missing }))
  contents._G = proxy
  return proxy
end

local function merged(...)
  local all = {}
  for i = 1, select("#", ...) do
    for k, v in next, (select(i, ...)) do all[k] = v end
  end
  return all
end

local evals = merged(shared)
evals.redis = locked(merged(api.redis, api.only_eval))
evals.server = evals.redis
local eval_scope = scope(evals)

local calls = merged(shared)
calls.redis = locked(api.redis)
calls.server = calls.redis
local call_scope = scope(calls)

-- While a library is loaded there is nothing but redis.register_function, redis.log and their like.
local loading = locked(setmetatable(api.load, { __index = missing }))
local load_contents = setmetatable({ redis = loading, server = loading }, { __index = missing })
local library_meta = { __index = load_contents, __newindex = refuse, __metatable = locked({ __index = missing }) }
local library_scope = setmetatable({}, library_meta)
contents_of[library_scope] = calls

local string_meta = getmetatable("")
string_meta.__index = strings
string_meta.__metatable = locked({ __index = shared.string })

base.scope = eval_scope

-- Compiling and running.

local function compile(code, name, library)
  local f, reason = translate(code, name)
  if not f then return nil, reason end
  return setfenv(f, library and library_scope or eval_scope)
end

local running  -- the function that is run, for the line of an error whose frame is gone

local function place()
  -- Where the script was when something went wrong, from inside the error handler.
  local level, lost, info = 3, false, nil
  while true do
    info = getinfo(level, "Sl")
    if not info then break end
    if info.what == "tail" then
      lost = true
    elseif info.what ~= "C" and info.source ~= SOURCE and info.source ~= "=host" then
      return info.source, info.currentline
    end
    level = level + 1
  end
  if lost and running then
    info = getinfo(running, "SL")
    local last = info.linedefined
    for line in next, info.activelines do if line > last then last = line end end
    return info.source, last
  end
end

local function handler(e)
  if killed and e ~= killed then e = killed end
  if type(e) == "userdata" and e ~= null then
    local fine, clean = cpcall(explained, e)
    e = clean
  end
  local text
  if type(e) ~= "table" then
    text = tostring(e)
  elseif contents_of[e] then
    text = "unknown error"
  end
  local source, line = place()
  if text then
    text = gsub(gsub(text, HOST, ""), OURS, function() return sub(source or "?", 2) .. ":" .. (line or 0) .. ": " end)
    e = { err = "ERR " .. text }
  end
  return { e, source, line }
end

local answer, piece = answers(contents_of)

local function failure(e)
  if type(e) ~= "table" then return false, "ERR " .. tostring(e) end
  local object, source, line = e[1], e[2], e[3]
  local text = rawget(object, "err")
  if type(text) ~= "string" then text = "ERR unknown error" end
  return false, text, source, line, rawget(object, "ignore_error_stats_update") and true or false
end

local function ended(ok, ...)
  sethook(hook, "", every)
  running = nil
  evals.KEYS, evals.ARGV = nil, nil
  local stopped = killed
  killed = nil
  if ok and not stopped then return true, ... end
  local e = ...
  if stopped and (ok or type(e) ~= "table") then e = { stopped } end
  return failure(e)
end

local first, second

-- Who calls the script stands in no place: error("…", 2) there gives none.
local enter = loadstring("local fn, a, b, answer = ... return answer(fn(a, b))", "=host")

local function work() return enter(running, first, second, answer) end

local function run(fn, scope, keys, args)
  killed, running, base.scope, first, second = nil, fn, scope, keys, args
  return ended(cxpcall(work, handler))
end

after[run], after[ended] = true, true

local function run_script(fn, count, ...)
  local keys, args = {}, {}
  for i = 1, count do keys[i] = (select(i, ...)) end
  for i = count + 1, select("#", ...) do args[i - count] = (select(i, ...)) end
  evals.KEYS, evals.ARGV = keys, args
  return run(fn, eval_scope)
end

local function run_long(fn, keys, args)
  evals.KEYS, evals.ARGV = keys, args
  return run(fn, eval_scope)
end

local function run_function(fn, keys, args) return run(fn, call_scope, keys, args) end

local function unload(...)
  library_meta.__index = calls
  return ...
end

local function run_library(fn)
  library_meta.__index = load_contents
  return unload(run(fn, library_scope))
end

-- For the error texts of functions written in Python: where the script called one, and by what name.
local function where(level)
  local info = getinfo(level, "Sl")
  if info and info.currentline > 0 then return info.short_src .. ":" .. info.currentline .. ": " end
  return ""
end

local function called(level)
  local info = getinfo(level, "n")
  return info and info.name or "?"
end

-- A function of Lua for Python that cannot raise: false and the text when it fails.
local function safely(fn)
  return function(...)
    local ok, value = cpcall(fn, ...)
    if killed then error(killed, 0) end
    if ok then return true, value end
    if type(value) == "table" then value = value.text end
    return false, value
  end
end

sethook(hook, "", every)
for _, value in next, debug.getregistry() do
  if type(value) == "table" then
    local key, found = next(value)
    if found == hook then hooks, main = value, key end
  end
end
assert(hooks)

return {
  compile = compile, run_script = run_script, run_long = run_long, run_function = run_function,
  run_library = run_library, piece = piece, where = where, called = called, safely = safely, null = null,
  contents_of = contents_of,
}
