-- Reads heartbeats, which bodies write: as many bytes as one may have, whatever stands at a key.
-- KEYS: the heartbeats
-- ARGV: 1 the most bytes of one
-- Returns: the text of each, nil where there is none; where it is longer, or no text at all, a text that says so.
local found = {}
for at, key in ipairs(KEYS) do
  local length = redis.pcall('STRLEN', key)
  if type(length) ~= 'number' or length > tonumber(ARGV[1]) then
    found[at] = 'not a text of at most ' .. ARGV[1] .. ' bytes'
  else
    found[at] = length > 0 and redis.call('GET', key)
  end
end
return found
