--[[ The events that may have a ledger, and whether the list of them is complete.

  KEYS  1 loaded           sorted set    see unlist.lua
        2 complete         hash          replid: the server run in which all masters were scanned;
                                         scans: how often, 1 or 2;
                                         scanned_at: end of the last scan, milliseconds since 1970
  ARGV  1 rescan_ms        how long after the first scan the second one is due
  RETURNS  complete | due (complete, and the second scan is due) | incomplete, then the events

  One script, so that the list, its state and the server run are of the same moment. ]]

local reply = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(reply, 1, list_state(KEYS[2], ARGV[1]))
return reply
