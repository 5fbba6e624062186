--[[ Writes one event to the cache, if it was not invalidated since its lease was granted.

  KEYS  1 namespace     string  see get.lua
        2 event         hash
  ARGV  1 lease_token   the lease token that get.lua returned before the store was read
        2 value         the event
        3 value_ms      how long it is kept
  RETURNS  1: it was written; 0: it was not, because it may be stale

  One script, so that no invalidation can run between the check of the lease and the write. ]]

local entry = redis.call('HMGET', KEYS[2], 'era', 'permit')
if not entry[1] or entry[1] ~= redis.call('GET', KEYS[1]) or entry[2] ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
