-- version of the data that the caller writes
-- returns the version found; claims what is nobody's. Written again though nothing changes, so
-- that a server that takes no writes says so.
local found = call('GET', key('schema'))
if not found or found == ARGV[FIRST] then call('SET', key('schema'), ARGV[FIRST]) end
return found or ''
