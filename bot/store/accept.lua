-- conversation (empty: log only), bound of the mailbox, thread where it goes on, message
local conversation, waiting = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local goes_on, message = ARGV[FIRST + 2], message_at(FIRST + 3)
note_heard(message, goes_on)
local mark = mark_of(message.channel, message.id)
local seen = mark == 'seen' or is_logged(message.channel, message.id)
if mark == 'gone' or conversation_in(mark) or (seen and conversation == '') then
  return 0
end
if not seen then
  log_message(message)
end
if conversation == '' or call('HLEN', key('mail', conversation)) >= waiting then
  call('SET', key('mark', message.channel .. ':' .. message.id), 'seen', 'EX', SEEN_S)
  return conversation == '' and 1 or -1
end
put_mail(message, conversation, not seen)
return 1
