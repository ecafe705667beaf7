-- conversation, fence
if not holds(ARGV[FIRST], ARGV[FIRST + 1]) then return lease_lost() end
return call('HVALS', key('mail', ARGV[FIRST]))
