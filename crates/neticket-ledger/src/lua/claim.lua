--[[ Compares a node's fingerprint with those of all other nodes, and claims it for the node if none differs.

  KEYS  1 claims           hash    node (16 bytes) → when it was claimed (8 bytes, milliseconds since 1970),
                                   database (16 bytes), token secret (16 bytes). Nodes of all versions read
                                   it: another layout needs another key.
  ARGV  1 node             16 bytes
        2 database         16 bytes
        3 token_secret     16 bytes
        4 age_max_ms       how old a claim may be
        5 claims_max       how many claims there may be; 0 to compare only
  RETURNS  1 if the database of another node differs, else 0; the same for the token secret

  One script, so that of two different nodes that start at the same time one sees the other, and so that the
  clock that dates a claim is also the clock that measures its age. ]]

local now, claims_max = now_ms(), tonumber(ARGV[5])
local others, has_claim, database_differs, token_secret_differs = 0, false, 0, 0
local claims = redis.call('HGETALL', KEYS[1])
for i = 1, #claims, 2 do
  local node, claim = claims[i], claims[i + 1]
  if unpack_number('>i8', claim) < now - tonumber(ARGV[4]) then
    if claims_max > 0 then
      redis.call('HDEL', KEYS[1], node)
    end
  elseif node == ARGV[1] then
    has_claim = true
  else
    others = others + 1
    if sub(claim, 9, 24) ~= ARGV[2] then
      database_differs = 1
    end
    if sub(claim, 25, 40) ~= ARGV[3] then
      token_secret_differs = 1
    end
  end
end
-- A node that has a claim keeps it. Only a node that starts is refused.
if has_claim or (database_differs + token_secret_differs == 0 and others < claims_max) then
  redis.call('HSET', KEYS[1], ARGV[1], pack('>i8', now) .. ARGV[2] .. ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return { database_differs, token_secret_differs }
