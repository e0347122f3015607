-- Adds a message to the input of a worker, once per request.
-- KEYS: 1 desired, 2 input, 3 the request, of this worker
-- ARGV: 1 message, 2 digest of it if the request is remembered ('' if not), 3 ttl of that in ms, 4 most entries of the input
-- Returns: gone, full, sent, repeated or differs (the same request with another message); the id of the entry.
local there = redis.call('HMGET', KEYS[1], 'spec', 'desired')
if not there[1] or there[2] == 'deleted' then return { 'gone', '' } end
if ARGV[2] ~= '' then
  local id, digest = string.match(redis.call('GET', KEYS[3]) or '', '^(%S+) ?(%x*)$')
  if id then return { (digest == '' or digest == ARGV[2]) and 'repeated' or 'differs', id } end
end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[4]) then return { 'full', '' } end
local id = redis.call('XADD', KEYS[2], '*', 'data', ARGV[1])
if ARGV[2] ~= '' then redis.call('SET', KEYS[3], id .. ' ' .. ARGV[2], 'PX', ARGV[3]) end
return { 'sent', id }
