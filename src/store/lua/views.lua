-- Reads fields of many workers with one command: a command for each would cost the manager more than the reads.
-- KEYS: the desired record and the status of each worker, in turns
-- ARGV: 1 how many of the next names are fields of the desired record, 2... these, then the fields of the status
-- Returns: the values of each key, false where there is none or another kind of key.
local names = { {}, {} }
for at = 2, #ARGV do table.insert(names[at - 1 <= tonumber(ARGV[1]) and 1 or 2], ARGV[at]) end
local found = {}
for at, key in ipairs(KEYS) do
  local values = redis.pcall('HMGET', key, unpack(names[at % 2 == 1 and 1 or 2]))
  found[at] = not values.err and values
end
return found
