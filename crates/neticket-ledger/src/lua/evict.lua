--[[ Deletes the ledger of one event that is not needed any more.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
        4 loads            string  see begin_load.lua
  ARGV  1 epoch            the epoch that the ledger must have
  RETURNS  absent | evicted | kept (it is of another epoch or has a journal)

  One script, so that nothing is admitted between the check and the deletion, and no part of the ledger
  outlives another. The script does not compare the server run: of a ledger of another run only the journal is
  of use. Loads in progress must begin again, because nothing remains that says whether this ledger was newer
  than their snapshot. ]]

local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return 'absent'
end
if epoch ~= ARGV[1] or redis.call('EXISTS', KEYS[3]) == 1 then
  return 'kept'
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[4])
return 'evicted'
