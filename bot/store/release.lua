-- conversation, fence
local conversation, fence = ARGV[FIRST], ARGV[FIRST + 1]
if call('HEXISTS', key('state', conversation), 'fence') == 0 then return end
if not holds(conversation, fence) then return lease_lost() end
call('HDEL', key('state', conversation), 'fence')
call('ZREM', key('leased'), conversation)
wake(conversation)
