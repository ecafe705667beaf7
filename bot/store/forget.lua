-- person, how many messages at most; returns how much was erased, and how many messages are left
local said = key('said', ARGV[FIRST])
local count = 0
for _, member in ipairs(call('ZRANGE', said, 0, tonumber(ARGV[FIRST + 1]) - 1)) do
  local channel, id = string.match(member, '^([^\n]*)\n(.*)$')
  count = count + erase(channel, id)
  call('ZREM', said, member)
end
local digests = call('HGETALL', key('digests', ARGV[FIRST]))
for at = 1, #digests, 2 do
  local about = cjson.decode(digests[at + 1]).about
  local channel = about.platform .. ':' .. about.workspace .. ':' .. about.channel
  count = count + drop_digest(ARGV[FIRST], digests[at], channel)
end
return {count, call('ZCARD', said)}
