-- Deletes a worker. A tombstone stays for a time, so that deleting it again is a success and its end can be read.
-- Uses shared/names.lua.
-- KEYS: 1 leader, 2 desired, 3 status, 4 index, 5 revision, 6 workers, 7 input, 8 heartbeat, 9 output, 10 events,
-- 11 conversation, 12 bodies, 13 names
-- ARGV: 1 epoch, 2 generation decided on, 3 worker id, 4 tombstone ttl in ms, 5 ttl of streams in ms
-- Returns: fenced, gone, conflict or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('HEXISTS', KEYS[2], 'spec') == 0 then return 'gone' end
local generation = redis.call('HGET', KEYS[2], 'generation')
if generation ~= ARGV[2] then return 'conflict' end
free_name(KEYS[13], name_in(redis.call('HGET', KEYS[2], 'spec')), ARGV[3])
redis.call('HSET', KEYS[2], 'desired', 'deleted')
redis.call('HDEL', KEYS[2], 'spec')
redis.call('HDEL', KEYS[4], ARGV[3])
redis.call('ZREM', KEYS[6], ARGV[3])
redis.call('INCR', KEYS[5])
redis.call('DEL', KEYS[7], KEYS[8], KEYS[11])
redis.call('HDEL', KEYS[12], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
redis.call('PEXPIRE', KEYS[9], ARGV[5])
redis.call('PEXPIRE', KEYS[10], ARGV[5])
return 'ok'
