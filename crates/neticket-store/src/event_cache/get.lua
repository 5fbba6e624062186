--[[ Reads one event from the cache, or grants a lease to write it.

  KEYS  1 namespace     string  the namespace version of the cache; see invalidate_all in event_cache.rs
        2 event         hash    era (the namespace version), permit (the lease token), value
  ARGV  1 lease_token   a new lease token, never used before
        2 lease_ms      how long the lease lasts
        3 namespace_ms  how long a namespace version lasts
  RETURNS  {lease_token, value}; value is nil if nothing is cached

  One script, so that a lease is never older than the last invalidation. An invalidation deletes the lease
  token together with the cached event. A reader that finds none gets a new lease before it reads the store.
  An entry of another namespace version counts as missing. ]]

local namespace_version = redis.call('GET', KEYS[1])
if not namespace_version then
  namespace_version = ARGV[1]
  redis.call('SET', KEYS[1], namespace_version, 'PX', ARGV[3])
end
local entry = redis.call('HMGET', KEYS[2], 'era', 'permit', 'value')
if entry[1] == namespace_version then
  return {entry[2], entry[3]}
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'era', namespace_version, 'permit', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return {ARGV[1], false}
