-- worker, length of the lease in microseconds
-- returns conversation and fence; or nothing and the microseconds until a lease runs out (-1: none)
local worker, lease = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local waiting, leased = key('waiting'), key('leased')
-- No lease is that long (bot/settings.py): the server's clock was set back since it was taken.
local longest = NOW + 300 * 1000000
for _, conversation in ipairs(call('ZRANGEBYSCORE', leased, '(' .. whole(longest), '+inf')) do
  call('ZADD', leased, whole(NOW + lease), conversation)
end
local lapsed = call('ZRANGEBYSCORE', leased, '-inf', whole(NOW), 'WITHSCORES')
for at = 1, #lapsed, 2 do
  call('ZREM', leased, lapsed[at])
  if call('EXISTS', key('mail', lapsed[at])) == 1 then
    call('ZADD', waiting, 'NX', lapsed[at + 1], lapsed[at])
  end
end
while true do
  local conversation = call('ZRANGE', waiting, 0, 0)[1]
  if not conversation then break end
  call('ZREM', waiting, conversation)
  if call('EXISTS', key('mail', conversation)) == 1 then
    -- The clock's, so that a store that lost its last writes (a replica that became
    -- master, a flush) never gives out a fence again that somebody still holds.
    local fence = math.max(tonumber(call('GET', key('fences')) or 0) + 1, NOW)
    call('SET', key('fences'), whole(fence))
    call('HSET', key('state', conversation), 'fence', whole(fence), 'worker', worker)
    touch(conversation)
    call('DEL', key('stop', conversation))
    call('ZADD', leased, whole(NOW + lease), conversation)
    return {conversation, fence}
  end
end
local first = call('ZRANGE', leased, 0, 0, 'WITHSCORES')
return {'', first[2] and math.max(0, tonumber(first[2]) - NOW) or -1}
