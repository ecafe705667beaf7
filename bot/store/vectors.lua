-- channel, then message ids; returns a vector for each, or an empty string
local found = {}
for at = FIRST + 1, #ARGV do
  table.insert(found, call('HGET', key('vectors', ARGV[FIRST]), ARGV[at]) or '')
end
return found
