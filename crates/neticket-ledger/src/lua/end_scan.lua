--[[ Marks the list of events that may have a ledger as complete, after a scan of all masters.

  KEYS  1 complete         hash          see loaded.lua
        2 scan             string        see begin_scan.lua
  ARGV  1 scan             16 bytes: the id of the scan
  RETURNS  complete | again (the list may have lost something since the scan began)

  One script, so that the list loses nothing between the check and the mark. ]]

local replid = replication_id()
if not replid or redis.call('GET', KEYS[2]) ~= replid .. ARGV[1] then
  return { 'again' }
end
local scans = redis.call('HGET', KEYS[1], 'replid') == replid and 2 or 1
redis.call('HSET', KEYS[1], 'replid', replid, 'scans', scans, 'scanned_at', integer(now_ms()))
redis.call('DEL', KEYS[2])
return { 'complete' }
