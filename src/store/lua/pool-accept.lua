-- Settles a command about a pool in one step, as accept.lua does for workers: writes the desired record, answers,
-- remembers the request, acknowledges the entry and deletes it. Uses shared/answers.lua.
-- KEYS: 1 leader, 2 request, 3 commands, 4 responses, 5 pool, 6 pools, 7 responses where those of 4 cannot be written,
--       8 ledger and 9 bytes of remembered answers
-- ARGV: 1 epoch, 2 group, 3 entry id, 4 operation (apply, delete), 5 answers as a JSON map outcome -> text,
--       6 request ttl in ms, 7 longest responses, 8 reply ttl in ms (0: none), 9 name, 10 spec, 11 created_at,
--       12 created_at in ms, 13 request id, 14 budget of remembered answers in bytes,
--       15 fingerprint of the command ('' for none)
-- Returns: outcome (fenced, repeated, ok, same, not_found), generation.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return { 'fenced', 0 } end
if not (fits(KEYS[5], 'hash') and fits(KEYS[6], 'zset')) then
  return redis.error_reply('WRONGTYPE a key of pool ' .. ARGV[9] .. ' holds something else')
end
-- What is not pending any more has been settled by this very script, whose reply was lost.
if redis.call('XACK', KEYS[3], ARGV[2], ARGV[3]) == 0 then return { 'repeated', 0 } end
redis.call('XDEL', KEYS[3], ARGV[3])

local function finish(outcome, generation, answer, keep)
  local named = fits(KEYS[4], 'stream')
  redis.call('XADD', named and KEYS[4] or KEYS[7], 'MAXLEN', '~', longest(ARGV[7], answer), '*', 'data', answer)
  if named and ARGV[8] ~= '0' then redis.call('PEXPIRE', KEYS[4], ARGV[8]) end
  if keep then remember(KEYS[2], KEYS[8], KEYS[9], stamped(answer, ARGV[15]), ARGV[6], ARGV[14]) end
  return { outcome, generation }
end

local before = redis.call('GET', KEYS[2])
if before then
  local answer, differs = recall(before, ARGV[15])
  return finish('repeated', 0, differs and with_true(answer, 'differs') or answer, false)
end

local answers = cjson.decode(ARGV[5])
local known = redis.call('HMGET', KEYS[5], 'spec', 'desired', 'generation')
local generation = tonumber(known[3] or '0')
local desired = 'running'
if ARGV[4] == 'delete' then
  if not known[2] then return finish('not_found', 0, answers.not_found, true) end
  desired = 'deleted'
  if known[2] == desired then return finish('same', generation, answers.ok, true) end
else
  if known[2] == desired and known[1] == ARGV[10] then return finish('same', generation, answers.ok, true) end
  if not known[1] then
    redis.call('PERSIST', KEYS[5])
    redis.call('HSET', KEYS[5], 'created_at', ARGV[11], 'request_id', ARGV[13])
    redis.call('ZADD', KEYS[6], ARGV[12], ARGV[9])
  end
  redis.call('HSET', KEYS[5], 'spec', ARGV[10])
end
redis.call('HSET', KEYS[5], 'desired', desired, 'generation', generation + 1)
return finish('ok', generation + 1, answers.ok, true)
