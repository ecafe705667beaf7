-- conversation, command, the message whose words it holds
local conversation, message, about = ARGV[FIRST], message_at(FIRST + 1), ARGV[FIRST + 8]
local mark = mark_of(message.channel, message.id)
if mark == 'gone' or conversation_in(mark) then
  return 0
end
if about ~= '' then
  if mark_of(message.channel, about) == 'gone' then message.text = '' end
  note_copy(message.channel, about, message.id)
end
put_mail(message, conversation)
return 1
