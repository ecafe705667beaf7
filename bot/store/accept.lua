-- conversation (empty: log only), bound of the mailbox, message
local conversation, waiting = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local message = message_at(FIRST + 2)
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
