-- conversation, fence, reply (JSON), ids of what it answers by newlines, message ids that show it
local conversation, fence, reply, answers = unpack(ARGV, FIRST, FIRST + 3)
if not holds(conversation, fence) then return lease_lost() end
touch(conversation)
call('HSET', key('state', conversation), 'reply', reply, 'answers', answers)
for at = FIRST + 4, #ARGV do
  lead_back(channel_of(conversation), ARGV[at], conversation)
end
