--[[ Forgets one event whatever its state, as a server that restarts empty would. For tests alone.

  KEYS  1 ledger           hash    see admit.lua
        2 holdings         hash
        3 journal          hash
        4 settled          hash
  ARGV  none
  RETURNS  nothing

  One script (one command, in fact), so that no part of the ledger outlives another. ]]

redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return false
