-- Stores what was decided of a worker, if the decision still stands on what is there.
-- KEYS: 1 leader, 2 desired, 3 status, 4 index, 5 revision, 6 events, 7 events of all workers, 8 webhooks
-- ARGV: 1 epoch, 2 generation decided on, 3 status revision decided on, 4 worker id, 5 event ('' for none),
--       6 longest events, 7 longest events of all, 8 number of webhooks, then their ids and texts, then the fields and
--       values of the status
-- Returns: fenced, gone, conflict or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
-- A tombstone has a generation and no spec.
if redis.call('HEXISTS', KEYS[2], 'spec') == 0 then return 'gone' end
local generation = redis.call('HGET', KEYS[2], 'generation')
if generation ~= ARGV[2] then return 'conflict' end
if (redis.call('HGET', KEYS[3], 'revision') or '0') ~= ARGV[3] then return 'conflict' end
local from = 9 + 2 * tonumber(ARGV[8])
local revision = string.format('%d', tonumber(ARGV[3]) + 1)
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[3], 'revision', revision, 'epoch', ARGV[1], unpack(ARGV, from))
redis.call('HSET', KEYS[4], ARGV[4], generation .. '.' .. revision)
redis.call('INCR', KEYS[5])
if ARGV[5] ~= '' then
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[6], '*', 'data', ARGV[5])
  local named = '{"worker_id":"' .. ARGV[4] .. '",' .. string.sub(ARGV[5], 2)
  -- It is a copy for readers: what else stands there fails no decision.
  redis.pcall('XADD', KEYS[7], 'MAXLEN', '~', ARGV[7], '*', 'data', named)
end
-- In the same step, so that a change that is recorded is reported, even if the manager ends here.
if from > 9 then redis.pcall('HSET', KEYS[8], unpack(ARGV, 9, from - 1)) end
return 'ok'
