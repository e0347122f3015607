-- Writes the record of a worker of which only the body is left, unless there is one.
-- Uses shared/names.lua.
-- KEYS: 1 leader, 2 desired, 3 index, 4 workers, 5 revision, 6 names
-- ARGV: 1 epoch, 2 worker id, 3 spec, 4 created_at, 5 created_at in ms, 6 request id
-- Returns: fenced, exists or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'exists' end
local name = name_in(ARGV[3])
if not (name and holder_of(KEYS[6], name, KEYS[2], ARGV[2])) then take_name(KEYS[6], name, ARGV[2]) end
redis.call('HSET', KEYS[2], 'spec', ARGV[3], 'desired', 'running', 'generation', 1, 'created_at', ARGV[4], 'request_id', ARGV[6])
redis.call('HSET', KEYS[3], ARGV[2], '1.0')
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[2])
redis.call('INCR', KEYS[5])
return 'ok'
