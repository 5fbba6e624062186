--[[ The journal entries of one user.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 user
  RETURNS  absent | present, epoch, then per entry: id, entry

  One script, so that the entries and the epoch belong together; of another server run nothing, as in journal_older_than.lua. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local reply = { 'present', epoch }
for id, entry in pairs(hgetall(KEYS[2])) do
  if parse_entry(entry) == ARGV[1] then
    reply[#reply + 1] = id
    reply[#reply + 1] = entry
  end
end
return reply
