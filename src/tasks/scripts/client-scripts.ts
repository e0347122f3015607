/** The scripts of clients that submit, list, cancel and retry tasks. `scripts.ts` has their rules and names. */

/**
 * Adds a task unless it exists already or the queue is full. BullMQ's own add has no limit, and two steps
 * would race.
 */
export const submitLua = `
local job, prioritized, wait, delayed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, data, opts, now, rank, losses, size, pool, traceparent = unpack(ARGV)
if redis.call('EXISTS', job) == 1 then return {'known', 0} end
local ahead = redis.call('LLEN', wait)
local waiting = ahead + redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed)
if tonumber(size) >= 0 and waiting >= tonumber(size) then
  local since = tonumber(now) - 10000
  return {'full', waiting, redis.call('ZCOUNT', KEYS[9], since, '+inf') + redis.call('ZCOUNT', KEYS[10], since, '+inf')}
end
redis.call('HSET', job, 'name', 'task', 'data', data, 'opts', opts, 'timestamp', now, 'delay', 0,
  'priority', rank, 'stc', losses)
if traceparent ~= '' then redis.call('HSET', job, 'tp', traceparent) end
local turn = redis.call('INCR', KEYS[6])
redis.call('ZADD', prioritized, tonumber(rank) * 0x100000000 + turn % 0x100000000, id)
redis.call('ZADD', KEYS[5], 0, '0')
redis.call('HSETNX', KEYS[7], 'opts.maxLenEvents', 0)
redis.call('SADD', KEYS[8], pool)
return {'queued', ahead + redis.call('ZRANK', prioritized, id) + 1}
`;

/**
 * A task as stored, without its payload. Its state follows from the list that it is in, since the hash keeps traces
 * of old attempts. The result, the error and the progress are left out if they are longer than `most` bytes (-1: never),
 * and named in the last field.
 */
export const viewLua = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return nil end
local most, omitted = tonumber(ARGV[2]), {}
local names = {'timestamp', 'processedOn', 'finishedOn', 'returnvalue', 'failedReason', 'opts', 'priority', 'ats',
  'progress', 'pb', 'defa'}
for place, name in pairs({[4] = 'result', [5] = 'error', [9] = 'progress'}) do
  if most >= 0 and redis.call('HSTRLEN', KEYS[1], names[place]) > most then
    names[place], omitted[#omitted + 1] = '', name
  end
end
local fields = redis.call('HMGET', KEYS[1], unpack(names))
local state, rank = 'running', 0
if fields[3] then state = redis.call('ZSCORE', KEYS[5], ARGV[1]) and 'completed' or 'failed' else
  local at = redis.call('ZSCORE', KEYS[4], ARGV[1])
  if at then state, rank = 'delayed', math.floor(tonumber(at) / 0x1000) else
    local position = redis.call('ZRANK', KEYS[2], ARGV[1])
    if position then
      state, rank = 'queued', position + 1 + redis.call('LLEN', KEYS[3])
    elseif redis.call('EXISTS', KEYS[1] .. ':lock') == 0 and redis.call('LPOS', KEYS[3], ARGV[1]) then
      state, rank = 'queued', 1
    end
  end
end
fields[12] = table.concat(omitted, ' ')
return {state, tostring(rank), unpack(fields, 1, 12)}
`;

/**
 * Ends a waiting task, or notifies the worker of a running one. The mark is BullMQ's deferred failure: the
 * worker that takes the task next ends it.
 */
export const cancelLua = `
local job, id, now, reason = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', job) == 0 then return 'unknown' end
if redis.call('HEXISTS', job, 'finishedOn') == 1 then return 'ended' end
if redis.call('ZREM', KEYS[2], id) + redis.call('ZREM', KEYS[4], id) + redis.call('LREM', KEYS[3], 1, id) > 0 then
  redis.call('HSET', job, 'failedReason', reason, 'finishedOn', now)
  redis.call('HDEL', job, 'defa')
  redis.call('ZADD', KEYS[5], now, id)
  redis.call('HINCRBY', KEYS[6], 'cancelled', 1)
  return 'cancelled'
end
redis.call('HSET', job, 'defa', reason)
redis.call('PUBLISH', ARGV[4], id)
return 'asked'
`;

/**
 * Queues a failed task again, behind the waiting ones of its class, with all its attempts and losses. Its count of starts
 * (`ats`) stays: the token of an old attempt must never fit the next one. The same key twice is one retry.
 */
export const retryLua = `
local job, failed, prioritized, wait, delayed = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, key, size, limit, default = unpack(ARGV)
if redis.call('EXISTS', job) == 0 then return {'unknown', 0} end
if key ~= '' and redis.call('HGET', job, 'rk') == key then return {'queued', 0} end
if not redis.call('ZSCORE', failed, id) then return {'not failed', 0} end
local waiting = redis.call('LLEN', wait) + redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed)
if tonumber(size) >= 0 and waiting >= tonumber(size) then return {'full', waiting} end
local rank = tonumber(redis.call('HGET', job, 'priority'))
if not rank or rank < 1 or rank > 4 then rank = 3 end
-- The last field of the stored task, if it is there.
local losses = string.match(redis.call('HGET', job, 'data') or '', '"max_losses":(%d+)}$') or default
redis.call('ZREM', failed, id)
redis.call('HDEL', job, 'finishedOn', 'processedOn', 'failedReason', 'stacktrace', 'returnvalue', 'progress', 'defa', 'atm')
redis.call('HSET', job, 'stc', limit - losses, 'priority', rank)
if key ~= '' then redis.call('HSET', job, 'rk', key) end
local turn = redis.call('INCR', KEYS[7])
redis.call('ZADD', prioritized, rank * 0x100000000 + turn % 0x100000000, id)
redis.call('ZADD', KEYS[6], 0, '0')
return {'queued', 0}
`;

/** The tasks of a list with the time in that field of each, in milliseconds since 1970; 0 if it has none. */
export const datedLua = `
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, 9999)) do
  local at = redis.pcall('HGET', ARGV[1] .. id, ARGV[2])
  found[#found + 1] = id
  found[#found + 1] = type(at) == 'string' and at or '0'
end
return found
`;

/**
 * When the oldest task that was never started was submitted, in milliseconds since 1970; nil if there is none. Each class
 * is in the order of submission, except for tasks that wait again.
 */
export const oldestLua = `
local oldest
local function look(ids)
  for _, id in ipairs(ids) do
    local at = redis.pcall('HMGET', ARGV[1] .. id, 'timestamp', 'ats')
    local submitted = not at.err and tonumber(at[1])
    if submitted and (tonumber(at[2]) or 0) == 0 then
      if not oldest or submitted < oldest then oldest = submitted end
      return
    end
  end
end
for class = 1, 4 do
  look(redis.call('ZRANGEBYSCORE', KEYS[1], class * 0x100000000,
    '(' .. string.format('%.0f', (class + 1) * 0x100000000), 'LIMIT', 0, 20))
end
look(redis.call('LRANGE', KEYS[2], -20, -1))
return oldest and string.format('%.0f', oldest)
`;

/**
 * Tasks that ended at or after a time, the earliest first: for each its ID, whether it failed, and its `timestamp`,
 * `processedOn`, `finishedOn`, `ats`, `pb` and `tp`.
 */
export const endedLua = `
local found = {}
for kind = 1, 2 do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[kind], ARGV[2], '+inf', 'LIMIT', 0, ARGV[3])) do
    local fields = redis.pcall('HMGET', ARGV[1] .. id, 'timestamp', 'processedOn', 'finishedOn', 'ats', 'pb', 'tp')
    if not fields.err then found[#found + 1] = {id, kind - 1, unpack(fields, 1, 6)} end
  end
end
return found
`;

/** Returns the pools that have a task with this ID. */
export const whoseLua = `
local found = {}
for _, pool in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. ':' .. pool .. ':' .. ARGV[2]) == 1 then found[#found + 1] = pool end
end
return found
`;
