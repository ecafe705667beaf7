-- messages; returns how many are in the log that were not
local before, added, count = {}, {}, 0
for at = FIRST, #ARGV, 7 do
  local message = message_at(at)
  local member = message.channel .. '\n' .. message.id
  before[member] = is_logged(message.channel, message.id)
end
for at = FIRST, #ARGV, 7 do
  local message = message_at(at)
  local channel, id = message.channel, message.id
  if mark_of(channel, id) ~= 'gone' and not is_logged(channel, id) then
    log_message(message)
    added[channel .. '\n' .. id] = {channel, id}
  end
end
-- One that the bound dropped and that came again was there before.
for member, message in pairs(added) do
  if not before[member] and is_logged(message[1], message[2]) then count = count + 1 end
end
return count
