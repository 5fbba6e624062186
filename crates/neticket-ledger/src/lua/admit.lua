--[[ Admits a batch of requests of one event. It decides each request separately, in order. For each request
  that it admits, it takes the seats and writes a journal entry.

  KEYS  1 ledger           hash    epoch, replid, run_id, revision, paused, opens_at, closes_at, max_per_user,
                                   left:<ticket type, 8 bytes>, price:<ticket type, 8 bytes> (8 bytes)
        2 holders          hash    user id (8 bytes) → record
        3 journal          hash    reservation id (16 bytes) → entry
  ARGV  1 epoch_min        the lowest epoch that the caller accepts
        2 journal_len_max  how many entries the journal may have
        3 reservations_max how many reservations a user may have made in this epoch
        4 requests         packed, see prelude.lua
  RETURNS  absent | stale | verdicts, epoch, now, opens at, max per user, status codes, prices, then details.
           Status codes, one letter per request: a admitted | r admitted before (detail: unit price 8,
           admitted at 8) | k known | m mismatch | n no such ticket type | o not open | c closed | p paused |
           j journal full | s sold out (detail: left) | l over the limit of tickets or of reservations
           (detail: already held) | d differs from the price in the request (detail: unit price 8).
           Prices: ticket type 8, unit price 8, of each ticket type admitted by this call.
           Details in the order of the requests.

  One script, so that seats are never taken without the journal entry that accounts for them, and so that the
  clock, the epoch and the server run are those of the moment in which the seats are taken. The script reads
  first and writes last: if it fails, it has written nothing.

  An id belongs to one user, so a repeated id is always in that user's record. The script reads the journal
  only if the record has the id. ]]

local ledger = hgetall(KEYS[1])
if not ledger.epoch then
  return { 'absent' }
end
if tonumber(ledger.epoch) < tonumber(ARGV[1]) or not is_current(ledger.replid) then
  return { 'stale' }
end

local requests = ARGV[4]
local users = parts(requests, 44, 17, 24)
local records, records_after = hmget(KEYS[2], users), {}

local now = now_ms()
local closed_reason = now < tonumber(ledger.opens_at) and 'o'
  or now >= tonumber(ledger.closes_at) and 'c'
  or ledger.paused == '1' and 'p'
local max_per_user = tonumber(ledger.max_per_user)
-- The length, in bytes, from which a record is full: its user may make no more reservations. See prelude.lua.
local record_len_max = 4 + 17 * tonumber(ARGV[3])
local journal_room = tonumber(ARGV[2]) - redis.call('HLEN', KEYS[3])

local status_codes, details, holders, entries = {}, {}, {}, {}

-- Caches one value per combination of ticket type, quantity and price (`request_tail`, the end of a request),
-- because most requests of a batch ask for the same. `ticket_types` is keyed by the 8 bytes of the id.
local any_price = string.rep('\255', 8)
local ticket_types = {}
local requests_by_tail = setmetatable({}, {
  __index = function(cache, request_tail)
    local id = sub(request_tail, 1, 8)
    local left = tonumber(ledger['left:' .. id])
    if left and not ticket_types[id] then
      ticket_types[id] = { left = left, price_and_now = ledger['price:' .. id] .. pack('>i8', now) }
    end
    local quantity, price = unpack_number('>I4', request_tail, 9), sub(request_tail, 13, 20)
    local request = {
      ticket_type = ticket_types[id],
      quantity = quantity,
      first_holding = pack('>I4', quantity),
    }
    if price ~= any_price and price ~= ledger['price:' .. id] then
      request.changed_to_price = ledger['price:' .. id]
    end
    cache[request_tail] = request
    return request
  end,
})

-- The entries of this batch by id. The table is filled when the first repeated id is found.
local entry_of
local function journaled(id)
  if not entry_of then
    entry_of = {}
    for i = 1, #entries, 2 do
      entry_of[entries[i]] = entries[i + 1]
    end
  end
  return entry_of[id] or redis.call('HGET', KEYS[3], id)
end

-- The status code, and the detail if any, for an id that the user's record has.
local function repeated(id, content)
  local entry = journaled(id)
  if not entry then
    return 'k'
  end
  if sub(entry, 1, 20) ~= content then
    return 'm'
  end
  return 'r', sub(entry, 21, 36)
end

-- Returns the status code, and the detail if any.
local function admit(id, content, request_tail, user, record)
  if record and reservation_offset(record, id) then
    return repeated(id, content)
  end
  local request = requests_by_tail[request_tail]
  local ticket_type = request.ticket_type
  if not ticket_type then
    return 'n'
  end
  if closed_reason then
    return closed_reason
  end
  if journal_room <= 0 then
    return 'j'
  end
  if record and #record >= record_len_max then
    return 'l', held_by(record)
  end
  local quantity, left = request.quantity, ticket_type.left
  if left < quantity then
    return 's', left
  end
  local held = held_by(record)
  if held + quantity > max_per_user then
    return 'l', held
  end
  if request.changed_to_price then
    return 'd', request.changed_to_price
  end

  ticket_type.left = left - quantity
  ticket_type.taken = true
  journal_room = journal_room - 1
  if record then
    record = with_reservation(record, held + quantity, id, 'h')
  else
    record = request.first_holding .. id .. 'h'
  end
  records_after[user] = record
  local entry, at = content .. ticket_type.price_and_now, #entries
  holders[at + 1], holders[at + 2] = user, record
  entries[at + 1], entries[at + 2] = id, entry
  if entry_of then
    entry_of[id] = entry
  end
  return 'a'
end

for i = 1, #users do
  local start, user = (i - 1) * 44, users[i]
  local id, content = sub(requests, start + 1, start + 16), sub(requests, start + 17, start + 36)
  local request_tail = sub(requests, start + 25, start + 44)
  local status_code, detail = admit(id, content, request_tail, user, records_after[user] or records[i])
  status_codes[i] = status_code
  if detail then
    details[#details + 1] = detail
  end
end

local prices, changes = {}, {}
for id, ticket_type in pairs(ticket_types) do
  if ticket_type.taken then
    prices[#prices + 1] = id .. sub(ticket_type.price_and_now, 1, 8)
    changes[#changes + 1] = 'left:' .. id
    changes[#changes + 1] = integer(ticket_type.left)
  end
end
if #changes > 0 then
  changes[#changes + 1] = 'revision'
  changes[#changes + 1] = integer(tonumber(ledger.revision) + 1)
end
write('HSET', KEYS[1], changes)
write('HSET', KEYS[2], holders)
write('HSET', KEYS[3], entries)

local reply = {
  'verdicts',
  ledger.epoch,
  integer(now),
  ledger.opens_at,
  ledger.max_per_user,
  table.concat(status_codes),
  table.concat(prices),
}
for i = 1, #details do
  reply[7 + i] = details[i]
end
return reply
