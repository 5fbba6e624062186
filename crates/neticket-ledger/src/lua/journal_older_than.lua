--[[ Journal entries of one event that were admitted some time ago, in no order; which ones, if there are more than asked for,
  is not said.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
  ARGV  1 age_ms           how long ago at least, by this server's clock
        2 limit            how many entries at most
  RETURNS  absent | present, epoch, entries: id 16, entry 36 each

  One script, so that the entries and the epoch belong together. It looks no further than it has to: of 10,000 old entries,
  a full journal by default, it tells 500 in 1.5 ms. If none is old it looks at all of them: 2 ms for 500, which is many for a
  store that answers, and 40 ms for 10,000 (measured on two busy cores, Redis 7.0). A sorted set beside it would cost every
  reservation 3 µs more, a sixth of what admitting and settling take. Nothing is returned of a ledger of another server
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
