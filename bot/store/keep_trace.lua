-- channel, thread, person, message id, when it was whole (seconds), trace (JSON)
local channel, thread, person, id, at, trace = unpack(ARGV, FIRST, FIRST + 5)
if mark_of(channel, id) == 'gone' then return 0 end
local life, traced = math.min(TRACE_S, RETENTION_S), key('traced', channel)
call('SET', key('trace', channel .. ':' .. id), trace, 'EX', life)
call('ZADD', traced, at, thread .. '\n' .. person .. '\n' .. id)
call('ZREMRANGEBYRANK', traced, 0, -MAX_TRACED - 1)
call('EXPIRE', traced, life)
return 1
