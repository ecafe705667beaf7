-- conversation, fence, ids of mail to put aside
local conversation, fence = ARGV[FIRST], ARGV[FIRST + 1]
if not holds(conversation, fence) then return lease_lost() end
touch(conversation)
for at = FIRST + 2, #ARGV do
  local record = call('HGET', key('mail', conversation), ARGV[at])
  if record then
    local header, _, changed, text = parts(record)
    local field = conversation .. '\n' .. ARGV[at]
    call('HSET', key('parked'), field, frame(header, whole(NOW), changed, text))
    drop_mail(conversation, ARGV[at])
  end
end
trim_parked()
call('HDEL', key('state', conversation), 'reply', 'answers')
