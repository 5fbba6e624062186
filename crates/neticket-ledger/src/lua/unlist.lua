--[[ Names an event no longer among those that may have a ledger.

  KEYS  1 loaded           sorted set    event id → the highest epoch of which a load was begun
  ARGV  1 event
        2 epoch            loads of this and lower epochs are over
  RETURNS  nothing

  One script, so that a load which lists the event under a higher epoch at the same moment is not overlooked. A key by
  itself, in Redis Cluster on another server than the ledger: a load lists the event first and an evict unlists it
  last, so that the list names too many in between, never too few. ]]

local epoch = redis.call('ZSCORE', KEYS[1], ARGV[1])
if epoch and tonumber(epoch) <= tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return false
