-- Takes the leader lease if nobody holds it. The epoch follows the clock of Redis, so that it rises even after
-- FLUSHALL, and never falls behind itself when that clock is set back.
-- KEYS: leader, epoch. ARGV: owner, ttl in ms. Returns the epoch, or nothing.
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local epoch = string.format('%.0f', math.max(now, last + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. epoch, 'PX', ARGV[2])
return epoch
