/** The scripts of workers that take and end tasks. `scripts.ts` has their rules and names. */

/** Moves the task of any class that has waited longest to the front; small scores still encode its class. */
export const longestLua = `
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
export const renewLua = `
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
export const progressLua = `
if redis.call('GET', KEYS[1] .. ':lock') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'progress', ARGV[2])
return 1
`;

/**
 * Removes the counted start of a task that is about to be returned, or to fail, without being started.
 * Idempotent, and executed before the task moves, because the next worker gets its attempt number when it
 * takes the task. Returns 1 if the start is no longer counted.
 */
export const uncountLua = `
if redis.call('GET', KEYS[1] .. ':lock') ~= ARGV[1] then return 0 end
local before = tonumber(ARGV[2]) - 1
local starts = tonumber(redis.call('HGET', KEYS[1], 'ats') or 0)
if starts == before + 1 then redis.call('HINCRBY', KEYS[1], 'ats', -1) end
return (starts == before or starts == before + 1) and 1 or 0
`;

/** Deletes the locks of a dead worker, so that the following check finds its tasks stalled. */
export const releaseLua = `
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
export const asideLua = `
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
export const mendLua = `
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
