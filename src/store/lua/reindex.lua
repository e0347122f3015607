-- Writes again what is only an index of records that are there: workers, workers:index, workers:names and pools.
-- Uses shared/names.lua.
-- KEYS: 1 leader, 2 index, 3 workers, 4 revision, 5 names, 6 pools
-- ARGV: 1 epoch, 2 beginning of the keys of workers, 3 of those of pools, 4 number of workers,
--       then id and created_at in ms of each worker, and name and created_at in ms of each pool
-- Returns: fenced, or how many entries were missing.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
local written = 0
local last = 4 + 2 * tonumber(ARGV[4])
for at = 5, last, 2 do
  local id = ARGV[at]
  local key = ARGV[2] .. id
  local known = redis.call('HMGET', key, 'spec', 'generation', 'desired')
  if known[1] then
    -- One that has a history has lived, even if its status is lost: a revision above 0 says so.
    local revision = redis.call('HGET', key .. ':status', 'revision') or redis.call('EXISTS', key .. ':events')
    written = written + redis.call('HSETNX', KEYS[2], id, (known[2] or '1') .. '.' .. revision)
    written = written + redis.call('ZADD', KEYS[3], 'NX', ARGV[at + 1], id)
    local name = known[3] ~= 'deleted' and name_in(known[1]) or nil
    local status = redis.call('HGET', key .. ':status', 'status')
    if name and status ~= 'STOPPED' and status ~= 'FAILED' and not holder_of(KEYS[5], name, key, id) then
      take_name(KEYS[5], name, id)
    end
  elseif not known[3] then
    -- Its record is lost, and the next look at everything has to find that out.
    written = written + redis.call('HSETNX', KEYS[2], id, '0.0')
    written = written + redis.call('ZADD', KEYS[3], 'NX', ARGV[at + 1], id)
  else
    redis.call('ZREM', KEYS[3], id)
    redis.call('HDEL', KEYS[2], id)
  end
end
for at = last + 1, #ARGV, 2 do
  if redis.call('HEXISTS', ARGV[3] .. ARGV[at], 'spec') == 1 then
    written = written + redis.call('ZADD', KEYS[6], 'NX', ARGV[at + 1], ARGV[at])
  end
end
-- No worker has this name: it distinguishes a complete hash from one that was lost and started again.
redis.call('HSET', KEYS[5], '', '')
if written > 0 then redis.call('INCR', KEYS[4]) end
return written
