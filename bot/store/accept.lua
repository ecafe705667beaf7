-- conversation (empty: log only), bound of the mailbox, thread where it goes on, whether it may
-- be a follow-up (1 or 0), message
local conversation, waiting = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local goes_on, may_follow = ARGV[FIRST + 2], ARGV[FIRST + 3] == '1'
local message = message_at(FIRST + 4)
local FOLLOWERS = 200

-- The conversation of its thread, or of what it answers, if Jay takes part there: asked here,
-- where no mention can come between the answer and what is done with it.
local function conversation_that_it_follows()
  local said = cjson.decode(message.header)
  local candidate = said.reply_to ~= '' and conversation_in(mark_of(message.channel, said.reply_to))
  if message.thread ~= '' and (not candidate or said.place.platform == 'discord') then
    candidate = message.channel .. ':' .. message.thread
  end
  return candidate and takes_part(candidate) and candidate or ''
end

local function has_room()
  return call('HLEN', key('mail', conversation)) < waiting
end

-- What people said after this message, in its thread or in answer to it, was judged without it
-- where it overtook it on the way. It is Jay's as well: each is put into the mailbox now.
local function take_in_followers()
  local channel, answered = message.channel, {[message.id] = true}
  local thread = message.thread ~= '' and message.thread or goes_on
  local later = call(
    'ZRANGEBYSCORE', key('log', channel), '(' .. message.sent_at, '+inf', 'LIMIT', 0, FOLLOWERS
  )
  for _, id in ipairs(later) do
    local header, _, _, text = parts(call('HGET', key('bodies', channel), id))
    local said = cjson.decode(header)
    local follows = answered[said.reply_to] or (thread ~= '' and said.place.thread == thread)
    if follows and not (said.mentions_others or conversation_in(mark_of(channel, id))) then
      if not has_room() then return end
      answered[id] = true
      put_mail({
        channel = channel, id = id, thread = said.place.thread, header = header, text = text,
        person = said.place.platform .. ':' .. said.author.id,
      }, conversation)
    end
  end
end

if conversation == '' and may_follow then
  conversation = conversation_that_it_follows()
end
note_heard(message, goes_on)
local mark = mark_of(message.channel, message.id)
local seen = mark == 'seen' or is_logged(message.channel, message.id)
if mark == 'gone' or conversation_in(mark) or (seen and conversation == '') then
  return 0
end
if not seen then
  log_message(message)
end
if conversation == '' or not has_room() then
  call('SET', key('mark', message.channel .. ':' .. message.id), 'seen', 'EX', SEEN_S)
  return conversation == '' and 1 or -1
end
put_mail(message, conversation, not seen)
take_in_followers()
return 1
