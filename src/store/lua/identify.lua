-- Gives the store an identity, so that an empty one is distinguished from ours.
-- KEYS: 1 leader, 2 identity. ARGV: 1 epoch, 2 id, 3 created_at, 4 adopted. Returns: fenced, exists or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('HEXISTS', KEYS[2], 'id') == 1 then return 'exists' end
redis.call('HSET', KEYS[2], 'id', ARGV[2], 'created_at', ARGV[3], 'adopted', ARGV[4])
return 'ok'
