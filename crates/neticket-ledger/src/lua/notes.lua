--[[ The statuses in the node registry that are not too old.

  KEYS  1 nodes            hash    see post.lua
  ARGV  1 age_ms           how old a status may be
  RETURNS  node (16 bytes), status, node, status …

  One script, so that the clock that dates a status is also the clock that measures its age. ]]

local oldest, young = now_ms() - tonumber(ARGV[1]), {}
local notes = redis.call('HGETALL', KEYS[1])
for i = 1, #notes, 2 do
  if unpack_number('>i8', notes[i + 1]) >= oldest then
    young[#young + 1] = notes[i]
    young[#young + 1] = sub(notes[i + 1], 9)
  end
end
return young
