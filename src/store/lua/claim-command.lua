-- Takes over one entry of the stream of commands that was delivered and not settled, without its text if that is too long.
-- Uses shared/text.lua.
-- KEYS: 1 commands. ARGV: 1 group, 2 consumer, 3 least idle time in ms, 4 where to begin, 5 longest text in bytes.
-- Returns: where to continue ('0-0' at the end), and the entry as read-commands does, if there is one.
local reply = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', 1)
local id, fields = unpack(reply[2][1] or {})
-- An entry that was deleted from the stream is still counted by some versions of Redis, and has no fields.
if not id or not fields then return { reply[1] } end
local text, bytes = text_of(fields, tonumber(ARGV[5]))
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
return { reply[1], { id, text, bytes, pending and pending[4] or 1 } }
