--[[ Takes the right to scan all masters for ledgers, or keeps it.

  KEYS  1 complete         hash          see loaded.lua
        2 scan             string        replication id, and who scans
  ARGV  1 scan             16 bytes: who scans
        2 lease_ms         how long the right is kept without another call
        3 rescan_ms        see loaded.lua
  RETURNS  begun | kept (this scan had the right before) | busy (another scan has it) |
           complete (no scan is due)

  One script, so that no two scans have the right. The key is lost with the list, if that is lost while the scan
  runs, and the replication id is part of it: so end_scan.lua knows that the list has lost nothing since. ]]

if list_state(KEYS[1], ARGV[3]) == 'complete' then
  return { 'complete' }
end
local replid = replication_id() or ''
local present = redis.call('GET', KEYS[2])
if present == replid .. ARGV[1] then
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
  return { 'kept' }
end
if present and sub(present, 1, #replid) == replid then
  return { 'busy' }
end
redis.call('SET', KEYS[2], replid .. ARGV[1], 'PX', ARGV[2])
return { 'begun' }
