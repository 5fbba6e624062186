--[[ Admits a batch of reservations of one event, in order, each on its own: takes the seats and journals the taking.

  KEYS  1 ledger           hash    epoch, run_id, revision, paused, opens_at, closes_at, max_per_user,
                                   left:<ticket type>, price:<ticket type>
        2 holdings         hash    user id → tickets held of this event
        3 journal          hash    reservation id → user:ticket type:quantity:unit price:admitted at
        4 settled          hash    reservation id → s (the store has it) or r (cancelled, seats given back)
  ARGV  1 epoch_min        the lowest epoch that the caller accepts
        2 journal_len_max  how many entries the journal may have
        then per request   id, user, ticket_type, quantity
  RETURNS  absent | stale | verdicts, epoch, now, then per request one of
           admitted, unit price, admitted at, repeated (1 or 0) | known | mismatch | no_such_ticket_type |
           not_open, opens at | closed | paused | journal_full | sold_out, left | over_limit, max per user, already held

  One script, so that nobody sees seats gone without the journal entry that accounts for them, and so that the clock, the
  epoch and the run are those of the moment of taking. Reads first and writes last: a script that fails has written nothing. ]]

local ledger = hgetall(KEYS[1])
if not ledger.epoch then
  return { 'absent' }
end
if tonumber(ledger.epoch) < tonumber(ARGV[1]) or ledger.run_id ~= run_id() then
  return { 'stale' }
end

local ids, users = {}, {}
for i = 3, #ARGV, 4 do
  ids[#ids + 1] = ARGV[i]
  users[#users + 1] = ARGV[i + 1]
end
local journal = hmget(KEYS[3], ids)
local settled = hmget(KEYS[4], ids)
local held = hmget(KEYS[2], users)

local now = now_ms()
local not_open = now < tonumber(ledger.opens_at)
local closed = now >= tonumber(ledger.closes_at)
local paused = ledger.paused == '1'
local max_per_user = tonumber(ledger.max_per_user)
local journal_room = tonumber(ARGV[2]) - redis.call('HLEN', KEYS[3])

local now_text = integer(now)
local reply = { 'verdicts', ledger.epoch, now_text }
local left_after, held_after, entries = {}, {}, {}

local function answer(verdict, first, second, third)
  reply[#reply + 1] = verdict
  reply[#reply + 1] = first
  reply[#reply + 1] = second
  reply[#reply + 1] = third
end

local function admit(id, user, ticket_type, quantity)
  local content = user .. ':' .. ticket_type .. ':' .. quantity .. ':'
  local entry = journal[id]
  if entry then
    if string.sub(entry, 1, #content) ~= content then
      return answer('mismatch')
    end
    local _, _, _, unit_price, admitted_at = parse_entry(entry)
    return answer('admitted', unit_price, admitted_at, 1)
  end
  if settled[id] then
    return answer('known')
  end
  local left_field = 'left:' .. ticket_type
  local left = left_after[left_field] or tonumber(ledger[left_field])
  if not left then
    return answer('no_such_ticket_type')
  end
  if not_open then
    return answer('not_open', ledger.opens_at)
  end
  if closed then
    return answer('closed')
  end
  if paused then
    return answer('paused')
  end
  if journal_room <= 0 then
    return answer('journal_full')
  end
  local wanted = tonumber(quantity)
  if left < wanted then
    return answer('sold_out', left)
  end
  local already_held = held_after[user] or tonumber(held[user] or 0)
  if already_held + wanted > max_per_user then
    return answer('over_limit', max_per_user, already_held)
  end

  local unit_price = ledger['price:' .. ticket_type]
  entry = content .. unit_price .. ':' .. now_text
  left_after[left_field] = left - wanted
  held_after[user] = already_held + wanted
  journal[id] = entry
  journal_room = journal_room - 1
  entries[#entries + 1] = id
  entries[#entries + 1] = entry
  answer('admitted', unit_price, now_text, 0)
end

for i = 3, #ARGV, 4 do
  admit(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end

write('HSET', KEYS[1], pairs_list(left_after, integer))
write('HSET', KEYS[2], pairs_list(held_after, integer))
write('HSET', KEYS[3], entries)
changed(KEYS[1], entries)
return reply
