--[[ Journal entries of one event that were admitted at least some time ago, in no order. If there are more
  than the limit, it is not defined which of them are returned.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 age_ms           how long ago at least, by this server's clock
        2 limit            how many entries at most
  RETURNS  absent | present, epoch, entries: id 16, entry 36 each

  One script, so that the entries and the epoch belong together. It stops scanning at the limit: it reads the
  whole journal only if too few entries are old enough. A sorted set beside the journal would cost one more
  write per reservation. A ledger of another server run answers absent: it may be an old copy. An entry in it
  may have been refused since, and its user may have booked again under the same epoch. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local admitted_by, limit = now_ms() - tonumber(ARGV[1]), tonumber(ARGV[2])
local found, cursor = {}, '0'
-- HSCAN may return a field twice.
local seen = {}
repeat
  local page = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', 500)
  local ids_and_entries = page[2]
  cursor = page[1]
  for i = 1, #ids_and_entries, 2 do
    local id, entry = ids_and_entries[i], ids_and_entries[i + 1]
    if #found >= limit then
      break
    end
    if not seen[id] and admitted_at(entry) <= admitted_by then
      seen[id] = true
      found[#found + 1] = id .. entry
    end
  end
until cursor == '0' or #found >= limit
return { 'present', epoch, table.concat(found) }
