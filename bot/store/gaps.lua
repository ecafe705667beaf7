-- platform, how many; returns place and since when, in turn
return call('ZREVRANGE', key('gaps', ARGV[FIRST]), 0, tonumber(ARGV[FIRST + 1]) - 1, 'WITHSCORES')
