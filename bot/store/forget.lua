-- person, how many at most; returns how many were erased, and how many messages are left
local said = key('said', ARGV[FIRST])
local count = 0
for _, member in ipairs(call('ZRANGE', said, 0, tonumber(ARGV[FIRST + 1]) - 1)) do
  local channel, id = string.match(member, '^([^\n]*)\n(.*)$')
  count = count + erase(channel, id)
  call('ZREM', said, member)
end
return {count, call('ZCARD', said)}
