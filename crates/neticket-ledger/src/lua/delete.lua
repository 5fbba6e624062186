--[[ Deletes everything of one event, whatever its state: because the store no longer has the event or, in
  tests only, to imitate a server that restarts empty.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
        4 loads            string  see begin_load.lua
  ARGV  none
  RETURNS  nothing

  One script (one command, in fact), so that no part of the ledger outlives another. ]]

redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return false
