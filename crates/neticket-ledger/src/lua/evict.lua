--[[ Forgets one event that nothing is left to be done for.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
        4 loads            string  see begin_load.lua
  ARGV  1 epoch            the epoch it must be of
  RETURNS  absent | evicted | kept (it is of another epoch or has a journal)

  One script, so that nothing is admitted between the look and the forgetting, and no part of the ledger outlives another. The
  server run is not asked: a ledger of another run is of no use to anyone but for its journal. Loads under way begin anew, as
  nothing is left to tell them whether this ledger was newer than theirs. ]]

local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return 'absent'
end
if epoch ~= ARGV[1] or redis.call('EXISTS', KEYS[3]) == 1 then
  return 'kept'
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[4])
return 'evicted'
