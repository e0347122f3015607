-- Takes the leader lease if it is free. The epoch follows the clock of Redis, so that it rises even after
-- FLUSHALL, and never falls behind itself when that clock is set back. The lease holds owner and epoch in one value:
-- the manager that renews it owns the epoch that fences writes. A value that never expires is not a lease, and is replaced.
-- KEYS: leader, epoch. ARGV: owner, ttl in ms. Returns the epoch, or nothing.
if redis.call('PTTL', KEYS[1]) >= 0 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.pcall('GET', KEYS[2])
local epoch = string.format('%.0f', math.max(now, (tonumber(type(last) == 'string' and last or '') or 0) + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. epoch, 'PX', ARGV[2])
return epoch
