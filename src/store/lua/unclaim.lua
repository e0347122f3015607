-- Ends a removal, if it is still the caller's: with the image gone, its record goes too.
-- KEYS: 1 image. ARGV: 1 who removes, 2 '1' where the image is gone
if redis.call('HGET', KEYS[1], 'removing_by') ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then return redis.call('DEL', KEYS[1]) end
return redis.call('HDEL', KEYS[1], 'removing_until', 'removing_by')
