-- Gives a script's reply to Python flat: kinds and values one after the other.
local type, rawget, next, unpack = type, rawget, next, unpack

return function(contents_of)
  local STRING, NUMBER, TRUE, FALSE, NIL, ERR, OK, DOUBLE, MAP, SET, BIG, VERBATIM, ARRAY = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
  local COUNTED = 14  -- an error that the store has counted
  local MAX_DEPTH = 200  -- Python reads it with recursion

  local function flatten(value, out, n, depth)
    local kind = type(value)
    if kind == "string" then
      out[n + 1], out[n + 2] = STRING, value
      return n + 2
    elseif kind == "number" then
      out[n + 1], out[n + 2] = NUMBER, value
      return n + 2
    elseif kind == "boolean" then
      out[n + 1] = value and TRUE or FALSE
      return n + 1
    elseif kind ~= "table" then
      out[n + 1] = NIL
      return n + 1
    end
    if depth > MAX_DEPTH then
      out[n + 1], out[n + 2] = ERR, "ERR reached lua stack limit"
      return n + 2
    end
    value = contents_of[value] or value
    local field = rawget(value, "err")
    if type(field) == "string" then
      out[n + 1], out[n + 2] = ERR, field
      return n + 2
    end
    field = rawget(value, "ok")
    if type(field) == "string" then
      out[n + 1], out[n + 2] = OK, field
      return n + 2
    end
    field = rawget(value, "double")
    if type(field) == "number" then
      out[n + 1], out[n + 2] = DOUBLE, field
      return n + 2
    end
    field = rawget(value, "map")
    if type(field) == "table" then
      local head, count = n + 1, 0
      out[head], n = MAP, n + 2
      for k, v in next, field do
        n = flatten(k, out, n, depth + 1)
        n = flatten(v, out, n, depth + 1)
        count = count + 1
      end
      out[head + 1] = count
      return n
    end
    field = rawget(value, "set")
    if type(field) == "table" then
      local head, count = n + 1, 0
      out[head], n = SET, n + 2
      for k in next, field do
        n = flatten(k, out, n, depth + 1)
        count = count + 1
      end
      out[head + 1] = count
      return n
    end
    field = rawget(value, "big_number")
    if type(field) == "string" then
      out[n + 1], out[n + 2] = BIG, field
      return n + 2
    end
    field = rawget(value, "verbatim_string")
    if type(field) == "table" then
      local text, format = rawget(field, "string"), rawget(field, "format")
      if type(text) == "string" and type(format) == "string" then
        out[n + 1], out[n + 2], out[n + 3] = VERBATIM, format, text
        return n + 3
      end
    end
    local head, count = n + 1, 0
    out[head], out[head + 1], n = ARRAY, 0, n + 2
    while true do
      local item = rawget(value, count + 1)
      if item == nil then break end
      count = count + 1
      n = flatten(item, out, n, depth + 1)
    end
    out[head + 1] = count
    return n
  end

  local CHUNK = 200

  local function answer(value)
    local kind = type(value)
    if kind == "string" then return STRING, value end
    if kind == "number" then return NUMBER, value end
    if kind == "boolean" then return value and TRUE or FALSE end
    if kind ~= "table" then return NIL end
    if rawget(value, "ignore_error_stats_update") and type(rawget(value, "err")) == "string" then
      return COUNTED, rawget(value, "err")
    end
    local out = {}
    local n = flatten(value, out, 0, 0)
    if n > CHUNK then return 0, n, out end
    return unpack(out, 1, n)
  end

  local function piece(out, from, to) return unpack(out, from, to) end

  return answer, piece
end
