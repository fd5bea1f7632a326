-- Writes a value as JSON. An error is a table with its text.
local type, next, rawget, floor, error, contents_of, null =
  type, next, rawget, math.floor, error, ...
local format, gsub, byte, concat, find = string.format, string.gsub, string.byte, table.concat, string.find
local ESCAPES = { ['"'] = '\\"', ['\\'] = '\\\\', ['/'] = '\\/', ['\b'] = '\\b', ['\f'] = '\\f',
  ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t' }

local function escape(char)
  return ESCAPES[char] or format('\\u%04x', byte(char))
end

local function quoted(text)
  if find(text, '[%c%z"\\/\127]') then text = gsub(text, '[%c%z"\\/\127]', escape) end
  return '"' .. text .. '"'
end

local function fail(what, why) error({ text = 'Cannot serialise ' .. what .. ': ' .. why }) end

local function numeral(value, how)
  if value ~= value or value == 1 / 0 or value == -1 / 0 then
    if how.invalid == 'null' then return 'null' end
    if how.invalid ~= true then fail('number', 'must not be NaN or Inf') end
    if value ~= value then return 'nan' end
    return value > 0 and 'inf' or '-inf'
  end
  return format(how.number, value)
end

local function array_length(t, how)
  local most, items = 0, 0
  for k in next, t do
    if type(k) ~= 'number' or k < 1 or floor(k) ~= k then return -1 end
    if k > most then most = k <= 2147483647 and k or -2147483648 end
    items = items + 1
  end
  if how.ratio > 0 and most > items * how.ratio and most > how.safe then
    if not how.convert then fail('table', 'excessively sparse array') end
    return -1
  end
  return most
end

local write

local function write_table(value, how, out, n, depth)
  if depth > how.depth then
    error({ text = 'Cannot serialise, excessive nesting (' .. depth .. ')' })
  end
  value = contents_of[value] or value
  local length = array_length(value, how)
  if length > 0 then
    out[n + 1], n = '[', n + 1
    for i = 1, length do
      if i > 1 then out[n + 1], n = ',', n + 1 end
      n = write(rawget(value, i), how, out, n, depth)
    end
    out[n + 1] = ']'
    return n + 1
  end
  out[n + 1], n = '{', n + 1
  local first = true
  for k, v in next, value do
    if not first then out[n + 1], n = ',', n + 1 end
    first = false
    if type(k) == 'number' then
      out[n + 1] = '"' .. numeral(k, how) .. '":'
    elseif type(k) == 'string' then
      out[n + 1] = quoted(k) .. ':'
    else
      fail(type(k), 'table key must be a number or string')
    end
    n = write(v, how, out, n + 1, depth)
  end
  out[n + 1] = '}'
  return n + 1
end

function write(value, how, out, n, depth)
  local kind = type(value)
  if kind == 'string' then
    out[n + 1] = quoted(value)
  elseif kind == 'number' then
    out[n + 1] = numeral(value, how)
  elseif kind == 'boolean' then
    out[n + 1] = value and 'true' or 'false'
  elseif kind == 'nil' or value == null then
    out[n + 1] = 'null'
  elseif kind == 'table' then
    return write_table(value, how, out, n, depth + 1)
  else
    fail(kind, 'type not supported')
  end
  return n + 1
end

return function(value, depth, convert, ratio, safe, invalid, number)
  local how = { depth = depth, convert = convert, ratio = ratio, safe = safe, invalid = invalid, number = number }
  local out = {}
  write(value, how, out, 0, 0)
  return concat(out)
end
