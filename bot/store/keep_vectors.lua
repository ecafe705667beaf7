-- channel, then pairs of message id and vector; only of messages that are there
local channel = ARGV[FIRST]
local vectors = key('vectors', channel)
for at = FIRST + 1, #ARGV, 2 do
  if is_logged(channel, ARGV[at]) then call('HSET', vectors, ARGV[at], ARGV[at + 1]) end
end
call('EXPIRE', vectors, RETENTION_S)
