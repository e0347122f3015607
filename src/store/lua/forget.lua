-- Deletes a worker whose record is lost and that has no body to restore it from. Its tombstone says so.
-- KEYS: 1 leader, 2 desired, 3 status, 4 index, 5 revision, 6 workers, 7 bodies, 8 events
-- ARGV: 1 epoch, 2 worker id, 3 tombstone ttl in ms, 4 message, 5 event, 6 longest events
-- Returns: fenced, exists or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'exists' end
redis.call('HSET', KEYS[2], 'desired', 'deleted', 'generation', 1)
redis.call('HSET', KEYS[3], 'status', 'FAILED', 'phase', 'deleted', 'reason', 'RecordLost', 'message', ARGV[4],
  'observed_generation', 1)
redis.call('HSETNX', KEYS[3], 'runtime', 'process')
redis.call('HSETNX', KEYS[3], 'incarnation', 0)
redis.call('HSETNX', KEYS[3], 'restarts', 0)
redis.call('HDEL', KEYS[3], 'memo', 'body_id')
redis.call('HDEL', KEYS[4], ARGV[2])
redis.call('ZREM', KEYS[6], ARGV[2])
redis.call('HDEL', KEYS[7], ARGV[2])
redis.call('INCR', KEYS[5])
redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[6], '*', 'data', ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
redis.call('PEXPIRE', KEYS[8], ARGV[3])
return 'ok'
