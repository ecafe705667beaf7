-- platform, place, since when
local gaps = key('gaps', ARGV[FIRST])
local since = call('ZSCORE', gaps, ARGV[FIRST + 1])
if since and tonumber(since) >= tonumber(ARGV[FIRST + 2]) then
  call('ZREM', gaps, ARGV[FIRST + 1])
end
