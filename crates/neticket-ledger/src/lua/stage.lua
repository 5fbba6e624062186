--[[ Stores some of a snapshot's reservations beside the ledger of one event, for load.lua to move into place.

  KEYS  1 staged_holders   hash    as holders, see admit.lua; the empty field counts the reservations in it
  ARGV  1 expiry_ms        when to delete them if load.lua never runs
        2 reservations     packed: id 16, user 8, tickets held 4
  RETURNS  nothing

  A script, so that the number of reservations is right and the key always has an expiry. A snapshot takes
  several calls, so that even a long one blocks the server only briefly at a time. ]]

local reservations = ARGV[2]
local users = parts(reservations, 28, 17, 24)
local records, records_after, holders = hmget(KEYS[1], users), {}, {}
for i = 1, #users do
  local start, user = (i - 1) * 28, users[i]
  local record = records_after[user] or records[i]
  local id, held = sub(reservations, start + 1, start + 16), unpack_number('>I4', reservations, start + 25)
  record = with_reservation(record, held_by(record) + held, id, held == 0 and 'r' or 'h')
  records_after[user] = record
  holders[#holders + 1] = user
  holders[#holders + 1] = record
end

write('HSET', KEYS[1], holders)
redis.call('HINCRBY', KEYS[1], '', #users)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return false
