--[[ Puts some of a snapshot's reservations beside the ledger of one event, for load.lua to move into place.

  KEYS  1 staged_holdings  hash    user id → tickets held of this event
        2 staged_settled   hash    reservation id → s or r, see admit.lua
  ARGV  1 expiry_ms        when to forget them, should load.lua never come
        then per reservation   id, user, held
  RETURNS  nothing

  A script, so that both hashes have the same reservations in them and always an expiry. In several calls, so that a
  snapshot of any length stops the server only for moments. ]]

local users = {}
for i = 2, #ARGV, 3 do
  users[#users + 1] = ARGV[i + 1]
end
local held_before = hmget(KEYS[1], users)

local marks, held_after = {}, {}
for i = 2, #ARGV, 3 do
  local id, user, held = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  marks[#marks + 1] = id
  marks[#marks + 1] = held == 0 and 'r' or 's'
  held_after[user] = (held_after[user] or tonumber(held_before[user] or 0)) + held
end

write('HSET', KEYS[1], pairs_list(held_after, integer))
write('HSET', KEYS[2], marks)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return false
