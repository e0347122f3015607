-- How a command is answered, and how its answer is remembered: what accept.lua and pool-accept.lua share.
local function fits(key, kind)
  local type = redis.call('TYPE', key).ok
  return type == 'none' or type == kind
end

-- Entries that a stream of answers may hold: `most`, or as many of this length as fit the budget. At least a few stay.
local ANSWER_BYTES = 33554432
local function longest(most, answer)
  return math.max(8, math.min(tonumber(most), math.floor(ANSWER_BYTES / #answer)))
end

-- Remembered answers end after `ttl` ms, and the oldest earlier, so that all of them stay within `budget` bytes.
-- The ledger has an entry for each, in the order of time; both it and the total only count, and may be lost.
local OVERHEAD = 200
local function remember(request, ledger, total, answer, ttl, budget)
  if not fits(ledger, 'stream') then redis.call('DEL', ledger) end
  if not fits(total, 'string') or not tonumber(redis.call('GET', total) or '0') then redis.call('DEL', total) end
  local now = redis.call('TIME')[1] * 1000
  local size = #answer + 2 * #request + OVERHEAD
  local bytes = redis.call('INCRBY', total, size)
  -- A few at each answer: what has expired is counted off faster than it comes, and no script takes long.
  for _ = 1, 8 do
    local oldest = redis.call('XRANGE', ledger, '-', '+', 'COUNT', 1)[1]
    if not oldest then
      redis.call('SET', total, size)
      break
    end
    local expired = tonumber(string.match(oldest[1], '^%d+')) < now - ttl
    if not expired and bytes <= tonumber(budget) then break end
    if not expired then redis.call('DEL', oldest[2][2]) end
    redis.call('XDEL', ledger, oldest[1])
    bytes = redis.call('DECRBY', total, oldest[2][4])
  end
  redis.call('XADD', ledger, '*', 'request', request, 'bytes', size)
  redis.call('SET', request, answer, 'PX', ttl)
end

-- What is remembered of an answer: the answer, and the fingerprint of its command ('' for none).
local function stamped(answer, fingerprint)
  if fingerprint == '' then return answer end
  return string.sub(answer, 1, -2) .. ',"fingerprint":"' .. fingerprint .. '"}'
end

-- The answer that was remembered, and whether it is that of a command with another fingerprint.
local function recall(before, fingerprint)
  local answer, first = string.match(before, '^(.*),"fingerprint":"(%x+)"}$')
  if not answer then return before, false end
  return answer .. '}', fingerprint ~= '' and first ~= fingerprint
end

-- An answer with one more field.
local function with_true(answer, field) return string.sub(answer, 1, -2) .. ',"' .. field .. '":true}' end
