--[[ Functions that the scripts share. This file is put in front of each of them. It has no KEYS and no ARGV.

  Numbers: Lua's are doubles, exact up to 2^53. Seats, limits, epochs and milliseconds stay far below. Scripts
  never calculate with prices and ids: these stay the bytes that they were received as.

  Bytes: data of which there is one per reservation is packed, with big-endian numbers, because every string
  that a script creates and every argument of a Redis command costs time. The layouts, with lengths in bytes:
    content      user 8, ticket type 8, quantity 4
    request      id 16, content 20, unit price 8 (the price that the caller has seen; all bits set: any price)
    release      id 16, content 20, epoch 8
    entry        content 20, unit price 8, admitted at 8 (milliseconds since 1970)
    record       tickets held 4, then per reservation of this epoch: id 16, mark 1: h (it counts) or r
                 (cancelled, its seats are given back). An h that is not in the journal is settled: the store
                 has it. ]]

local sub, byte, find = string.sub, string.byte, string.find
local pack, unpack_number = struct.pack, struct.unpack

-- Lua's stack has room for about 8,000 values of unpack(). The number is even, so that pairs stay together.
local CHUNK = 4000

-- The replication id of this server; nil while it is a replica. It identifies the server run. A master takes
-- a new, random id when it starts and when it is promoted, so data that was written under the present id has
-- not been replaced by older data. A master also takes a new id when its first replica attaches and when it
-- frees its replication backlog. Its ledgers are then loaded again without need.
local function replication_id()
  local info = redis.call('INFO', 'replication')
  if not find(info, 'role:master', 1, true) then
    return nil
  end
  return string.match(info, 'master_replid:(%x+)') or error('INFO names no master_replid')
end

-- Whether the stored `replid` is of the present server run. It is not if `replid` is `false` or nil.
local function is_current(replid)
  return replid and replid == replication_id()
end

-- The run id of this server process. Kept for nodes of earlier versions, which compare only this id.
local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

-- The first 8 bytes of the tokens of loads that begin in this server run.
local function token_start(replid)
  return (string.gsub(sub(replid or '', 1, 16), '%x%x', function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- tostring() would write large numbers with an exponent.
local function integer(number)
  return string.format('%.0f', number)
end

-- The parts of a packed list: bytes `from` to `to` of each item of `size` bytes.
local function parts(packed, size, from, to)
  local list = {}
  for i = 1, #packed / size do
    local start = (i - 1) * size
    list[i] = sub(packed, start + from, start + to)
  end
  return list
end

-- The whole hash as a table.
local function hgetall(key)
  local fields_and_values, values = redis.call('HGETALL', key), {}
  for i = 1, #fields_and_values, 2 do
    values[fields_and_values[i]] = fields_and_values[i + 1]
  end
  return values
end

-- The values of these fields in their order; false for a field that does not exist.
local function hmget(key, fields)
  if #fields == 0 then
    return {}
  end
  if #fields <= CHUNK then
    return redis.call('HMGET', key, unpack(fields))
  end
  local values = {}
  for from = 1, #fields, CHUNK do
    local chunk = redis.call('HMGET', key, unpack(fields, from, math.min(from + CHUNK - 1, #fields)))
    for i = 1, #chunk do
      values[from + i - 1] = chunk[i]
    end
  end
  return values
end

-- Runs `command key args…`, split into as many calls as necessary, none if there are no arguments. Returns
-- the sum of the answers.
local function write(command, key, args)
  local sum = 0
  for from = 1, #args, CHUNK do
    sum = sum + redis.call(command, key, unpack(args, from, math.min(from + CHUNK - 1, #args)))
  end
  return sum
end

-- Whether the ledger exists and is of this server run; and its epoch.
local function of_this_run(ledger_key)
  local ledger = redis.call('HMGET', ledger_key, 'epoch', 'replid')
  return ledger[1] and is_current(ledger[2]), ledger[1]
end

-- When a journal entry was admitted.
local function admitted_at(entry)
  return (unpack_number('>i8', entry, 29))
end

-- How many tickets this record counts as held; 0 if there is no record.
local function held_by(record)
  return record and unpack_number('>I4', record) or 0
end

-- Where the id begins in the record; nil if it is not there. Ids are 17 bytes apart. A match at another
-- distance consists of parts of two ids.
local function reservation_offset(record, id)
  local at = find(record, id, 5, true)
  while at and (at - 5) % 17 ~= 0 do
    at = find(record, id, at + 1, true)
  end
  return at
end

-- The record with this reservation added; `held` is how many tickets the user then holds.
local function with_reservation(record, held, id, mark)
  return pack('>I4', held) .. (record and sub(record, 5) or '') .. id .. mark
end

-- Adds to the reply what view.lua returns, from the epoch on.
local function view(ledger, journal_len, reply)
  local ticket_types = {}
  for field, value in pairs(ledger) do
    if sub(field, 1, 5) == 'left:' then
      ticket_types[#ticket_types + 1] = sub(field, 6) .. pack('>I4', tonumber(value))
    end
  end
  reply[#reply + 1] = ledger.epoch
  reply[#reply + 1] = ledger.paused
  reply[#reply + 1] = journal_len
  reply[#reply + 1] = table.concat(ticket_types)
end

-- The state of the list of events, as loaded.lua returns it. A load that was in progress when the list was
-- lost may have listed its event before the loss, and may have put a ledger on a master that the scan had
-- passed already. So the masters are scanned a second time, when every such load has ended.
local function list_state(complete_key, rescan_ms)
  local complete = redis.call('HMGET', complete_key, 'replid', 'scans', 'scanned_at')
  if not is_current(complete[1]) then
    return 'incomplete'
  end
  local is_due = complete[2] == '1' and now_ms() - tonumber(complete[3]) >= tonumber(rescan_ms)
  return is_due and 'due' or 'complete'
end
