--[[ Takes the lease to scan all masters for ledgers, or extends it.

  KEYS  1 complete         hash          see loaded.lua
        2 scan             string        replication id, and which scan has the lease
  ARGV  1 scan             16 bytes: the id of the scan
        2 lease_ms         how long the lease lasts without another call
        3 rescan_ms        see loaded.lua
  RETURNS  begun | kept (this scan had the lease before) | busy (another scan has it) |
           complete (no scan is due)

  One script, so that two scans never have the lease at once. If the server loses the list while the scan
  runs, it loses this key too, and the replication id is part of the value. This is how end_scan.lua knows
  that the list has lost nothing since the scan began. ]]

if list_state(KEYS[1], ARGV[3]) == 'complete' then
  return { 'complete' }
end
local replid = replication_id() or ''
local lease = redis.call('GET', KEYS[2])
if lease == replid .. ARGV[1] then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return { 'kept' }
end
if lease and sub(lease, 1, #replid) == replid then
  return { 'busy' }
end
redis.call('SET', KEYS[2], replid .. ARGV[1], 'PX', ARGV[2])
return { 'begun' }
