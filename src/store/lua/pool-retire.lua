-- Asks for the end of a worker of a pool, if it still is the pool's: one that was taken over is not.
-- KEYS: 1 leader, 2 members, 3 worker, 4 index, 5 revision, 6 events of the worker
-- ARGV: 1 epoch, 2 worker id, 3 event, 4 longest events
-- Returns: fenced, gone, same or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 'gone' end
local known = redis.call('HMGET', KEYS[3], 'spec', 'desired', 'generation')
if not known[1] then return 'gone' end
if known[2] == 'deleted' then return 'same' end
local generation = tonumber(known[3] or '0') + 1
redis.call('HSET', KEYS[3], 'desired', 'deleted', 'generation', generation)
local status = redis.call('HGET', KEYS[4], ARGV[2])
redis.call('HSET', KEYS[4], ARGV[2], generation .. '.' .. (status and string.match(status, '%.(%d+)$') or '0'))
redis.call('INCR', KEYS[5])
redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[4], '*', 'data', ARGV[3])
return 'ok'
