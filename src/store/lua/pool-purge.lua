-- Deletes a pool that has no workers any more. A tombstone stays for a time, so that deleting it again is a success.
-- KEYS: 1 leader, 2 pool, 3 status, 4 members, 5 events, 6 pools
-- ARGV: 1 epoch, 2 generation decided on, 3 name, 4 tombstone ttl in ms, 5 ttl of the history in ms
-- Returns: fenced, gone, conflict or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
local known = redis.call('HMGET', KEYS[2], 'spec', 'generation')
if not known[1] then return 'gone' end
if known[2] ~= ARGV[2] or redis.call('HLEN', KEYS[4]) > 0 then return 'conflict' end
redis.call('HDEL', KEYS[2], 'spec')
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[6], ARGV[3])
redis.call('PEXPIRE', KEYS[5], ARGV[5])
return 'ok'
