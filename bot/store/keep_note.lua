-- channel, digest, text, message ids
local channel, digest, text = unpack(ARGV, FIRST, FIRST + 2)
for at = FIRST + 3, #ARGV do
  if mark_of(channel, ARGV[at]) == 'gone' then return 0 end
end
local life = math.min(NOTE_S, RETENTION_S)
call('SET', key('note', channel .. ':' .. digest), text, 'EX', life)
for at = FIRST + 3, #ARGV do
  local noted = key('noted', channel .. ':' .. ARGV[at])
  call('SADD', noted, digest)
  call('EXPIRE', noted, life)
end
return 1
