-- Takes the bodies of another label for ours from now on.
-- KEYS: 1 leader, 2 identity. ARGV: 1 epoch, 2 id decided on, 3 adopted. Returns: fenced, gone or ok.
if string.match(redis.call('GET', KEYS[1]) or '', '%d+$') ~= ARGV[1] then return 'fenced' end
if redis.call('HGET', KEYS[2], 'id') ~= ARGV[2] then return 'gone' end
redis.call('HSET', KEYS[2], 'adopted', ARGV[3])
return 'ok'
