--[[ Journal entries of one event that were admitted some time ago, in no order; which ones, if there are more than asked for,
  is not said.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 age_ms           how long ago at least, by this server's clock
        2 limit            how many entries at most
  RETURNS  absent | present, epoch, entries: id 16, entry 36 each

  One script, so that the entries and the epoch belong together. It looks no further than it has to: at all
  of the journal only if too little of it is old enough. A sorted set beside it would cost every reservation another write. Nothing is returned of a ledger of another server
  run: it may be an old copy, and an entry in it may have been refused since, and its user have booked again under the
  same epoch. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local admitted_by, limit = now_ms() - tonumber(ARGV[1]), tonumber(ARGV[2])
local found, cursor = {}, '0'
-- HSCAN may tell a field twice.
local told = {}
repeat
  local part = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', 500)
  local words = part[2]
  cursor = part[1]
  for i = 1, #words, 2 do
    local id, entry = words[i], words[i + 1]
    if #found >= limit then
      break
    end
    if not told[id] and admitted_at(entry) <= admitted_by then
      told[id] = true
      found[#found + 1] = id .. entry
    end
  end
until cursor == '0' or #found >= limit
return { 'present', epoch, table.concat(found) }
