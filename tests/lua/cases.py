"""Scripts whose replies are compared with those of real servers, but for what ``told_apart`` evens out."""
# ruff: noqa: E501 - a script is one line

from __future__ import annotations

import re

Words = tuple[str | int, ...]

# One script a line; KEYS are k and k2, ARGV v and w. They follow each other on one dataset.
SCRIPTS = r"""
return redis.call('incr')
redis.call('set','a','b') return redis.call('incr','a')
local e=redis.pcall('incr','a') local t={} for k,v in pairs(e) do t[#t+1]=k..'='..tostring(v) end return t
error('x')
error({err='x y'})
error({err='X y', source='s', line='5'})
error()
error(5)
error(nil)
error('x',0)
error('x',2)
return redis.error_reply('abc')
return redis.error_reply('-ABC def')
return redis.error_reply('ABC def')
return redis.error_reply('-abc')
return redis.error_reply('')
return redis.error_reply('-')
return {err='abc def'}
return {err='-abc def'}
return {err=''}
return redis.call()
return redis.call({})
return redis.call('nosuch')
return redis.call('eval','return 1','0')
x=5
return x
return redis.foo
return foo bar
local t={} return t.x.y
return redis.sha1hex()
return redis.sha1hex('a','b')
return redis.status_reply()
return redis.status_reply('x\ny')
return {1,2,{3,nil,4},3.99,-3.99,'x',true,false,{ok='fine'},{double=3.5},{map={a=1}}, {set={a=true}}, {big_number='123'}, {verbatim_string={format='txt',string='hi'}}}
redis.setresp(3) return {1,2,{3,nil,4},3.99,-3.99,'x',true,false,{ok='fine'},{double=3.5},{map={a=1}}, {set={a=true}}, {big_number='123'}, {verbatim_string={format='txt',string='hi'}}}
return cjson.encode({[1e9]=1})
return {1e300,-1e300,1/0,9223372036854775807, -9223372036854775808, 2^53, 2^63}
redis.setresp(4)
redis.setresp()
redis.setresp('x')
redis.setresp('3')
redis.setresp(2.5)
return redis.call('hgetall','a')
return setmetatable(_G,{})
return setmetatable({},5)
return setmetatable(5,{})
rawset(_G,'a',1)
rawset(redis,'a',1)
return getmetatable(_G).__index==nil
getmetatable(_G).__index=nil
return getmetatable(redis)==nil
getmetatable('').__index=nil
getmetatable('').foo=1
table.insert(_G,1)
table.insert(redis,1)
redis.call=nil
cjson.encode=nil
string.foo=1
math.pi=3
_G.foo=1
_G._G=1
return redis.pcall('nosuch')
return redis.pcall()
return redis.pcall({})
local r=redis.error_reply('x') local t={} for k,v in pairs(r) do t[#t+1]=k..'='..tostring(v) end return t
return redis.log(1)
redis.log('a','b')
redis.log(10,'b')
redis.log(-1,'b')
redis.log(redis.LOG_WARNING,'b','c',1)
return redis.acl_check_cmd()
return redis.acl_check_cmd('nosuch')
return redis.acl_check_cmd('get','x')
return redis.set_repl(1)
return redis.set_repl(9)
return redis.set_repl()
return redis.breakpoint()
return redis.replicate_commands()
return redis.debug('x')
return loadstring('return 1 +')
local f,e=loadstring('return 1 +') return e
local f,e=loadstring('return 1 +','@foo') return e
local f,e=load(function() return nil end) return type(f)
return loadstring('return KEYS[1]')()
return loadstring('x=1')()
return coroutine.wrap(function() return redis.call('incr','a') end)()
return table.foreach({'incr'}, function(k,v) return redis.call(v,'a') end)
return redis.call('multi')
return redis.call('set','x')
return redis.call('config','get','x')
return redis.call('script','load','x')
return pcall(function() error({err='x y'}) end)
local ok,e=pcall(function() error({err='x y'}) end) return {type(e), e}
local ok,e=pcall(function() error('zz') end) return {ok and 1 or 0, e}
local ok,e=pcall(function() error({a=1}) end) return {ok and 1 or 0, type(e), e.a}
return xpcall(function() error('zz') end, function(e) return e end)
local ok,e=xpcall(function() error('zz') end, function(e) return e..'!' end) return e
local ok,e=xpcall(function() return redis.call('incr','a') end, function(e) return e.err end) return e
local ok,e=pcall(redis.call,'nosuch') return e
local ok,e=pcall(redis.sha1hex) return {type(e), e}
local ok,e=pcall(redis.call) return {type(e), e}
local ok,e=pcall(rawset,_G,'a',1) return {type(e), tostring(e)}
local ok,e=pcall(function() return nonexist end) return e
local ok,e=pcall(function() x=1 end) return e
local co=coroutine.create(function() return redis.call('incr','a') end) local ok,e=coroutine.resume(co) return {type(e), e.err, e}
return pcall()
return redis.call('ping')
return {redis.call('select',3), redis.call('set','db3','x'), redis.call('dbsize')}
return redis.call('get','db3')
return #redis
return next(redis)==nil
return redis.error_reply(5)
return redis.status_reply(5)
return redis.sha1hex(5)
return redis.sha1hex(5.5)
return redis.sha1hex({})
return {ok=5}
return {err=5}
return {err={}}
return {ok='a',err='b c'}
return function() end
return {function() end,1}
return {double='x'}
return {map=5}
return {map={1,2,3}}
return {set={1,2,3}}
return {big_number=5}
return {big_number='12345678901234567890123'}
return {verbatim_string=5}
return {verbatim_string={string='a'}}
return {verbatim_string={string='a',format='md'}}
return {double=1.5}
return {double=1e100}
return {double=1/0}
return {{1,{2,{3}}},{}}
return {nil,1}
return {1,nil,2}
return cjson.null
return string.format('%s', 1e100)
redis.call('set','n',9007199254740993) return redis.call('get','n')
redis.call('set','n',1/0) return redis.call('get','n')
redis.call('set','n',true)
redis.call('set','n',1e15) return redis.call('get','n')
local function f() error('in f') end f()
local function f() return redis.call('incr','a') end local x = f() return x
local function f() return redis.call('incr','a') end return f()
local t = setmetatable({},{__index=function(t,k) error('idx') end}) return t.x
local t = setmetatable({},{__tostring=function() return 'tt' end}) return tostring(t)
for i=1,3 do redis.call('rpush','l',i) end return redis.call('lrange','l',0,-1)
redis.setresp(3) redis.call('hset','h','a','b') return {redis.call('hgetall','h')}
redis.setresp(3) return redis.call('hgetall','h').map.a
redis.setresp(3) redis.call('sadd','s','a') return redis.call('smembers','s')
redis.setresp(3) return redis.call('smembers','s').set.a
redis.setresp(3) redis.call('zadd','z',1.5,'m') return redis.call('zscore','z','m')
redis.setresp(3) return redis.call('zrange','z',0,-1,'withscores')
redis.setresp(3) return redis.call('zscore','z','m').double
redis.setresp(3) return redis.call('get','nokey')
redis.setresp(3) return redis.call('get','nokey')==nil
redis.setresp(3) return redis.call('sismember','s','a')
return redis.call('hgetall','h')
return redis.call('smembers','s')
return redis.call('zscore','z','m')
return redis.call('get','nokey')
return redis.call('mget','nokey','a')
return redis.call('zrange','z',0,-1,'withscores')
return redis.call('set','x','y','nx','get')
return redis.call('time')[1] == redis.call('time')[1]
return redis.call('exec')
return redis.call('watch','a')
return redis.call('auth','x')
return redis.call('hello','3')
return redis.call('command','count') > 10
return redis.call('dbsize')
return redis.call('object','encoding','a')
return redis.call('object')
return string.rep('x',10,'y')
return ('x'):rep(3)
return string.find('abc','b')
return {string.find('abc','(b)(c)')}
return string.find()
return string.find('a','%')
return ('a'):find('[')
return string.gsub('hello','l','L')
return {string.gsub('hello','l',function(c) return c:upper() end)}
return string.gsub('hello','l',function(c) error('cb') end)
return {string.match('key=val','(%w+)=(%w+)')}
return string.format('%5.2f|%d|%s|%q|%x',1.234,5,'a','b"c',255)
return string.format('%d','x')
return string.byte('abc',1,3)
return {string.byte('abc',1,3)}
return table.concat({1,2,3},',')
local t={3,1,2} table.sort(t) return t
local t={3,1,2} table.sort(t,function(a,b) return a>b end) return t
table.sort({3,1,'x'})
return {unpack({1,2,3})}
return select('#',1,2,3)
return select(2,'a','b')
return tonumber('0x10')
return tonumber('10',2)
return tostring(nil)
return tostring(1.5)
return io
return require
return debug
return print
return dofile
return loadfile
return string.dump
return newproxy
return python
return package
return module
return math.floor(3.7)
return math.random(0)
return math.random(5,1)
return math.random('x')
math.randomseed(5) return {math.random(1000000),math.random(1000000),tostring(math.random()), math.random(5,10)}
math.randomseed(-1) return {math.random(1000000)}
math.randomseed(1.9) return {math.random(1000000)}
return collectgarbage('foo')
return type(collectgarbage('count'))
return _VERSION
return redis.REPL_ALL+redis.LOG_WARNING*10
KEYS[1]='x' return KEYS
KEYS=1
return {#KEYS,#ARGV,KEYS[3]}
local a=1 while a<100000 do a=a+1 end return a
return tostring(1e15)..tostring(123456789012345678)
return 1 == 1.0
return assert(false,'msg')
return assert(nil)
return assert(false,{err='E x'})
return next({})
return pairs(nil)
return pairs()
return ipairs(nil)
return next(5)
for k,v in pairs(5) do end
local t={} t[nil]=1
local t={} t[0/0]=1
return nil .. 'x'
return {} < {}
return #5
return -{}
return ('x')()
goto x
return 'unfinished
return "\0\1\255"
return ARGV[1]..KEYS[1]
return coroutine.yield()
local co=coroutine.create(function(a) local b=coroutine.yield(a+1) return b*2 end) local _,x=coroutine.resume(co,1) local _,y=coroutine.resume(co,10) return {x,y,coroutine.status(co)}
local w=coroutine.wrap(function() error('in co') end) return w()
local w=coroutine.wrap(function() return 1 end) w() return w()
return tostring(coroutine.running())
return coroutine.create(5)
local function f() return pcall(f) end return f()
return string.rep('x',-1)
return ('x'):bad()
return redis.call('get','k','k2')
return redis.call('subscribe','x')
return redis.call('randomkey')~=nil
return redis.call('flushall')
return redis.call('echo',KEYS[1])
return redis.call('Get','k')
return redis.call('lpop','nol')
return redis.call('lpop','nol',2)
return redis.call('xadd','st','1-1','f','v')
return redis.call('xrange','st','-','+')
return redis.call('geoadd','g',13.361389,38.115556,'p')
return redis.call('geopos','g','p')
redis.setresp(3) return redis.call('xinfo','stream','st').map.length
return redis.call('memory','usage','nokey')
""".strip().split("\n")


COMMANDS: list[Words] = [
    ('FUNCTION', 'LIST'),
    ('FUNCTION', 'STATS'),
    ('FUNCTION', 'DUMP'),
    ('FUNCTION', 'LOAD', "#!lua name=l1\nreturn redis.call('x')"),
    ('FUNCTION', 'LOAD', '#!lua name=l2\nreturn KEYS'),
    ('FUNCTION', 'LOAD', '#!lua name=l3\nx=1'),
    ('FUNCTION', 'LOAD', '#!lua name=l4\nfoo bar'),
    ('FUNCTION', 'LOAD', "#!lua name=l5\nredis.register_function('f')"),
    ('FUNCTION', 'LOAD', '#!lua name=l6\nredis.register_function(1,2)'),
    ('FUNCTION', 'LOAD', "#!lua name=l7\nredis.register_function{function_name='g'}"),
    ('FUNCTION', 'LOAD', '#!lua name=l8\nredis.register_function{callback=function() end}'),
    ('FUNCTION', 'LOAD', "#!lua name=l9\nredis.register_function{function_name='g', callback=function() end, flags={'zz'}}"),
    ('FUNCTION', 'LOAD', "#!lua name=l10\nredis.register_function{function_name='g', callback=function() end, zz=1}"),
    ('FUNCTION', 'LOAD', "#!lua name=l11\nredis.register_function{function_name='g', callback=function() end, flags='no-writes'}"),
    ('FUNCTION', 'LOAD', '#!lua name=l12\nredis.register_function()'),
    ('FUNCTION', 'LOAD', "#!lua name=l13\nredis.register_function('a',function() end,1)"),
    ('FUNCTION', 'LOAD', "#!lua name=l14\nerror('x')"),
    ('FUNCTION', 'LOAD', '#!lua name=l15\nreturn redis.foo'),
    ('FUNCTION', 'LOAD', '#!lua name=l16\nlocal t={} return t.x.y'),
    ('FUNCTION', 'LOAD', '#!lua name=l17\nreturn 1'),
    ('FUNCTION', 'LOAD', 'local x'),
    ('FUNCTION', 'LOAD', '#!lua\na'),
    ('FUNCTION', 'LOAD', '#!lua name=l name=m\na'),
    ('FUNCTION', 'LOAD', '#!lua foo=m\na'),
    ('FUNCTION', 'LOAD', '#!lua name=l-x\na'),
    ('FUNCTION', 'LOAD', '#!foo name=l\na'),
    ('FUNCTION', 'LOAD', '#!lua name=l'),
    ('FUNCTION', 'LOAD', ''),
    ('FUNCTION', 'LOAD', '#!'),
    ('FUNCTION', 'LOAD', 'foo', 'bar'),
    ('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('one', function(k,a) return {k,a} end) redis.register_function{function_name='two', callback=function(k,a) return redis.call('set','x','y') end, flags={'no-writes'}, description='hm'} redis.register_function('three', function(k,a) error('boo') end) redis.register_function{function_name='ro', callback=function(k,a) return redis.call('get',k[1]) end, flags={'no-writes','allow-stale'}}"),
    ('FCALL', 'one', 0),
    ('FCALL', 'one', 1, 'a', 'b'),
    ('FCALL', 'one', 2, 'a', 'b', 'c'),
    ('FCALL', 'two', 0),
    ('FCALL', 'three', 0),
    ('FCALL', 'nof', 0),
    ('FCALL_RO', 'one', 0),
    ('FCALL_RO', 'ro', 1, 'a'),
    ('FCALL_RO', 'two', 0),
    ('FCALL', 'one', -1),
    ('FCALL', 'one', 'x'),
    ('FCALL', 'one', 3, 'a'),
    ('FCALL', 'one'),
    ('fcall', 'ONE', 0),
    ('FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('one', function() end)"),
    ('FUNCTION', 'LOAD', "#!lua name=other\nredis.register_function('one', function() end)"),
    ('FUNCTION', 'LOAD', 'REPLACE', "#!lua name=lib\nredis.register_function('one', function() return 'new' end)"),
    ('FCALL', 'one', 0),
    ('FCALL', 'two', 0),
    ('FUNCTION', 'LOAD', 'REPLACE', '#!lua name=lib\nfoo bar'),
    ('FCALL', 'one', 0),
    ('FUNCTION', 'LIST'),
    ('FUNCTION', 'LIST', 'WITHCODE'),
    ('FUNCTION', 'LIST', 'LIBRARYNAME', 'l*'),
    ('FUNCTION', 'LIST', 'LIBRARYNAME', 'x*'),
    ('FUNCTION', 'LIST', 'LIBRARYNAME', 'lib', 'WITHCODE'),
    ('FUNCTION', 'LIST', 'foo'),
    ('FUNCTION', 'LIST', 'LIBRARYNAME'),
    ('FUNCTION', 'LIST', 'WITHCODE', 'WITHCODE'),
    ('FUNCTION', 'STATS'),
    ('FUNCTION', 'DELETE', 'nol'),
    ('FUNCTION', 'DELETE', 'lib'),
    ('FCALL', 'one', 0),
    ('FUNCTION', 'FLUSH', 'x'),
    ('FUNCTION', 'FLUSH', 'SYNC'),
    ('FUNCTION', 'FLUSH', 'ASYNC'),
    ('FUNCTION', 'RESTORE', 'x'),
    ('FUNCTION', 'RESTORE', 'x', 'y'),
    ('FUNCTION', 'KILL'),
    ('SCRIPT', 'KILL'),
    ('FUNCTION', 'NOSUCH'),
    ('SCRIPT', 'NOSUCH'),
    ('FUNCTION',),
    ('SCRIPT',),
    ('SCRIPT', 'EXISTS'),
    ('SCRIPT', 'EXISTS', 'a', 'b'),
    ('SCRIPT', 'FLUSH', 'x'),
    ('SCRIPT', 'LOAD'),
    ('SCRIPT', 'DEBUG', 'x'),
    ('SCRIPT', 'DEBUG', 'no'),
    ('SCRIPT', 'LOAD', 'return 1'),
    ('SCRIPT', 'LOAD', 'foo bar'),
    ('EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 0),
    ('EVALSHA', 'E0E1F9FABFC9D4800C877A703B823AC0578FF8DB', 0),
    ('SCRIPT', 'EXISTS', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'x'),
    ('EVALSHA_RO', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 0),
    ('SCRIPT', 'FLUSH', 'SYNC'),
    ('EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 0),
    ('EVALSHA', 'x', 0),
    ('EVALSHA', 'x', 'y'),
    ('EVAL', 'x'),
    ('EVAL', 'x', 'y'),
    ('EVAL', 'x', -1),
    ('EVAL', 'x', 3, 'a'),
    ('EVAL', 'return 1', '0'),
    ('EVAL_RO', "return redis.call('set','a','b')", 0),
    ('EVAL_RO', "return redis.call('get','a')", 0),
    ('EVAL_RO', "return redis.call('publish','a','b')", 0),
    ('EVAL', '#!lua\nreturn 1', 0),
    ('EVAL', "#!lua flags=no-writes\nreturn redis.call('set','a','b')", 0),
    ('EVAL', '#!lua flags=foo\nreturn 1', 0),
    ('EVAL', '#!lua name=x\nreturn 1', 0),
    ('EVAL', '#!foo\nreturn 1', 0),
    ('EVAL', '#!lua', 0),
    ('EVAL', '#!lua x=y\nreturn 1', 0),
    ('EVAL', "#!lua flags=no-writes,allow-oom,allow-stale,no-cluster,allow-cross-slot-keys\nerror('on line 2')", 0),
    ('EVAL', '#!lua flags=\nreturn 2', 0),
    ('EVAL', '#! lua\nreturn 1', 0),
    ('EVAL_RO', '#!lua\nreturn 1', 0),
    ('EVAL_RO', '#!lua flags=no-writes\nreturn 1', 0),
    ('MULTI',),
    ('EVAL', "return redis.call('incr','cnt')", 0),
    ('EVAL', "return redis.call('incr','a')", 0),
    ('EVAL', 'foo bar', 0),
    ('FCALL', 'nof', 0),
    ('EXEC',),
    ('GET', 'cnt'),
    ('MULTI',),
    ('EVAL', "return redis.call('multi')", 0),
    ('EVAL', 'x'),
    ('EXEC',),
    ('SELECT', 2),
    ('EVAL', "redis.call('select',5) return redis.call('set','in5','x')", 0),
    ('GET', 'in5'),
    ('SELECT', 5),
    ('GET', 'in5'),
    ('SELECT', 0),
    ('WATCH', 'w'),
    ('EVAL', "return redis.call('set','w','1')", 0),
    ('MULTI',),
    ('EXEC',),
    ('FUNCTION', 'LOAD', "#!lua name=late\nredis.register_function('late', function() redis.register_function('q', function() end) end) redis.register_function('env', function() return redis.breakpoint end) redis.register_function('g', function() return KEYS end) redis.register_function('h', function() undefinedx=1 end)\nredis.register_function('i', function() return redis.call('nosuch') end)"),
    ('FCALL', 'late', 0),
    ('FCALL', 'env', 0),
    ('FCALL', 'g', 0),
    ('FCALL', 'h', 0),
    ('FCALL', 'i', 0),
    ('FUNCTION', 'LOAD', "#!lua name=l24\nlocal r=redis redis.register_function('x', function() return r.call('ping') end)"),
    ('FCALL', 'x', 0),
    ('FUNCTION', 'LOAD', "#!lua name=l25\nlocal c=0 redis.register_function('ctr', function() c=c+1 return c end)"),
    ('FCALL', 'ctr', 0),
    ('FCALL', 'ctr', 0),
    ('FUNCTION', 'LOAD', "#!lua name=l26\nredis.register_function('ld', function() return loadstring('return 5')() end)"),
    ('FCALL', 'ld', 0),
    ('FUNCTION', 'LOAD', "#!lua name=l27\nredis.register_function('m3', function() redis.setresp(3) return {map={a=1}} end)"),
    ('FCALL', 'm3', 0),
    ('EVAL', "return redis.call('fcall','ld',0)", 0),
    ('EVAL', "return redis.call('function','list')", 0),
    ('EVAL', "return redis.call('function','help')[1]", 0),
    ('FUNCTION', 'STATS'),
]

# What Valkey 9.1 words differently; redtool speaks as Redis 7 does.
VALKEY = [
    (b"Unknown Redis command called", b"Unknown command called"),
    (b"Wrong number of args calling Redis command from script", b"Wrong number of args calling command from script"),
    (b"This Redis command is", b"This Valkey command is"),
    (b"for this redis lib call", b"for this call"),
    (b"Lua redis lib command arguments", b"Command arguments"),
    (b"Invalid debug level", b"Invalid log level"),
    (b"redis.set_repl() requires two arguments", b"server.set_repl() requires one argument"),
    (b"redis.setresp()", b"server.setresp()"),
    (b"redis.log()", b"server.log()"),
    (b"redis.register_function", b"server.register_function"),
    (b"redis.acl_check_cmd()", b"server.acl_check_cmd()"),
]
PLACE = re.compile(rb" script: \w+, on | script: on ")
LENGTH = re.compile(rb"\$\d+\r\n")


def told_apart(wire: bytes, valkey: bool) -> bytes:
    """A reply without what differs from one version of a server to another: names in texts, and so their lengths."""
    text = PLACE.sub(b" script: on ", wire)
    if valkey:
        for redis, other in VALKEY:
            text = text.replace(other, redis)
        text = LENGTH.sub(b"$\r\n", text)
    return text
