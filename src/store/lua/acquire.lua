-- Takes the leader lease if it is free. The epoch follows the clock of Redis, so that it rises even after
-- FLUSHALL, and never falls behind itself when that clock is set back. The lease holds owner and epoch in one value:
-- the manager that renews it owns the epoch that fences writes. A value that never expires is not a lease, and is replaced.
-- A store whose records have a newer format is left alone; the format only rises.
-- KEYS: leader, epoch, identity. ARGV: owner, ttl in ms, format. Returns the epoch, `newer <format>`, or nothing.
local format = tonumber(redis.call('HGET', KEYS[3], 'format') or '1') or 1
if format > tonumber(ARGV[3]) then return 'newer ' .. string.format('%.0f', format) end
if redis.call('PTTL', KEYS[1]) >= 0 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.pcall('GET', KEYS[2])
local epoch = string.format('%.0f', math.max(now, (tonumber(type(last) == 'string' and last or '') or 0) + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('HSET', KEYS[3], 'format', ARGV[3])
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. epoch, 'PX', ARGV[2])
return epoch
