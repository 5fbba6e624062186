--[[ The journal entries of one user.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
  ARGV  1 user             8 bytes
  RETURNS  absent | present, epoch, entries: id 16, entry 36 each

  One script, so that the entries and the epoch belong together. A ledger of another server run answers
  absent, for the reason in journal_older_than.lua. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local record = redis.call('HGET', KEYS[2], ARGV[1])
local ids, reply = record and parts(sub(record, 5), 17, 1, 16) or {}, {}
local entries = hmget(KEYS[3], ids)
for i = 1, #ids do
  if entries[i] then
    reply[#reply + 1] = ids[i] .. entries[i]
  end
end
return { 'present', epoch, table.concat(reply) }
