--[[ Removes committed reservations of one event from the journal. Their users' records keep them.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 epoch            the epoch they were committed under; under another one nothing happens
        2 ids              16 bytes each
  RETURNS  nothing

  One script, so that no entry of a later load is removed. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run or epoch ~= ARGV[1] then
  return false
end

if write('HDEL', KEYS[2], parts(ARGV[2], 16, 1, 16)) > 0 then
  redis.call('HINCRBY', KEYS[1], 'revision', 1)
end
return false
