-- Notes a use of an image and, with a holder, holds it against its removal. A use counts also while it is being
-- removed: the record is gone when that ends, or it was not removed and the use is true.
-- KEYS: 1 image, 2 holds. ARGV: 1 holder ('' for none), 2 ttl of the hold in ms, 3 used_at, 4 ttl of the record in ms
-- Returns: removing or held.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' and tonumber(redis.call('HGET', KEYS[1], 'removing_until') or '0') > now then return 'removing' end
redis.call('HSETNX', KEYS[1], 'created_at', ARGV[3])
-- Instants of one spelling: as text they are in the order of time.
if (redis.call('HGET', KEYS[1], 'last_used_at') or '') < ARGV[3] then
  redis.call('HSET', KEYS[1], 'last_used_at', ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
  local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', last[2]))
end
return 'held'
