-- Whose a name is. Names are unique among the living: a worker holds its name until it has ended (STOPPED, FAILED)
-- or its deletion is asked for, and takes it again when it is started. `desired_key` is the key of any worker's
-- record and `id` that worker: the keys of others are made from it.
local function key_of(desired_key, id, other)
  return string.sub(desired_key, 1, #desired_key - #id) .. other
end

-- The id of the living worker that holds the name, if another one does.
local function holder_of(names, name, desired_key, id)
  local holder = redis.call('HGET', names, name)
  if not holder or holder == id then return nil end
  local key = key_of(desired_key, id, holder)
  local known = redis.call('HMGET', key, 'spec', 'desired', 'generation')
  if not known[1] or known[2] == 'deleted' then return nil end
  local seen = redis.call('HMGET', key .. ':status', 'status', 'observed_generation')
  local ended = seen[1] == 'STOPPED' or seen[1] == 'FAILED'
  -- A start that no pass has seen yet makes it one of the living.
  if ended and seen[2] == known[3] then return nil end
  return holder
end

local function name_in(spec)
  local read, found = pcall(cjson.decode, spec)
  local name = read and type(found) == 'table' and found.name
  return type(name) == 'string' and name or nil
end

-- Takes the name for a worker whose record has just been written; no other has it.
local function take_name(names, name, id)
  if name then redis.call('HSET', names, name, id) end
end

local function free_name(names, name, id)
  if name and redis.call('HGET', names, name) == id then redis.call('HDEL', names, name) end
end
