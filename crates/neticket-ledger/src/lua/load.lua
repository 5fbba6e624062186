--[[ Replaces the ledger of one event by a snapshot, unless it is of the same or a higher epoch; carries the
  journal over.

  KEYS  1 ledger           hash    see admit.lua
        2 holders          hash
        3 journal          hash
        4 staged_holders   hash    the snapshot's, complete; by stage.lua
        5 loads            string  see begin_load.lua
  ARGV  1 epoch
        2 paused_at        milliseconds since 1970; empty: the sale is not paused
        3 opens_at         milliseconds since 1970
        4 closes_at        milliseconds since 1970
        5 max_per_user
        6 reservations_len how many reservations were staged
        7 refused          ids of entries that are not carried over, 16 bytes each
        8 ticket_types     packed: ticket type 8, price 8, left 4
        9 token            from begin_load.lua, before the snapshot was taken
        10 window_since    milliseconds since 1970. An entry that was admitted since then, but not between
                           opens_at and closes_at, was admitted by a ledger that did not know this window. It
                           is not carried over
  RETURNS  kept, epoch of the present ledger | again |
           replaced, epoch before, dropped entries (they do not fit, or were admitted in a pause or outside of
           the window): id 16 and entry 36 (see prelude.lua) each

  One script, so that an admitted reservation is in one of the two journals at every moment, and so that the
  new ledger never sells the seats that the old journal has taken.

  If there is no ledger, nothing shows how old the snapshot is: a ledger of a higher epoch may have admitted
  bookings and then been lost. So the load must begin again (again) unless the token with which it began still
  exists, in this server run. If it exists, no ledger of the event was lost or evicted since the load began.
  The staged reservations were then not lost either; the script counts them all the same.

  Only a higher epoch replaces a ledger of another run, like any other ledger. A snapshot of the same epoch as
  the present ledger was loaded once already. Reservations may have been committed under that epoch that the
  snapshot does not know, and the guard would let their users book once more. Every load raises the epoch in
  the store, so the next load replaces a ledger that answers stale because of its run.

  The journal of a ledger of another run is carried over too, because answers depend on it: a person who was
  told 202 has only the journal entry until the store commits it. The journal may be an old copy. A server
  that syncs its file every second (appendfsync everysec) loses up to the last second of its writes, so an
  entry that was refused in that second is back. The store still decides. The script drops entries that the
  store has, entries that do not fit and entries over the limit. The guard decides about the rest. At worst
  somebody gets a booking that they were told was refused, but never a booking that does not fit. Dropping the
  journal would break promises instead. ]]

local before = redis.call('HMGET', KEYS[1], 'epoch', 'revision')
local present = before[1]
if present and tonumber(present) >= tonumber(ARGV[1]) then
  redis.call('UNLINK', KEYS[4])
  return { 'kept', present }
end
local run, replid = run_id(), replication_id()
local staged = tonumber(redis.call('HGET', KEYS[4], '') or 0)
local is_begun = redis.call('GET', KEYS[5]) == run .. ARGV[9] and sub(ARGV[9], 1, 8) == token_start(replid)
if not is_begun or staged ~= tonumber(ARGV[6]) then
  redis.call('UNLINK', KEYS[4])
  return { 'again' }
end

local left, ledger = {}, {
  'epoch', ARGV[1],
  'replid', replid,
  'run_id', run,
  -- The first revision comes from the clock, so that a ledger that is lost and loaded again does not repeat a
  -- revision.
  'revision', integer(before[2] and tonumber(before[2]) + 1 or 1000 * now_ms()),
  'paused', ARGV[2] == '' and '0' or '1',
  'opens_at', ARGV[3],
  'closes_at', ARGV[4],
  'max_per_user', ARGV[5],
}
local max_per_user = tonumber(ARGV[5])
local opens_at, closes_at, window_since = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[10])
-- A ledger that admitted an entry since this moment did not know of the pause. The entry is not carried over.
local paused_at = tonumber(ARGV[2]) or math.huge
for _, ticket_type in ipairs(parts(ARGV[8], 20, 1, 20)) do
  local id = sub(ticket_type, 1, 8)
  left[id] = unpack_number('>I4', ticket_type, 17)
  ledger[#ledger + 1] = 'price:' .. id
  ledger[#ledger + 1] = sub(ticket_type, 9, 16)
end

local refused = {}
for _, id in ipairs(parts(ARGV[7], 16, 1, 16)) do
  refused[id] = true
end

-- Oldest first; entries of the same age by id. Ids are compared as numbers, because Lua compares strings by
-- the locale of the server.
local old, users = {}, {}
local journal = redis.call('HGETALL', KEYS[3])
for i = 1, #journal, 2 do
  local id, entry = journal[i], journal[i + 1]
  if not refused[id] then
    old[#old + 1] = { id = id, entry = entry, admitted_at(entry), unpack_number('>I6I6I4', id) }
  end
end
table.sort(old, function(a, b)
  for i = 1, 4 do
    if a[i] ~= b[i] then
      return a[i] < b[i]
    end
  end
  return false
end)
for i = 1, #old do
  users[i] = sub(old[i].entry, 1, 8)
end

local records, records_after = hmget(KEYS[4], users), {}
local dropped, holders, entries = {}, {}, {}
for i = 1, #old do
  local id, entry, user = old[i].id, old[i].entry, users[i]
  local record = records_after[user] or records[i]
  -- The snapshot has every reservation of the store. Entries of those are dropped and not reported.
  if not (record and reservation_offset(record, id)) then
    local ticket_type, quantity = sub(entry, 9, 16), unpack_number('>I4', entry, 17)
    local held = held_by(record) + quantity
    local admitted = old[i][1]
    local admitted_outside_sale = admitted >= paused_at
      or admitted >= window_since and (admitted < opens_at or admitted >= closes_at)
    if admitted_outside_sale or (left[ticket_type] or 0) < quantity or held > max_per_user then
      dropped[#dropped + 1] = id .. entry
    else
      left[ticket_type] = left[ticket_type] - quantity
      record = with_reservation(record, held, id, 'h')
      records_after[user] = record
      holders[#holders + 1] = user
      holders[#holders + 1] = record
      -- The entry is unchanged. It keeps the price that its user was told. It also keeps its age, so that
      -- recovery finds it no matter how often the event is loaded.
      entries[#entries + 1] = id
      entries[#entries + 1] = entry
    end
  end
end
for ticket_type, seats in pairs(left) do
  ledger[#ledger + 1] = 'left:' .. ticket_type
  ledger[#ledger + 1] = integer(seats)
end

redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
write('HSET', KEYS[1], ledger)
if staged > 0 then
  redis.call('HDEL', KEYS[4], '')
  redis.call('RENAME', KEYS[4], KEYS[2])
  redis.call('PERSIST', KEYS[2])
end
write('HSET', KEYS[2], holders)
write('HSET', KEYS[3], entries)
return { 'replaced', present or '0', table.concat(dropped) }
