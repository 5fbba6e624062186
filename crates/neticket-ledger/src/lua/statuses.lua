--[[ The statuses in the node registry that are not too old.

  KEYS  1 nodes            hash    see publish_status.lua
  ARGV  1 age_ms           how old a status may be
  RETURNS  node (16 bytes), status, node, status …

  One script, so that the clock that dates a status is also the clock that measures its age. ]]

local published_since, recent = now_ms() - tonumber(ARGV[1]), {}
local statuses = redis.call('HGETALL', KEYS[1])
for i = 1, #statuses, 2 do
  if unpack_number('>i8', statuses[i + 1]) >= published_since then
    recent[#recent + 1] = statuses[i]
    recent[#recent + 1] = sub(statuses[i + 1], 9)
  end
end
return recent
