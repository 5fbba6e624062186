--[[ Replaces the ledger of one event by a snapshot, unless it is of the same or a higher epoch; carries the journal over.

  KEYS  1 ledger           hash    see admit.lua
        2 holdings         hash
        3 journal          hash
        4 settled          hash
        5 staged_holdings  hash    the snapshot's, complete; by stage.lua
        6 staged_settled   hash    the snapshot's, complete; by stage.lua
  ARGV  1 epoch
        2 paused           1 or 0
        3 opens_at         milliseconds since 1970
        4 closes_at        milliseconds since 1970
        5 max_per_user
        6 reservations_len how many reservations were staged
        7 refused          ids of entries that are not carried over, with spaces between them
        then per ticket_type   id, price, left
  RETURNS  incomplete (the staged reservations are not all there) | kept, epoch that is there |
           replaced, epoch, epoch before, then per journal entry that did not fit: id, entry

  One script, so that there is no moment in which an admitted reservation is in neither journal, or in which the new
  ledger sells the seats that the old journal has taken.

  The server run is not asked. A ledger of another run is replaced by a higher epoch only, like any other: a snapshot of the
  very epoch of a present ledger has been loaded once, so reservations may have been committed under that epoch which
  it does not know, and the guard would let their users book once more. And since every load raises the epoch in the store, a
  ledger that answers stale for its run is replaced by the next one.

  Its journal is carried over too, because answers rest on it: whoever was told 202 has nothing but the journal entry until
  the store commits it. It may be an old copy. A server that syncs its file every second (appendfsync everysec) loses up to
  the last second of what it did, so an entry that was undone then is back. The store still decides: what it has is dropped
  here, what does not fit or is over the limit is dropped, and on the rest the guard has the last word. At worst someone
  gets a booking that they were told was refused, never one that does not fit; dropping the journal would break
  promises instead. ]]

if redis.call('HLEN', KEYS[6]) ~= tonumber(ARGV[6]) then
  redis.call('UNLINK', KEYS[5], KEYS[6])
  return { 'incomplete' }
end
local before = redis.call('HMGET', KEYS[1], 'epoch', 'revision')
local present = before[1]
if present and tonumber(present) >= tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[5], KEYS[6])
  return { 'kept', present }
end

local max_per_user = tonumber(ARGV[5])
local price, left = {}, {}
for i = 8, #ARGV, 3 do
  price[ARGV[i]] = ARGV[i + 1]
  left[ARGV[i]] = tonumber(ARGV[i + 2])
end

local refused = {}
for id in string.gmatch(ARGV[7], '%S+') do
  refused[id] = true
end

local journal = hgetall(KEYS[3])
local ids, admitted_at_ms, users = {}, {}, {}
for id, entry in pairs(journal) do
  if not refused[id] then
    local user, _, _, _, admitted_at = parse_entry(entry)
    ids[#ids + 1] = id
    users[#users + 1] = user
    admitted_at_ms[id] = tonumber(admitted_at)
  end
end
-- Oldest first; of the same age, by id.
table.sort(ids, function(a, b)
  if admitted_at_ms[a] == admitted_at_ms[b] then
    return a < b
  end
  return admitted_at_ms[a] < admitted_at_ms[b]
end)
local settled = hmget(KEYS[6], ids)
local held_before, held_after = hmget(KEYS[5], users), {}

local reply, entries = { 'replaced', ARGV[1], present or '0' }, {}
for i = 1, #ids do
  local id = ids[i]
  if not settled[id] then
    local user, ticket_type, quantity = parse_entry(journal[id])
    local wanted = tonumber(quantity)
    local held = (held_after[user] or tonumber(held_before[user] or 0)) + wanted
    if (left[ticket_type] or 0) < wanted or held > max_per_user then
      reply[#reply + 1] = id
      reply[#reply + 1] = journal[id]
    else
      left[ticket_type] = left[ticket_type] - wanted
      held_after[user] = held
      -- As it was: the price that its user was told, and its age, so that recovery finds it however often the event is loaded.
      entries[#entries + 1] = id
      entries[#entries + 1] = journal[id]
    end
  end
end

local ledger = {
  epoch = ARGV[1],
  run_id = run_id(),
  -- The first of all is a time, so that a ledger which is lost and loaded again does not begin as it was.
  revision = integer(before[2] and tonumber(before[2]) + 1 or 1000 * now_ms()),
  paused = ARGV[2],
  opens_at = ARGV[3],
  closes_at = ARGV[4],
  max_per_user = ARGV[5],
}
for ticket_type, seats in pairs(left) do
  ledger['left:' .. ticket_type] = integer(seats)
  ledger['price:' .. ticket_type] = price[ticket_type]
end

redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
write('HSET', KEYS[1], pairs_list(ledger))
if tonumber(ARGV[6]) > 0 then
  redis.call('RENAME', KEYS[5], KEYS[2])
  redis.call('RENAME', KEYS[6], KEYS[4])
  redis.call('PERSIST', KEYS[2])
  redis.call('PERSIST', KEYS[4])
end
write('HSET', KEYS[2], pairs_list(held_after, integer))
write('HSET', KEYS[3], entries)
return reply
