--[[ Reads one event from the cache, or grants a lease to write it.

  KEYS  1 era           string  the namespace version of the cache; see forget_all in mod.rs
        2 copy          hash    era, permit, value
  ARGV  1 permit        a new lease token, never used before
        2 permit_ms     how long the lease lasts
        3 era_ms        how long a namespace version lasts
  RETURNS  {permit, value}; value is nil if nothing is cached

  One script, so that a lease is never older than the last invalidation. An invalidation deletes the lease
  token together with the cached event. A reader that finds none gets a new lease before it reads the store.
  An entry of another namespace version counts as missing. ]]

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
