--[[ Gives back the seats of cancelled reservations of one event, once each.

  KEYS  1 ledger           hash    see admit.lua
        2 holdings         hash
        3 journal          hash
        4 settled          hash
  ARGV  then per release   id, user, ticket_type, quantity, epoch
  RETURNS  absent | present, epoch

  One script, so that the seats come back in the moment the mark is set that says so, and so that the epoch in the answer is
  the one that was asked. A release is applied only in the very epoch that its cancel saw: the load of a higher one has
  counted it, and a ledger of a lower one is about to be replaced, perhaps by a snapshot taken before the cancel; the
  caller learns which from the answer. An id that is neither journaled nor settled is released too. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run then
  return { 'absent' }
end

local ids = {}
for i = 1, #ARGV, 5 do
  ids[#ids + 1] = ARGV[i]
end
local settled = hmget(KEYS[4], ids)

local released, marks, left_back, held_back = {}, {}, {}, {}
for i = 1, #ARGV, 5 do
  local id, user, left_field, quantity = ARGV[i], ARGV[i + 1], 'left:' .. ARGV[i + 2], ARGV[i + 3]
  if ARGV[i + 4] == epoch and settled[id] ~= 'r' then
    settled[id] = 'r'
    released[#released + 1] = id
    marks[#marks + 1] = id
    marks[#marks + 1] = 'r'
    left_back[left_field] = (left_back[left_field] or 0) + quantity
    held_back[user] = (held_back[user] or 0) + quantity
  end
end

give_back(KEYS[1], left_back, KEYS[2], held_back)
write('HDEL', KEYS[3], released)
write('HSET', KEYS[4], marks)
changed(KEYS[1], marks)
return { 'present', epoch }
