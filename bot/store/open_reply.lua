-- conversation, fence
if not holds(ARGV[FIRST], ARGV[FIRST + 1]) then return lease_lost() end
return call('HGET', key('state', ARGV[FIRST]), 'reply')
