-- Claims an image for its removal, unless it is held, being removed, or was used since it was observed.
-- KEYS: 1 image, 2 holds. ARGV: 1 who removes, 2 ttl of the claim in ms, 3 last_used_at that was decided on
-- Returns: held, removing, used or claimed.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) > 0 then return 'held' end
local removing = redis.call('HMGET', KEYS[1], 'removing_until', 'removing_by', 'last_used_at')
if tonumber(removing[1] or '0') > now and removing[2] ~= ARGV[1] then return 'removing' end
if (removing[3] or '') ~= ARGV[3] then return 'used' end
redis.call('HSET', KEYS[1], 'removing_until', string.format('%.0f', now + ARGV[2]), 'removing_by', ARGV[1])
return 'claimed'
