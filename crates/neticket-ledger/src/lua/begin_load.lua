--[[ Begins a load of one event: returns the token and the epoch that load.lua will check.

  KEYS  1 ledger           hash      see admit.lua
        2 loads            string    run id and token. The key exists as long as no ledger of the event was
                                     lost or evicted since a load began
  ARGV  1 token            16 bytes, the last 8 of which are used if there is no token yet
        2 expiry_ms        how long the token is kept
  RETURNS  token, epoch of the ledger, of any server run (0: there is none)

  One script, so that the token and the epoch are of the same moment. A token begins with 8 bytes of the
  replication id, so that a token from an old file, or from before a promotion, is not valid. Nodes of earlier
  versions store the run id and 16 random bytes. This script replaces such a token; the load that has it must
  begin again, and then gets the new one. Concurrent loads share the token: if it is deleted, all of them must
  begin again. ]]

local run, prefix = run_id(), token_start(replication_id())
local token = prefix .. sub(ARGV[1], 9)
local loads = redis.call('GET', KEYS[2])
if loads and sub(loads, 1, #run + 8) == run .. prefix then
  token = sub(loads, #run + 1)
end
redis.call('SET', KEYS[2], run .. token, 'PX', ARGV[2])
return { token, redis.call('HGET', KEYS[1], 'epoch') or '0' }
