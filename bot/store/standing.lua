-- channel, revision, message ids
-- returns for each id its record; '' where it stands and is in no log; nil where it doesn't stand
local channel, revision = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local found = {}
for at = FIRST + 2, #ARGV do
  local id = ARGV[at]
  local mark, changed = mark_of(channel, id), call('ZSCORE', key('changes', channel), id)
  local stands = false
  if changed then
    stands = tonumber(changed) <= revision and call('HGET', key('bodies', channel), id)
  elseif conversation_in(mark) and not call('ZSCORE', key('gone', channel), id) then
    stands = ''
  end
  table.insert(found, stands)
end
return found
