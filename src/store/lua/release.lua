-- Gives the lease back, so that a successor need not wait for its end.
-- KEYS: leader. ARGV: owner and epoch as stored.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
