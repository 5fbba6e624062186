--[[ Removes an event from the list of those that may have a ledger.

  KEYS  1 loaded           sorted set    event id → the highest epoch of which a load was begun
  ARGV  1 event
        2 epoch            loads of this and lower epochs are over
  RETURNS  nothing

  One script, so that it does not overlook a load that lists the event under a higher epoch at the same
  moment. The list is a key of its own, in Redis Cluster perhaps on another server than the ledger. A load
  lists the event first and an evict unlists it last, so the list may name too many events in between, but
  never too few. ]]

local epoch = redis.call('ZSCORE', KEYS[1], ARGV[1])
if epoch and tonumber(epoch) <= tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return false
