--[[ Returns the seats of cancelled reservations of one event, once per reservation.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
  ARGV  1 releases         packed, see prelude.lua
  RETURNS  absent | present, epoch

  One script, so that the seats return at the moment at which the reservation is marked as released, and so
  that the epoch in the answer is that of the ledger that was asked. The script applies a release only in the
  epoch that its cancel saw. The load of a higher epoch has counted the cancel already. A ledger of a lower
  epoch will be replaced, perhaps by a snapshot from before the cancel. The epoch in the answer tells the
  caller which case it is. An id that is neither journaled nor settled is released too. No holding goes below
  zero, and no ticket type is created. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local releases, epoch_bytes = ARGV[1], pack('>i8', tonumber(epoch))
local users = parts(releases, 44, 17, 24)
local records, records_after = hmget(KEYS[2], users), {}

local released, holders, seats_returned = {}, {}, {}
for i = 1, #users do
  local release, user = sub(releases, (i - 1) * 44 + 1, i * 44), users[i]
  local id, quantity = sub(release, 1, 16), unpack_number('>I4', release, 33)
  local record = records_after[user] or records[i]
  local at = record and reservation_offset(record, id)
  if sub(release, 37, 44) == epoch_bytes and not (at and sub(record, at + 16, at + 16) == 'r') then
    if at then
      record = sub(record, 1, at - 1) .. sub(record, at + 17)
    end
    record = with_reservation(record, math.max(0, held_by(record) - quantity), id, 'r')
    records_after[user] = record
    released[#released + 1] = id
    holders[#holders + 1] = user
    holders[#holders + 1] = record
    local left_field = 'left:' .. sub(release, 25, 32)
    seats_returned[left_field] = (seats_returned[left_field] or 0) + quantity
  end
end

local changes = {}
for left_field, quantity in pairs(seats_returned) do
  local left = redis.call('HGET', KEYS[1], left_field)
  if left then
    changes[#changes + 1] = left_field
    changes[#changes + 1] = integer(tonumber(left) + quantity)
  end
end
write('HSET', KEYS[1], changes)
write('HSET', KEYS[2], holders)
write('HDEL', KEYS[3], released)
if #released > 0 then
  redis.call('HINCRBY', KEYS[1], 'revision', 1)
end
return { 'present', epoch }
