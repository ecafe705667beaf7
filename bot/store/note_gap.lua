-- platform, until when all was heard
local heard, gaps = key('heard', ARGV[FIRST]), key('gaps', ARGV[FIRST])
local heard_until = tonumber(ARGV[FIRST + 1])
local places = call('ZRANGE', heard, 0, -1, 'WITHSCORES')
for at = 1, #places, 2 do
  local since = places[at + 1]
  if tonumber(since) > heard_until then since = ARGV[FIRST + 1] end
  call('ZADD', gaps, 'LT', since, places[at])
end
keep_newest(gaps)
