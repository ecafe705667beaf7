-- conversation, message id
local conversation, id = ARGV[FIRST], ARGV[FIRST + 1]
local field = conversation .. '\n' .. id
local record = call('HGET', key('parked'), field)
if not record then return 0 end
call('HDEL', key('parked'), field)
call('HSET', key('mail', conversation), id, record)
call('EXPIRE', key('mail', conversation), RETENTION_S)
lead_back(channel_of(conversation), id, conversation)
if not call('ZSCORE', key('leased'), conversation) then
  wake(conversation)
end
return 1
