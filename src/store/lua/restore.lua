-- Writes the record of a worker of which only the body is left, unless there is one. Its status stays valid.
-- Uses shared/names.lua.
-- KEYS: 1 leader, 2 desired, 3 index, 4 workers, 5 revision, 6 names, 7 status
-- ARGV: 1 epoch, 2 worker id, 3 spec, 4 created_at, 5 created_at in ms, 6 request id, 7 workspace ('' for its own)
-- Returns: fenced, exists or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'exists' end
local seen = redis.call('HMGET', KEYS[7], 'observed_generation', 'revision')
local generation = math.max(1, tonumber(seen[1] or '') or 1)
local name = name_in(ARGV[3])
if not (name and holder_of(KEYS[6], name, KEYS[2], ARGV[2])) then take_name(KEYS[6], name, ARGV[2]) end
redis.call('HSET', KEYS[2], 'spec', ARGV[3], 'desired', 'running', 'generation', generation, 'created_at', ARGV[4], 'request_id', ARGV[6])
if ARGV[7] ~= '' then redis.call('HSET', KEYS[2], 'workspace', ARGV[7]) end
redis.call('HSET', KEYS[3], ARGV[2], string.format('%d', generation) .. '.' .. (seen[2] or '0'))
redis.call('ZADD', KEYS[4], 'NX', ARGV[5], ARGV[2])
redis.call('INCR', KEYS[5])
return 'ok'
