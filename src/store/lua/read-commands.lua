-- Delivers new entries of the stream of commands, as XREADGROUP does, without the text of those that are too long.
-- Uses shared/text.lua.
-- KEYS: 1 commands. ARGV: 1 group, 2 consumer, 3 most entries, 4 longest text in bytes, 5 about how many bytes in all.
-- Returns for each entry: id, text (false if there is none, or it is too long), its bytes, how often it was delivered.
local entries = {}
local left = tonumber(ARGV[5])
while #entries < tonumber(ARGV[3]) and left > 0 do
  local reply = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
  if not reply then break end
  local id, fields = unpack(reply[1][2][1])
  local text, bytes = text_of(fields, tonumber(ARGV[4]))
  if text then left = left - bytes end
  entries[#entries + 1] = { id, text, bytes, 1 }
end
return entries
