--[[ Gives back what journal entries of one event took, and forgets them: the store refused them.

  KEYS  1 ledger           hash    see admit.lua
        2 holdings         hash
        3 journal          hash
  ARGV  1 epoch            the epoch they were admitted under; under another one nothing happens
        then per reservation   id
  RETURNS  nothing

  One script, so that the seats come back in the moment the entry goes, and only once. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run or epoch ~= ARGV[1] then
  return false
end

local ids = {}
for i = 2, #ARGV do
  ids[#ids + 1] = ARGV[i]
end

local undone, left_back, held_back = {}, {}, {}
for id, entry in pairs(hmget(KEYS[3], ids)) do
  if entry then
    local user, ticket_type, quantity = parse_entry(entry)
    local left_field = 'left:' .. ticket_type
    undone[#undone + 1] = id
    left_back[left_field] = (left_back[left_field] or 0) + quantity
    held_back[user] = (held_back[user] or 0) + quantity
  end
end

give_back(KEYS[1], left_back, KEYS[2], held_back)
write('HDEL', KEYS[3], undone)
return false
