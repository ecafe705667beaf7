-- conversation, command
local conversation, message = ARGV[FIRST], message_at(FIRST + 1)
local mark = mark_of(message.channel, message.id)
if mark == 'gone' or conversation_in(mark) then
  return 0
end
put_mail(message, conversation)
return 1
