--[[ The journal entry of one reservation.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 id               16 bytes
  RETURNS  absent | present, epoch, entry (36 bytes)

  One script, so that the entry and the epoch belong together. A ledger of another server run answers absent,
  for the reason in journal_older_than.lua. ]]

local this_run, epoch = of_this_run(KEYS[1])
local entry = this_run and redis.call('HGET', KEYS[2], ARGV[1])
if not entry then
  return { 'absent' }
end
return { 'present', epoch, entry }
