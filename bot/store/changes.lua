-- channel, revision up to which the reader knows, limit
-- returns {anew, revision, {ids that are gone}, {records}}: see bot/changes.py
local channel, since, limit = ARGV[FIRST], tonumber(ARGV[FIRST + 1]), tonumber(ARGV[FIRST + 2])
trim_log(channel)
local newest = tonumber(call('GET', key('revision', channel)) or '0')
local oldest = call('ZRANGE', key('gone', channel), 0, 0, 'WITHSCORES')[2]
local dropped = oldest and call('ZCARD', key('gone', channel)) >= MAX_GONE
local anew = since == 0 or since > newest or (dropped and since < tonumber(oldest) - 1)
if anew then
  since = 0
  -- What an older Jay logged is not in the order of changes yet.
  if call('ZCARD', key('changes', channel)) < call('ZCARD', key('log', channel)) then
    for _, id in ipairs(call('ZRANGE', key('log', channel), 0, -1)) do
      if not call('ZSCORE', key('changes', channel), id) then note_change(channel, id) end
    end
  end
end
local found = call('ZRANGEBYSCORE', key('changes', channel), '(' .. since, '+inf', 'WITHSCORES',
  'LIMIT', 0, limit)
local records, upto = {}, newest
for at = 1, #found, 2 do
  table.insert(records, call('HGET', key('bodies', channel), found[at]))
  upto = tonumber(found[at + 1])
end
if #records < limit then upto = tonumber(call('GET', key('revision', channel)) or '0') end
local gone = {}
if not anew then
  gone = call('ZRANGEBYSCORE', key('gone', channel), '(' .. since, '+inf')
end
return {anew and 1 or 0, upto, gone, records}
