--[[ Replaces the status of one node in the node registry, and deletes statuses that have expired.

  KEYS  1 nodes            hash    node (16 bytes) → when it was written (8 bytes, milliseconds since 1970),
                                 status
  ARGV  1 node             16 bytes
        2 status             the status, any bytes
        3 expiry_ms        how long a status is kept
        4 nodes_max        how many statuses there may be
  RETURNS  nothing

  One script, so that the server's own clock dates the status, and so that there are never more than
  nodes_max. ]]

local now = now_ms()
local kept, has_status = 0, false
local statuses = redis.call('HGETALL', KEYS[1])
for i = 1, #statuses, 2 do
  if unpack_number('>i8', statuses[i + 1]) < now - tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], statuses[i])
  else
    kept = kept + 1
    has_status = has_status or statuses[i] == ARGV[1]
  end
end
if has_status or kept < tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], ARGV[1], pack('>i8', now) .. ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return false
