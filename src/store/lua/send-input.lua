-- Adds a message to the input of a worker, once per request.
-- KEYS: 1 desired, 2 input, 3 the request, of this worker
-- ARGV: 1 message, 2 whether the request is remembered (1), 3 ttl of that in ms, 4 most entries of the input
-- Returns: gone, full, sent or repeated; the id of the entry.
local there = redis.call('HMGET', KEYS[1], 'spec', 'desired')
if not there[1] or there[2] == 'deleted' then return { 'gone', '' } end
if ARGV[2] == '1' then
  local before = redis.call('GET', KEYS[3])
  if before then return { 'repeated', before } end
end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[4]) then return { 'full', '' } end
local id = redis.call('XADD', KEYS[2], '*', 'data', ARGV[1])
if ARGV[2] == '1' then redis.call('SET', KEYS[3], id, 'PX', ARGV[3]) end
return { 'sent', id }
