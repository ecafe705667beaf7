-- person, digest id, channel, when it is due (0: not by the clock), most of the channel, record
local person, id, channel, due = unpack(ARGV, FIRST, FIRST + 3)
local most, record = tonumber(ARGV[FIRST + 4]), ARGV[FIRST + 5]
local digested, member = key('digested', channel), person .. '\n' .. id
if not call('ZSCORE', digested, member) and call('ZCARD', digested) >= most then return 0 end
call('ZADD', digested, 'NX', whole(NOW), member)
call('HSET', key('digests', person), id, record)
if tonumber(due) > 0 then call('ZADD', key('due'), due, member) end
return 1
