--[[ What the ledger of one event contains now.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  none
  RETURNS  absent | present, epoch, paused (1 or 0), entries in the journal, ticket types: id 8, left 4 each

  One script, so that the seats left, the journal's length and the server run are of the same moment. ]]

local ledger = hgetall(KEYS[1])
if not ledger.epoch or not is_current(ledger.replid) then
  return { 'absent' }
end

local reply = { 'present' }
view(ledger, redis.call('HLEN', KEYS[2]), reply)
return reply
