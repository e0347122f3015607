-- Writes the record of a worker that a pool is to have, and makes it the pool's.
-- Uses shared/names.lua: a name that holds its worker's id is unique, unless a user chose it on purpose.
-- KEYS: 1 leader, 2 pool, 3 members, 4 worker, 5 index, 6 workers, 7 revision, 8 names
-- ARGV: 1 epoch, 2 generation of the pool decided on, 3 worker id, 4 spec, 5 created_at, 6 created_at in ms,
--       7 request id, 8 membership, 9 '1' if the pool had workers when it was decided on
-- Returns: fenced, conflict, exists or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
-- This very script has done it, and its reply was lost.
if redis.call('EXISTS', KEYS[4]) == 1 then return 'exists' end
local known = redis.call('HMGET', KEYS[2], 'desired', 'generation')
if known[1] ~= 'running' or known[2] ~= ARGV[2] then return 'conflict' end
-- A list of its workers that was lost meanwhile must not begin again with this one alone.
if ARGV[9] == '1' and redis.call('EXISTS', KEYS[3]) == 0 then return 'conflict' end
local name = name_in(ARGV[4])
if not (name and holder_of(KEYS[8], name, KEYS[4], ARGV[3])) then take_name(KEYS[8], name, ARGV[3]) end
redis.call('HSET', KEYS[4], 'spec', ARGV[4], 'desired', 'running', 'generation', 1, 'created_at', ARGV[5], 'request_id', ARGV[7])
redis.call('HSET', KEYS[5], ARGV[3], '1.0')
redis.call('ZADD', KEYS[6], ARGV[6], ARGV[3])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[8])
redis.call('INCR', KEYS[7])
return 'ok'
