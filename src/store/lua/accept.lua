-- Settles one command in one step: writes the desired record, answers, remembers the request, acknowledges the entry
-- and deletes it from the stream. A crash before it leaves the command pending; a crash after it leaves nothing to do.
-- Uses shared/answers.lua and shared/names.lua.
-- KEYS: 1 leader, 2 request, 3 commands, 4 responses, 5 desired, 6 index, 7 workers, 8 revision, 9 input, 10 dead,
--       11 responses where those of 4 cannot be written; of a warm worker whose body is to be taken over, or of
--       no worker: 12 bodies, 13 its desired, 14 its status, 15 its input, 16 its heartbeat, 17 its events; 18 status and 19 events of the worker;
--       20 names, 21 ledger and 22 bytes of remembered answers
-- ARGV: 1 epoch, 2 group, 3 entry id ('' for a command that is not on the stream), 4 operation, 5 answers as a JSON map outcome -> text, 6 request ttl in ms,
--       7 longest responses, 8 reply ttl in ms (0: none), 9 worker id, 10 desired state, 11 spec, 12 created_at,
--       13 request id, 14 created_at in ms, 15 prompt entry ('' for none), 16 what is put aside, 17 longest dead stream,
--       18 id of the warm worker ('' for none), 19 its body, 20 what is kept of the takeover, 21 what its wrapper is
--       sent, besides the spec ('' for nothing yet), 22 the end of its history, 23 tombstone ttl in ms, 24 ttl of its streams in ms,
--       25 budget of remembered answers in bytes, 26 fingerprint of the command ('' for none), 27 generation that the worker must have ('' for any),
--       28 its trace ('' for none), 29 the first line of the worker's history, and 30... fields and values of its status, where it is RUNNING by that
-- Returns: outcome (fenced, repeated, ok, same, conflict, name_taken, not_found, stale), generation, 1 where the body was taken over,
-- and the answer to a command that is not on the stream, which is written nowhere else.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return { 'fenced', 0 } end
local operation = ARGV[4]
-- An error stops a script half way: what could be one is found before anything is written.
if operation == 'create' or operation == 'desire' or operation == 'restart' then
  local fit = fits(KEYS[5], 'hash') and fits(KEYS[6], 'hash') and fits(KEYS[7], 'zset') and fits(KEYS[9], 'stream')
    and fits(KEYS[20], 'hash')
  local warm = ARGV[18] == '' or (fits(KEYS[12], 'hash') and fits(KEYS[13], 'hash') and fits(KEYS[14], 'hash')
    and fits(KEYS[15], 'stream') and fits(KEYS[17], 'stream') and fits(KEYS[18], 'hash') and fits(KEYS[19], 'stream'))
  if not (fit and warm) then
    return redis.error_reply('WRONGTYPE a key of worker ' .. ARGV[9] .. ' holds something else')
  end
end
local streamed = ARGV[3] ~= ''
if streamed then
  -- What is not pending any more has been settled by this very script, whose reply was lost.
  if redis.call('XACK', KEYS[3], ARGV[2], ARGV[3]) == 0 then return { 'repeated', 0 } end
  -- A group that is lost and made again repeats nothing, and what was wrongly put into a command does not stay.
  redis.call('XDEL', KEYS[3], ARGV[3])
end

local taken = 0
local function finish(outcome, generation, answer, keep)
  if streamed then
    local named = fits(KEYS[4], 'stream')
    redis.call('XADD', named and KEYS[4] or KEYS[11], 'MAXLEN', '~', longest(ARGV[7], answer), '*', 'data', answer)
    if named and ARGV[8] ~= '0' then redis.call('PEXPIRE', KEYS[4], ARGV[8]) end
  end
  if keep then remember(KEYS[2], KEYS[21], KEYS[22], stamped(answer, ARGV[26]), ARGV[6], ARGV[25]) end
  return { outcome, generation, taken, not streamed and answer }
end

-- The answer to a create, a start, a restart or a stop is as old as its command: the worker may be gone since.
local function dated(before)
  local read, answer = pcall(cjson.decode, before)
  if not read or type(answer) ~= 'table' or not answer.success then return before end
  local dates = { create = true, start = true, restart = true, stop = true }
  if not dates[answer.command] then return before end
  local key = key_of(KEYS[5], ARGV[9], tostring(answer.worker_id))
  local there = redis.call('HMGET', key, 'spec', 'desired')
  if there[1] and there[2] ~= 'deleted' then return before end
  return with_true(before, 'worker_deleted')
end

local known = ARGV[13] ~= ''
if known then
  local before = redis.call('GET', KEYS[2])
  if before then
    local answer, differs = recall(before, ARGV[26])
    return finish('repeated', 0, differs and with_true(answer, 'differs') or dated(answer), false)
  end
end

local answers = cjson.decode(ARGV[5])
-- What was read is asked for again, and a day of it would fill Redis.
local keep = known and operation ~= 'later' and operation ~= 'dead' and operation ~= 'read'
local generation = tonumber(redis.call('HGET', KEYS[5], 'generation') or '0')
local desired = redis.call('HGET', KEYS[5], 'desired')

-- The body of a warm worker passes to the new one, and its own record is deleted as by `purge`: in one step,
-- so that it is never the body of both or of none. Not, where the warm one is not as it was when it was chosen.
local function take()
  if ARGV[18] == '' or redis.call('HEXISTS', KEYS[13], 'spec') == 0 then return 0 end
  if redis.call('HGET', KEYS[13], 'desired') ~= 'running' then return 0 end
  local seen = redis.call('HMGET', KEYS[14], 'phase', 'body_id')
  if seen[1] ~= 'ready' or seen[2] ~= ARGV[19] then return 0 end
  redis.call('HSET', KEYS[12], ARGV[9], ARGV[20])
  -- Its files are in the workspace that the body has.
  redis.call('HSET', KEYS[5], 'workspace', ARGV[18])
  if ARGV[21] ~= '' then
    redis.call('XADD', KEYS[15], '*', 'data', string.sub(ARGV[21], 1, -2) .. ',"spec":' .. ARGV[11] .. '}')
  end
  free_name(KEYS[20], name_in(redis.call('HGET', KEYS[13], 'spec')), ARGV[18])
  redis.call('HSET', KEYS[13], 'desired', 'deleted')
  redis.call('HDEL', KEYS[13], 'spec')
  redis.call('HDEL', KEYS[6], ARGV[18])
  redis.call('ZREM', KEYS[7], ARGV[18])
  redis.call('HSET', KEYS[14], 'status', 'STOPPED', 'phase', 'deleted', 'reason', 'TakenOver', 'message', 'Its body serves worker ' .. ARGV[9] .. '.')
  redis.call('XADD', KEYS[17], '*', 'data', ARGV[22])
  redis.call('PEXPIRE', KEYS[13], ARGV[23])
  redis.call('PEXPIRE', KEYS[14], ARGV[23])
  if ARGV[29] ~= '' then
    redis.call('HSET', KEYS[18], 'revision', '1', 'epoch', ARGV[1], unpack(ARGV, 30))
    redis.call('HSET', KEYS[6], ARGV[9], generation .. '.1')
    redis.call('XADD', KEYS[19], '*', 'data', ARGV[29])
  end
  for at = 15, 17 do redis.call('PEXPIRE', KEYS[at], ARGV[24]) end
  return 1
end

local function write(state)
  generation = generation + 1
  redis.call('HSET', KEYS[5], 'desired', state, 'generation', generation)
  if ARGV[28] ~= '' then redis.call('HSET', KEYS[5], 'traceparent', ARGV[28]) end
  local revision = redis.call('HGET', KEYS[6], ARGV[9])
  local status_revision = revision and string.match(revision, '%.(%d+)$') or '0'
  redis.call('HSET', KEYS[6], ARGV[9], generation .. '.' .. status_revision)
  redis.call('INCR', KEYS[8])
end

if operation == 'dead' then
  redis.call('XADD', KEYS[10], 'MAXLEN', '~', ARGV[17], '*', 'data', ARGV[16])
elseif operation == 'create' then
  if desired then return finish('conflict', generation, answers.conflict, keep) end
  local name = name_in(ARGV[11])
  local holder = name and holder_of(KEYS[20], name, KEYS[5], ARGV[9])
  if holder then return finish('name_taken', 0, (string.gsub(answers.name_taken, '@holder@', holder)), keep) end
  take_name(KEYS[20], name, ARGV[9])
  redis.call('HSET', KEYS[5], 'spec', ARGV[11], 'created_at', ARGV[12], 'request_id', ARGV[13])
  write('running')
  redis.call('ZADD', KEYS[7], ARGV[14], ARGV[9])
  if ARGV[15] ~= '' then redis.call('XADD', KEYS[9], '*', 'data', ARGV[15]) end
  taken = take()
elseif operation == 'desire' or operation == 'restart' then
  if not desired then return finish('not_found', 0, answers.not_found, keep) end
  if ARGV[27] ~= '' and generation ~= tonumber(ARGV[27]) then
    return finish('stale', generation, (string.gsub(answers.stale, '@generation@', generation)), keep)
  end
  if desired == 'deleted' and ARGV[10] ~= 'deleted' then
    return finish('conflict', generation, answers.conflict, keep)
  end
  if desired == ARGV[10] and desired ~= 'running' then return finish('same', generation, answers.ok, keep) end
  if ARGV[10] == 'running' then
    local name = name_in(redis.call('HGET', KEYS[5], 'spec') or '')
    local holder = name and holder_of(KEYS[20], name, KEYS[5], ARGV[9])
    if holder then return finish('name_taken', generation, (string.gsub(answers.name_taken, '@holder@', holder)), keep) end
    take_name(KEYS[20], name, ARGV[9])
  end
  -- Bodies up to the recorded one are replaced, whatever state each is in.
  if operation == 'restart' then
    local incarnation = tonumber(redis.call('HGET', KEYS[18], 'incarnation') or '0') or 0
    redis.call('HSET', KEYS[5], 'min_incarnation', incarnation + 1)
  end
  write(ARGV[10])
end
return finish('ok', generation, answers.ok, keep)
