--[[ The journal entries of one event that were admitted some time ago, oldest first.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
        3 journal_order    zset
  ARGV  1 age_ms           how long ago at least, by this server's clock
        2 limit            how many at most
  RETURNS  absent | present, epoch, then per entry: id, entry

  One script, so that the entries and the epoch belong together. Nothing is returned of a ledger of another server run: it
  may be an old copy, and an entry in it may have been undone since, and its user have booked again under the same epoch. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local admitted_by = integer(now_ms() - tonumber(ARGV[1]))
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', admitted_by, 'LIMIT', 0, ARGV[2])
local journal = hmget(KEYS[2], ids)
local reply = { 'present', epoch }
for i = 1, #ids do
  reply[#reply + 1] = ids[i]
  reply[#reply + 1] = journal[ids[i]]
end
return reply
