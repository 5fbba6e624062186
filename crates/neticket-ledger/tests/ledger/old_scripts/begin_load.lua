--[[ Begins a load of one event: answers what load.lua will want to hear.

  KEYS  1 ledger           hash      see admit.lua
        2 loads            string    run id and token: there as long as no ledger was lost or evicted since a load began
  ARGV  1 token            16 bytes, for the case that there is none yet
        2 expiry_ms        when to forget it
  RETURNS  token, epoch of the ledger, of whichever server run (0: there is none)

  One script, so that the token and the epoch are of the same moment. The run is part of what is kept, so that a token from
  an old file counts for nothing. Loads under way at once share the token: what takes it away takes it from all. ]]

local run, token = run_id(), ARGV[1]
local loads = redis.call('GET', KEYS[2])
if loads and sub(loads, 1, #run) == run then
  token = sub(loads, #run + 1)
end
redis.call('SET', KEYS[2], run .. token, 'PX', ARGV[2])
return { token, redis.call('HGET', KEYS[1], 'epoch') or '0' }
