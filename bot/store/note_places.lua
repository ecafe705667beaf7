-- platform, since when, places
local heard, gaps = key('heard', ARGV[FIRST]), key('gaps', ARGV[FIRST])
local first, since = call('GET', key('first', ARGV[FIRST])), ARGV[FIRST + 1]
if not first then return end
if tonumber(first) > tonumber(since) then since = first end
for at = FIRST + 2, #ARGV do
  if not call('ZSCORE', gaps, ARGV[at]) then
    call('ZADD', gaps, since, ARGV[at])
    call('ZADD', heard, 'NX', since, ARGV[at])
  end
end
keep_newest(heard)
keep_newest(gaps)
