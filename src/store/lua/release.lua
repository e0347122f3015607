-- Gives the lease back, so that a successor need not wait for its end, and announces that to those who stand by.
-- KEYS: leader. ARGV: owner and epoch as stored, channel.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
-- A user of Redis without the right to the channel releases it anyway.
redis.pcall('PUBLISH', ARGV[2], '')
return 1
