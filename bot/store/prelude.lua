-- Stands before every script. ARGV 1-14 are the store's: see bot/store/server.py.
-- Time is the server's own (TIME), so that leases and retention never depend on
-- a client's clock; when a message was sent and edited is the platform's word.
-- KEYS[1] only names the node: all keys carry the tag that is in the prefix.

local PREFIX = ARGV[1]
local RETENTION_S = tonumber(ARGV[2])
local MAX_LOG = tonumber(ARGV[3])
local MAX_TURNS = tonumber(ARGV[4])
local SEEN_S = tonumber(ARGV[5])
local STOP_S = tonumber(ARGV[6])
local DAY_S = tonumber(ARGV[7])
local MAX_PARKED = tonumber(ARGV[8])
local MAX_PLACES = tonumber(ARGV[9])
local BELL = ARGV[10]
local NOTE_S = tonumber(ARGV[11])
local MAX_GONE = tonumber(ARGV[12])
local TRACE_S = tonumber(ARGV[13])
local MAX_TRACED = tonumber(ARGV[14])
local FIRST = 15
local call = redis.call
local time = call('TIME')
local NOW = tonumber(time[1]) * 1000000 + tonumber(time[2])
local OLDEST = NOW - RETENTION_S * 1000000

local function key(kind, id)
  return id and (PREFIX .. kind .. ':' .. id) or (PREFIX .. kind)
end

-- Lua writes large numbers with 14 digits; microseconds have 16.
local function whole(number)
  return string.format('%.0f', number)
end

-- A record: header (JSON), when it was stored, when it was last edited, text.
local function frame(header, kept, changed, text)
  return header .. '\n' .. kept .. '\n' .. changed .. '\n' .. text
end

local function parts(record)
  return string.match(record, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
end

local function edited(record, changed_at, text)
  local header, kept, changed = parts(record)
  if changed ~= '' and tonumber(changed_at) < tonumber(changed) then
    return record
  end
  return frame(header, kept, changed_at, text)
end

local function channel_of(conversation)
  return string.match(conversation, '^(.*):[^:]*$')
end

-- Reads one message of seven arguments: as bot/store/records.py lays them out.
local function message_at(at)
  return {
    channel = ARGV[at], id = ARGV[at + 1], sent_at = ARGV[at + 2], thread = ARGV[at + 3],
    person = ARGV[at + 4], header = ARGV[at + 5], text = ARGV[at + 6],
  }
end

-- Leases -------------------------------------------------------------------

local function holds(conversation, fence)
  return call('HGET', key('state', conversation), 'fence') == fence
end

local function lease_lost()
  return redis.error_reply('LEASELOST the fence is not the newest')
end

-- Also the script's first write. Redis refuses a script for want of memory only
-- at its first write, and EXPIRE needs none: who holds a lease may finish.
local function touch(conversation)
  call('EXPIRE', key('state', conversation), RETENTION_S)
end

local function ring(conversation)
  if call('ZADD', key('waiting'), 'NX', whole(NOW), conversation) == 1 then
    call('PUBLISH', BELL, string.match(PREFIX, '{s(%d+)}'))
  end
end

local function wake(conversation)
  if call('EXISTS', key('mail', conversation)) == 1 then ring(conversation) end
end

local function drop_mail(conversation, id)
  local dropped = call('HDEL', key('mail', conversation), id)
  if call('EXISTS', key('mail', conversation)) == 0 then
    call('ZREM', key('waiting'), conversation)
  end
  return dropped
end

-- Marks and indexes --------------------------------------------------------

local function mark_of(channel, id)
  return call('GET', key('mark', channel .. ':' .. id))
end

local function conversation_in(mark)
  return mark and string.find(mark, ':', 1, true) and mark or nil
end

local function mark_as(channel, id, conversation)
  call('SET', key('mark', channel .. ':' .. id), conversation, 'EX', RETENTION_S + DAY_S)
end

local function lead_back(channel, id, conversation)
  if mark_of(channel, id) ~= 'gone' then mark_as(channel, id, conversation) end
end

local function note_said(message)
  local said = key('said', message.person)
  call('ZADD', said, whole(NOW), message.channel .. '\n' .. message.id)
  call('ZREMRANGEBYSCORE', said, '-inf', whole(OLDEST - DAY_S * 1000000))
  call('EXPIRE', said, RETENTION_S + DAY_S)
end

-- The log ------------------------------------------------------------------

-- Every change of a channel's log has a number, so that an index that read up to one can go on
-- from there: a message stands in `changes` as long as it is there, and then in `gone`.
local function note_change(channel, id)
  local revision = call('INCR', key('revision', channel))
  call('ZADD', key('changes', channel), revision, id)
  call('EXPIRE', key('changes', channel), RETENTION_S)
  call('EXPIRE', key('revision', channel), RETENTION_S + DAY_S)
  return revision
end

local function note_gone(channel, id)
  local gone = key('gone', channel)
  call('ZADD', gone, call('INCR', key('revision', channel)), id)
  call('ZREM', key('changes', channel), id)
  call('ZREMRANGEBYRANK', gone, 0, -MAX_GONE - 1)
  call('EXPIRE', gone, RETENTION_S)
  call('EXPIRE', key('revision', channel), RETENTION_S + DAY_S)
  call('HDEL', key('vectors', channel), id)
end

local function drop_logged(channel, id)
  local record = call('HGET', key('bodies', channel), id)
  if not record then return 0 end
  call('HDEL', key('bodies', channel), id)
  call('ZREM', key('log', channel), id)
  call('ZREM', key('ages', channel), id)
  note_gone(channel, id)
  local thread = cjson.decode((parts(record))).place.thread
  if thread ~= '' then
    call('ZREM', key('thread', channel .. ':' .. thread), id)
  end
  return 1
end

-- Keeps the count of what is gone: its id, and no word of it.
local function note_deleted(channel, id)
  local record = call('HGET', key('bodies', channel), id)
  if not record then return end
  local thread = cjson.decode((parts(record))).place.thread
  local deleted = key('deleted', channel)
  call('ZADD', deleted, call('ZSCORE', key('log', channel), id), thread .. '\n' .. id)
  call('ZREMRANGEBYRANK', deleted, 0, -MAX_LOG - 1)
  call('EXPIRE', deleted, RETENTION_S)
end

-- What was noted of a message goes with what it said.
local function drop_notes(channel, id)
  local noted = key('noted', channel .. ':' .. id)
  for _, digest in ipairs(call('SMEMBERS', noted)) do
    call('DEL', key('note', channel .. ':' .. digest))
  end
  call('DEL', noted)
end

-- A command that holds the words of a message goes with that.
local function note_copy(channel, of, id)
  local copies = key('copies', channel .. ':' .. of)
  call('SADD', copies, id)
  call('EXPIRE', copies, RETENTION_S + DAY_S)
end

local function take_copies(channel, of)
  local copies = key('copies', channel .. ':' .. of)
  local ids = call('SMEMBERS', copies)
  call('DEL', copies)
  return ids
end

local function trim_log(channel)
  for _, id in ipairs(call('ZRANGEBYSCORE', key('ages', channel), '-inf', whole(OLDEST))) do
    drop_logged(channel, id)
  end
  local over = call('ZCARD', key('log', channel)) - MAX_LOG
  if over > 0 then
    for _, id in ipairs(call('ZRANGE', key('log', channel), 0, over - 1)) do
      drop_logged(channel, id)
    end
  end
end

local function is_logged(channel, id)
  return call('HEXISTS', key('bodies', channel), id) == 1
end

local function log_message(message)
  local channel, id = message.channel, message.id
  call('HSET', key('bodies', channel), id, frame(message.header, whole(NOW), '', message.text))
  call('ZADD', key('log', channel), message.sent_at, id)
  call('ZADD', key('ages', channel), whole(NOW), id)
  for _, kind in ipairs({'bodies', 'log', 'ages'}) do
    call('EXPIRE', key(kind, channel), RETENTION_S)
  end
  note_change(channel, id)
  call('ZREM', key('gone', channel), id)
  if message.thread ~= '' then
    local thread = key('thread', channel .. ':' .. message.thread)
    call('ZADD', thread, message.sent_at, id)
    call('EXPIRE', thread, RETENTION_S)
  end
  note_said(message)
  trim_log(channel)
end

-- What was heard, and gaps ---------------------------------------------------

local function keep_newest(places)
  call('ZREMRANGEBYRANK', places, 0, -MAX_PLACES - 1)
end

-- A place is `channel:thread:direct`, as bot/store/records.py reads it back.
local function note_heard(message, goes_on)
  local heard = key('heard', string.match(message.channel, '^[^:]*'))
  local direct = string.find(message.header, '"direct":true', 1, true) and ':1' or ':0'
  local begin = message.channel .. ':'
  local place = begin .. message.thread .. direct
  local here = call('ZADD', heard, 'GT', message.sent_at, place)
  local new = here
  if goes_on ~= '' and goes_on ~= message.thread then
    new = new + call('ZADD', heard, 'GT', message.sent_at, begin .. goes_on .. direct)
  end
  if new > 0 then
    keep_newest(heard)
    local platform = string.match(message.channel, '^[^:]*')
    call('SET', key('first', platform), time[1], 'NX')
    -- Direct messages are in no list of places: an earlier one may have found nobody listening.
    if here > 0 and direct == ':1' then
      call('ZADD', key('gaps', platform), 'NX', message.sent_at, place)
    end
  end
end

-- Mail and turns -----------------------------------------------------------

-- The caller has seen that the message is not gone.
-- What was edited before it became mail is answered as it reads now.
-- A message that this script has logged is noted and unedited: `fresh`.
local function put_mail(message, conversation, fresh)
  local changed, text = '', message.text
  local logged = not fresh and call('HGET', key('bodies', message.channel), message.id)
  if logged then
    local _, _, logged_changed, logged_text = parts(logged)
    if logged_changed ~= '' then changed, text = logged_changed, logged_text end
  end
  local record = frame(message.header, whole(NOW), changed, text)
  call('HSET', key('mail', conversation), message.id, record)
  call('EXPIRE', key('mail', conversation), RETENTION_S)
  mark_as(message.channel, message.id, conversation)
  if not fresh then note_said(message) end
  if not call('ZSCORE', key('leased'), conversation) then
    ring(conversation)
  end
end

-- Mail that was put aside ends with the retention, and the oldest where there is too much.
local function trim_parked()
  local parked, kept_at = call('HGETALL', key('parked')), {}
  for at = 1, #parked, 2 do
    local _, kept = parts(parked[at + 1])
    if tonumber(kept) <= OLDEST then
      call('HDEL', key('parked'), parked[at])
    else
      table.insert(kept_at, {tonumber(kept), parked[at]})
    end
  end
  table.sort(kept_at, function(one, other) return one[1] < other[1] end)
  for at = 1, #kept_at - MAX_PARKED do
    call('HDEL', key('parked'), kept_at[at][2])
  end
  call('EXPIRE', key('parked'), RETENTION_S)
end

local function age_turns(conversation)
  local turns = key('turns', conversation)
  while true do
    local record = call('LINDEX', turns, 0)
    if not record then return end
    local _, kept = parts(record)
    if tonumber(kept) > OLDEST then return end
    call('LPOP', turns)
  end
end

-- Whether Jay has mail, turns or a reply there.
local function takes_part(conversation)
  age_turns(conversation)
  return call('EXISTS', key('mail', conversation), key('turns', conversation)) > 0
    or call('HEXISTS', key('state', conversation), 'reply') == 1
end

local function names(header, id)
  for _, named in ipairs(header.message_ids) do
    if named == id then return true end
  end
  return false
end

-- Calls visit(index, record, header) for every turn that stands in this message.
local function each_turn_of(conversation, id, visit)
  for at, record in ipairs(call('LRANGE', key('turns', conversation), 0, -1)) do
    local head = parts(record)
    if string.find(head, id, 1, true) then
      local header = cjson.decode(head)
      if names(header, id) then visit(at - 1, record, header) end
    end
  end
end

-- Takes a message out everywhere; returns in how many places it stood.
local function erase(channel, id)
  local mark = mark_of(channel, id)
  call('DEL', key('mark', channel .. ':' .. id), key('trace', channel .. ':' .. id))
  drop_notes(channel, id)
  note_deleted(channel, id)
  local count = drop_logged(channel, id)
  local conversation = conversation_in(mark)
  if conversation then
    count = count + drop_mail(conversation, id)
    count = count + call('HDEL', key('parked'), conversation .. '\n' .. id)
    local turns = key('turns', conversation)
    local taken = {}
    each_turn_of(conversation, id, function(_, record) table.insert(taken, record) end)
    for _, record in ipairs(taken) do
      count = count + call('LREM', turns, 1, record)
    end
    if call('HGET', key('state', conversation), 'answers') == id then
      call('SET', key('stop', conversation), '1', 'EX', STOP_S)
    end
  end
  call('SET', key('mark', channel .. ':' .. id), 'gone', 'EX', RETENTION_S + DAY_S)
  for _, copy in ipairs(take_copies(channel, id)) do
    count = count + erase(channel, copy)
  end
  return count
end

-- Digests ------------------------------------------------------------------

local function drop_digest(person, id, channel)
  local member = person .. '\n' .. id
  call('ZREM', key('due'), member)
  call('ZREM', key('digested', channel), member)
  return call('HDEL', key('digests', person), id)
end
