-- Notifies the wrapper of a warm worker of its claim, once.
-- KEYS: 1 bodies, 2 the warm worker's input, 3 desired
-- ARGV: 1 worker id, 2 the takeover as it was read, 3 as it is afterwards, 4 the fields for the wrapper besides the spec, 5 ttl of the input in ms
-- Returns: 1 if this call notified it, 0 if an earlier one did, or if the claim is another by now.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
local spec = redis.call('HGET', KEYS[3], 'spec')
if not spec then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('XADD', KEYS[2], '*', 'data', string.sub(ARGV[4], 1, -2) .. ',"spec":' .. spec .. '}')
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
