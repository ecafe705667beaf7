-- conversation (empty: log only), bound of the mailbox, thread where it goes on, message
local conversation, waiting = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local goes_on, message = ARGV[FIRST + 2], message_at(FIRST + 3)
local FOLLOWERS = 200

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
