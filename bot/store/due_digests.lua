-- until when, how many; returns records
local found = {}
local due = call(
  'ZRANGEBYSCORE', key('due'), '-inf', ARGV[FIRST], 'LIMIT', 0, tonumber(ARGV[FIRST + 1])
)
for _, member in ipairs(due) do
  local person, id = string.match(member, '^([^\n]*)\n(.*)$')
  table.insert(found, call('HGET', key('digests', person), id))
end
return found
