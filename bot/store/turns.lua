-- conversation
age_turns(ARGV[FIRST])
return call('LRANGE', key('turns', ARGV[FIRST]), 0, -1)
