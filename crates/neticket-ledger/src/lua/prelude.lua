--[[ What the scripts share; put in front of each of them. No KEYS and no ARGV of its own.

  Numbers: Lua's are doubles, exact up to 2^53. Seats, limits, epochs and milliseconds stay far below; prices are never
  reckoned with here and travel as the text they came in. ]]

-- unpack() fits about 8,000 values on Lua's stack. Even, so that pairs stay together.
local CHUNK = 4000

-- The run of this server process. A server that restarts from an old file has another one.
local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- tostring() would write large numbers with an exponent.
local function integer(number)
  return string.format('%.0f', number)
end

-- The whole hash as a table.
local function hgetall(key)
  local words, values = redis.call('HGETALL', key), {}
  for i = 1, #words, 2 do
    values[words[i]] = words[i + 1]
  end
  return values
end

-- The values of these fields by field; false where there is none.
local function hmget(key, fields)
  local values = {}
  for from = 1, #fields, CHUNK do
    local part = redis.call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #part do
      values[fields[from + i - 1]] = part[i]
    end
  end
  return values
end

-- Runs `command key words…`, in as many calls as it takes; none for no words.
local function write(command, key, words)
  for from = 1, #words, CHUNK do
    redis.call(command, key, unpack(words, from, math.min(from + CHUNK - 1, #words)))
  end
end

-- The pairs of a table as a list, each value through `text` if given.
local function pairs_list(values, text)
  local words = {}
  for field, value in pairs(values) do
    words[#words + 1] = field
    words[#words + 1] = text and text(value) or value
  end
  return words
end

-- Whether the ledger is there and of this server run; and its epoch.
local function of_this_run(ledger_key)
  local ledger = redis.call('HMGET', ledger_key, 'epoch', 'run_id')
  return ledger[1] and ledger[2] == run_id(), ledger[1]
end

-- Makes the next look at the ledger see another revision, if there are any such changes.
local function changed(ledger_key, changes)
  if #changes > 0 then
    redis.call('HINCRBY', ledger_key, 'revision', 1)
  end
end

-- user, ticket type, quantity, unit price and time of admission of a journal entry, as text.
local function parse_entry(entry)
  return string.match(entry, '^(%-?%d+):(%-?%d+):(%d+):(%d+):(%-?%d+)$')
end

-- Adds to the seats left, and takes from what users hold. A ticket type or a user that the ledger does not know is not
-- made up here, and nobody comes to hold less than nothing.
local function give_back(ledger_key, left_back, holdings_key, held_back)
  local function change(key, changes, changed)
    local fields = {}
    for field in pairs(changes) do
      fields[#fields + 1] = field
    end
    local words = {}
    for field, value in pairs(hmget(key, fields)) do
      if value then
        words[#words + 1] = field
        words[#words + 1] = integer(changed(tonumber(value), changes[field]))
      end
    end
    write('HSET', key, words)
  end
  change(ledger_key, left_back, function(left, back)
    return left + back
  end)
  change(holdings_key, held_back, function(held, back)
    return math.max(0, held - back)
  end)
end

-- Adds what view.lua tells of a ledger to a reply: from the epoch on.
local function view(ledger, pending, reply)
  local ticket_types = {}
  for field, value in pairs(ledger) do
    local ticket_type = string.match(field, '^left:(%-?%d+)$')
    if ticket_type then
      ticket_types[#ticket_types + 1] = ticket_type
      ticket_types[#ticket_types + 1] = value
    end
  end
  reply[#reply + 1] = ledger.epoch
  reply[#reply + 1] = ledger.paused
  reply[#reply + 1] = pending
  reply[#reply + 1] = #ticket_types / 2
  for i = 1, #ticket_types do
    reply[#reply + 1] = ticket_types[i]
  end
end
