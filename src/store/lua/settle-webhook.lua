-- Ends a delivery, or stores its next attempt, if it is still pending: another manager may have ended it.
-- KEYS: 1 webhooks, 2 deliveries that have ended
-- ARGV: 1 delivery, 2 its next text ('' if it has ended), 3 what is kept of it ('' for nothing), 4 longest list of these
-- Returns 1 if it was pending.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
if ARGV[3] ~= '' then redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'data', ARGV[3]) end
return 1
