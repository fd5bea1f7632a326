-- Walks a value and gives it flat: kinds and values, an array or a map with its length first.
local type, next, rawget, floor, contents_of = type, next, rawget, math.floor, ...
local MAX = 16  -- tables within tables; deeper ones are nil

local function is_array(t)
  local count, most = 0, 0
  for k in next, t do
    if type(k) ~= 'number' or k <= 0 or floor(k) ~= k then return false end
    count = count + 1
    if k > most then most = k end
  end
  return count == most, count
end

local function walk(value, out, n, depth)
  local kind = type(value)
  if kind == 'table' and depth == MAX then kind = 'nil' end
  if kind == 'string' then out[n + 1], out[n + 2] = 1, value return n + 2 end
  if kind == 'number' then out[n + 1], out[n + 2] = 2, value return n + 2 end
  if kind == 'boolean' then out[n + 1] = value and 3 or 4 return n + 1 end
  if kind ~= 'table' then out[n + 1] = 5 return n + 1 end
  value = contents_of[value] or value
  local array, count = is_array(value)
  if array then
    out[n + 1], out[n + 2], n = 6, count, n + 2
    for i = 1, count do n = walk(value[i], out, n, depth + 1) end
    return n
  end
  local head, pairs_ = n + 1, 0
  out[head], n = 7, n + 2
  for k, v in next, value do
    n = walk(k, out, n, depth + 1)
    n = walk(v, out, n, depth + 1)
    pairs_ = pairs_ + 1
  end
  out[head + 1] = pairs_
  return n
end

return function(value)
  local out = {}
  out[0] = walk(value, out, 0, 0)
  return out
end
