-- conversation, fence, length of the lease in microseconds
local conversation, fence, lease = ARGV[FIRST], ARGV[FIRST + 1], tonumber(ARGV[FIRST + 2])
if not holds(conversation, fence) then return lease_lost() end
touch(conversation)
call('ZREM', key('waiting'), conversation)
call('ZADD', key('leased'), whole(NOW + lease), conversation)
return call('EXISTS', key('stop', conversation))
