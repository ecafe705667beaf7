-- conversation, fence, mark
if not holds(ARGV[FIRST], ARGV[FIRST + 1]) then return lease_lost() end
touch(ARGV[FIRST])
call('HSET', key('state', ARGV[FIRST]), 'window', ARGV[FIRST + 2])
