-- The field `data` of an entry's fields, and how many bytes it has. The text is false if there is none, or if it is longer than `most`
-- bytes: pulling such a text would hold up its reader for seconds.
local function text_of(fields, most)
  for at = 1, #fields, 2 do
    if fields[at] == 'data' then
      local bytes = #fields[at + 1]
      return bytes <= most and fields[at + 1], bytes
    end
  end
  return false, 0
end
