-- Stores what was decided of a pool, if the decision still stands on what is there, and lets go of members whose
-- records are gone.
-- KEYS: 1 leader, 2 pool, 3 status, 4 events, 5 members
-- ARGV: 1 epoch, 2 generation decided on, 3 status write decided on, 4 event ('' for none), 5 longest events,
--       6 number of members to let go, 7... their ids, then the fields and values of the status
-- Returns: fenced, gone, conflict or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
local known = redis.call('HMGET', KEYS[2], 'spec', 'generation')
if not known[1] then return 'gone' end
if known[2] ~= ARGV[2] then return 'conflict' end
if (redis.call('HGET', KEYS[3], 'write') or '0') ~= ARGV[3] then return 'conflict' end
local from = 7 + tonumber(ARGV[6])
for at = 7, from - 1 do redis.call('HDEL', KEYS[5], ARGV[at]) end
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'write', string.format('%d', tonumber(ARGV[3]) + 1), unpack(ARGV, from))
if ARGV[4] ~= '' then redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', 'data', ARGV[4]) end
return 'ok'
