--[[ Puts the copy of one event in its place, if nothing was forgotten since its permit was handed out.

  KEYS  1 era           string  see get.lua
        2 copy          hash
  ARGV  1 permit        what get.lua handed out before the store was read
        2 value         the copy
        3 value_ms      how long it is kept
  RETURNS  1: it is kept; 0: it may be old, and is not

  One script, so that nothing is forgotten between the look at the permit and the putting. ]]

local copy = redis.call('HMGET', KEYS[2], 'era', 'permit')
if not copy[1] or copy[1] ~= redis.call('GET', KEYS[1]) or copy[2] ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
