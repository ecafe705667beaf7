-- conversation, fence, digest of all that follows, number of ids, ids of answered mail,
-- then header and text of each turn
local conversation, fence, digest = unpack(ARGV, FIRST, FIRST + 2)
local answered = tonumber(ARGV[FIRST + 3])
local ids = FIRST + 4
local state, turns = key('state', conversation), key('turns', conversation)
local channel = channel_of(conversation)
if not holds(conversation, fence) then return lease_lost() end
touch(conversation)

-- What was taken back or edited while the reply was made must not return as it was.
local function append(header, text)
  local turn, changed = cjson.decode(header), ''
  for _, id in ipairs(turn.message_ids) do
    if mark_of(channel, id) == 'gone' then return end
  end
  local waits = turn.role == 'person' and turn.message_ids[1]
    and call('HGET', key('mail', conversation), turn.message_ids[1])
  if waits then
    local _, _, mail_changed, mail_text = parts(waits)
    if mail_changed ~= '' then changed, text = mail_changed, mail_text end
  end
  call('RPUSH', turns, frame(header, whole(NOW), changed, text))
  for _, id in ipairs(turn.message_ids) do
    lead_back(channel, id, conversation)
  end
end

-- The same settlement again is a repeat whose answer was lost: nothing is said twice.
if call('HGET', state, 'settled') ~= digest then
  for at = ids + answered, #ARGV, 2 do
    append(ARGV[at], ARGV[at + 1])
  end
  call('HSET', state, 'settled', digest)
end
for at = ids, ids + answered - 1 do
  drop_mail(conversation, ARGV[at])
end
call('HDEL', state, 'reply', 'answers')
call('LTRIM', turns, -MAX_TURNS, -1)
call('EXPIRE', turns, RETENTION_S)
age_turns(conversation)
