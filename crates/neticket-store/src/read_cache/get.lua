--[[ Reads the copy of one event, or hands out the right to put one there.

  KEYS  1 era           string  the era of all copies; see forget_all in mod.rs
        2 copy          hash    era, permit, value
  ARGV  1 permit        a new name, never used before
        2 permit_ms     how long the right to put a copy lasts
        3 era_ms        how long an era lasts
  RETURNS  {permit, value}; value is nil where there is no copy

  One script, so that a permit is never older than the last forgetting: forgetting removes it with the copy, and whoever finds
  none makes another before reading the store. A copy of another era is none. ]]

local era = redis.call('GET', KEYS[1])
if not era then
  era = ARGV[1]
  redis.call('SET', KEYS[1], era, 'PX', ARGV[3])
end
local copy = redis.call('HMGET', KEYS[2], 'era', 'permit', 'value')
if copy[1] == era then
  return {copy[2], copy[3]}
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'era', era, 'permit', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return {ARGV[1], false}
