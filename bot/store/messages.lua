-- channel, thread (empty: the whole channel), limit, since
local channel, thread, limit, since = unpack(ARGV, FIRST, FIRST + 3)
trim_log(channel)
local index = thread == '' and key('log', channel) or key('thread', channel .. ':' .. thread)
local found = {}
for _, id in ipairs(call('ZREVRANGEBYSCORE', index, '+inf', since, 'LIMIT', 0, limit)) do
  table.insert(found, call('HGET', key('bodies', channel), id))
end
-- A thread hangs on a message of the channel, which belongs to it.
local root = thread ~= '' and call('ZSCORE', key('log', channel), thread)
if root and tonumber(root) >= tonumber(since) and not call('ZSCORE', index, thread) then
  table.insert(found, call('HGET', key('bodies', channel), thread))
end
return found
