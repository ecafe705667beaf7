-- conversation
local conversation = ARGV[FIRST]
age_turns(conversation)
return call('EXISTS', key('mail', conversation), key('turns', conversation))
  + call('HEXISTS', key('state', conversation), 'reply')
