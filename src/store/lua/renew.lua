-- Keeps the lease. PEXPIRE still works when Redis is full, where SET does not.
-- KEYS: leader. ARGV: owner and epoch as stored, ttl in ms. Returns 1 where it is ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
