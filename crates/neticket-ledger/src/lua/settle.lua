--[[ Moves committed reservations of one event from the journal to the settled ones.

  KEYS  1 ledger           hash    see admit.lua
        2 journal          hash
        3 settled          hash
  ARGV  1 epoch            the epoch they were committed under; under another one nothing happens
        then per reservation   id
  RETURNS  nothing

  One script, so that an id is at every moment in the journal or settled: never in neither, or a repeat would take seats again. ]]

local this_run, epoch = of_this_run(KEYS[1])
if not this_run or epoch ~= ARGV[1] then
  return false
end

local ids = {}
for i = 2, #ARGV do
  ids[#ids + 1] = ARGV[i]
end

local moved, marks = {}, {}
for id, entry in pairs(hmget(KEYS[2], ids)) do
  if entry then
    moved[#moved + 1] = id
    marks[#marks + 1] = id
    marks[#marks + 1] = 's'
  end
end

write('HDEL', KEYS[2], moved)
write('HSET', KEYS[3], marks)
changed(KEYS[1], moved)
return false
