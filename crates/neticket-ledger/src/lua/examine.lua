--[[ The state of one event's ledger at one moment: the view and the whole journal.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  none
  RETURNS  absent | present, revision, then as view.lua from the epoch on, then the journal: id 16, entry 36
           each

  One script, so that the seats left and the journal that explains them are of the same moment. ]]

local ledger = hgetall(KEYS[1])
if not ledger.epoch or not is_current(ledger.replid) then
  return { 'absent' }
end

local journal = redis.call('HGETALL', KEYS[2])
local reply = { 'present', ledger.revision }
view(ledger, #journal / 2, reply)
reply[#reply + 1] = table.concat(journal)
return reply
