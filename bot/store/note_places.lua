-- platform, since when, places
local heard, gaps = key('heard', ARGV[FIRST]), key('gaps', ARGV[FIRST])
local since = ARGV[FIRST + 1]
for at = FIRST + 2, #ARGV do
  if not call('ZSCORE', gaps, ARGV[at]) then
    call('ZADD', gaps, since, ARGV[at])
    call('ZADD', heard, 'NX', since, ARGV[at])
  end
end
keep_newest(heard)
keep_newest(gaps)
