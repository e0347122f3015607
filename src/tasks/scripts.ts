/**
 * Operations that BullMQ has no command for, as Lua scripts beside its own. Each one is atomic.
 *
 * They read and write BullMQ's keys as its 6.7 does (`wait`, `prioritized`, `delayed`, `active`, `failed`, `stalled`, `marker`,
 * `pc`, and hashes with `data`, `opts`, `timestamp`, `processedOn`, `finishedOn`, `returnvalue`, `failedReason`, `atm`, `ats`,
 * `stc`, `pb`, `defa`). So BullMQ is pinned to one version, and `test/tasks/layout.real.test.ts` fails if its keys change.
 */

/**
 * Adds a task unless it exists already or the queue is full. BullMQ's own add has no limit, and two steps
 * would race.
 */
const submit = `
local job, prioritized, wait, delayed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, data, opts, now, rank, losses, size, pool = unpack(ARGV)
if redis.call('EXISTS', job) == 1 then return {'known', 0} end
local ahead = redis.call('LLEN', wait)
local waiting = ahead + redis.call('ZCARD', prioritized) + redis.call('ZCARD', delayed)
if tonumber(size) >= 0 and waiting >= tonumber(size) then
  local since = tonumber(now) - 10000
  return {'full', waiting, redis.call('ZCOUNT', KEYS[9], since, '+inf') + redis.call('ZCOUNT', KEYS[10], since, '+inf')}
end
redis.call('HSET', job, 'name', 'task', 'data', data, 'opts', opts, 'timestamp', now, 'delay', 0,
  'priority', rank, 'stc', losses)
local turn = redis.call('INCR', KEYS[6])
redis.call('ZADD', prioritized, tonumber(rank) * 0x100000000 + turn % 0x100000000, id)
redis.call('ZADD', KEYS[5], 0, '0')
redis.call('HSETNX', KEYS[7], 'opts.maxLenEvents', 0)
redis.call('SADD', KEYS[8], pool)
return {'queued', ahead + redis.call('ZRANK', prioritized, id) + 1}
`;

/**
 * A task as stored, without its payload. Its state follows from the list that it is in, since the hash keeps traces
 * of old attempts.
 */
const view = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return nil end
local fields = redis.call('HMGET', KEYS[1], 'timestamp', 'processedOn', 'finishedOn', 'returnvalue', 'failedReason',
  'opts', 'priority', 'ats', 'progress', 'pb', 'defa')
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
return {state, tostring(rank), unpack(fields, 1, 11)}
`;

/**
 * Ends a waiting task, or notifies the worker of a running one. The mark is BullMQ's deferred failure: the
 * worker that takes the task next ends it.
 */
const cancel = `
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

/** Moves the task of any class that has waited longest to the front; small scores still encode its class. */
const longest = `
local found, oldest
for class = 1, 4 do
  local head = redis.call('ZRANGEBYSCORE', KEYS[1], class * 0x100000000, '(' .. string.format('%.0f', (class + 1) * 0x100000000),
    'WITHSCORES', 'LIMIT', 0, 1)
  if head[1] then
    local turn = tonumber(head[2]) - class * 0x100000000
    if not oldest or turn < oldest then found, oldest = {class, head[1]}, turn end
  end
end
if found then redis.call('ZADD', KEYS[1], 'XX', found[1], found[2]) end
return 0
`;

/**
 * Renews all locks of a worker, with ID, token and attempt of each task. Returns for each: 0 held, 1 lost, 2
 * held and cancelled. A lock that expired while Redis or the worker was away is taken again if no other
 * attempt has started.
 */
const renew = `
redis.call('SADD', KEYS[2], ARGV[3])
local marks = {}
for i = 4, #ARGV, 3 do
  local id, token, attempt = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local job = ARGV[1] .. id
  local owner = redis.pcall('GET', job .. ':lock')
  if redis.call('TYPE', job).ok == 'hash' and (owner == token or (not owner and redis.call('HGET', job, 'ats') == attempt
      and redis.call('HEXISTS', job, 'finishedOn') == 0 and redis.call('LPOS', KEYS[3], id))) then
    redis.call('SET', job .. ':lock', token, 'PX', ARGV[2])
    redis.call('SREM', KEYS[1], id)
    marks[#marks + 1] = redis.call('HEXISTS', job, 'defa') == 1 and 2 or 0
  else
    marks[#marks + 1] = 1
  end
end
return marks
`;

/** Stores the progress of an attempt while it holds the task. */
const progress = `
if redis.call('GET', KEYS[1] .. ':lock') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'progress', ARGV[2])
return 1
`;

/**
 * Removes the counted start of a task that is about to be returned, or to fail, without being started.
 * Idempotent, and executed before the task moves, because the next worker gets its attempt number when it
 * takes the task. Returns 1 if the start is no longer counted.
 */
const uncount = `
if redis.call('GET', KEYS[1] .. ':lock') ~= ARGV[1] then return 0 end
local before = tonumber(ARGV[2]) - 1
local starts = tonumber(redis.call('HGET', KEYS[1], 'ats') or 0)
if starts == before + 1 then redis.call('HINCRBY', KEYS[1], 'ats', -1) end
return (starts == before or starts == before + 1) and 1 or 0
`;

/** Deletes the locks of a dead worker, so that the following check finds its tasks stalled. */
const release = `
local base, worker, incarnation = ARGV[1], ARGV[2] .. '/', tonumber(ARGV[3])
local held = 0
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local token = redis.pcall('GET', base .. id .. ':lock')
  if type(token) == 'string' and string.sub(token, 1, #worker) == worker then
    local of = tonumber(string.match(token, '/(%d+)/%d+$'))
    if incarnation < 0 or (of and of <= incarnation) then
      redis.call('DEL', base .. id .. ':lock')
      redis.call('SADD', KEYS[2], id)
      held = held + 1
    end
  end
end
if held > 0 then redis.call('DEL', KEYS[3]) end
return held
`;

/** Fails an unreadable task while this worker holds it. BullMQ's own step would read the invalid fields. */
const aside = `
local job, id, token = KEYS[1], ARGV[1], ARGV[2]
if redis.call('GET', job .. ':lock') ~= token then return 0 end
redis.call('DEL', job .. ':lock')
redis.call('LREM', KEYS[2], 0, id)
redis.call('SREM', KEYS[3], id)
redis.call('HDEL', job, 'parent', 'parentKey', 'deid', 'rjk', 'defa')
redis.call('HSET', job, 'failedReason', ARGV[4], 'finishedOn', ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[3], id)
return 1
`;

/**
 * Removes jobs that make BullMQ's scripts fail and would block the queue for all workers: IDs of keys that
 * are not hashes, and counters that are not numbers. Checks tasks that are active or about to be due. Returns
 * the removed IDs.
 */
const mend = `
local base, now, reason = ARGV[1], ARGV[2], ARGV[3]
local put = {}
if ARGV[4] == '0' and redis.call('EXISTS', KEYS[5]) == 1 then return put end
local function look(id, list)
  local job = base .. id
  local kind = redis.call('TYPE', job).ok
  local sound = kind == 'hash' or kind == 'none'
  if kind == 'hash' then
    for _, count in ipairs(redis.call('HMGET', job, 'ats', 'atm', 'stc')) do
      if count and not string.match(count, '^%d%d?%d?%d?%d?%d?%d?%d?%d?$') then sound = false end
    end
  end
  if sound then return end
  if list then redis.call('LREM', list, 0, id) else redis.call('ZREM', KEYS[2], id) end
  redis.call('SREM', KEYS[3], id)
  redis.call('DEL', job .. ':lock')
  if kind == 'hash' then
    redis.call('HSET', job, 'ats', 0, 'atm', 0, 'stc', 0, 'failedReason', reason, 'finishedOn', now)
    redis.call('ZADD', KEYS[4], now, id)
  end
  put[#put + 1] = id
end
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do look(id, KEYS[1]) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, 999)) do look(id, nil) end
return put
`;

/** Returns the pools that have a task with this ID. */
const whose = `
local found = {}
for _, pool in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. ':' .. pool .. ':' .. ARGV[2]) == 1 then found[#found + 1] = pool end
end
return found
`;

/** The scripts for ioredis, with the number of keys of each. */
export const SCRIPTS = {
  taskSubmit: { lua: submit, numberOfKeys: 10 },
  taskView: { lua: view, numberOfKeys: 5, readOnly: true },
  taskCancel: { lua: cancel, numberOfKeys: 6 },
  taskLongest: { lua: longest, numberOfKeys: 1 },
  taskRenew: { lua: renew, numberOfKeys: 3 },
  taskProgress: { lua: progress, numberOfKeys: 1 },
  taskUncount: { lua: uncount, numberOfKeys: 1 },
  taskRelease: { lua: release, numberOfKeys: 3 },
  taskAside: { lua: aside, numberOfKeys: 4 },
  taskMend: { lua: mend, numberOfKeys: 5 },
  taskWhose: { lua: whose, numberOfKeys: 1, readOnly: true },
} as const;
export type ScriptName = keyof typeof SCRIPTS;
