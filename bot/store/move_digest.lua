-- person, digest id, when it was due, when it is due next, record
local person, id, was_due, due, record = unpack(ARGV, FIRST, FIRST + 4)
local member = person .. '\n' .. id
local score = call('ZSCORE', key('due'), member)
if not score or tonumber(score) ~= tonumber(was_due) then return 0 end
call('HSET', key('digests', person), id, record)
call('ZADD', key('due'), due, member)
return 1
