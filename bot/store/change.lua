-- channel, message id, changed at, text
local channel, id, changed_at, text = unpack(ARGV, FIRST, FIRST + 3)
local function edit(hash)
  local record = call('HGET', hash, id)
  if record then
    call('HSET', hash, id, edited(record, changed_at, text))
  end
end
edit(key('bodies', channel))
drop_notes(channel, id)
if is_logged(channel, id) then
  note_change(channel, id)
  call('HDEL', key('vectors', channel), id)
end
local conversation = conversation_in(mark_of(channel, id))
if conversation then
  local parked = call('HGET', key('parked'), conversation .. '\n' .. id)
  if parked then
    call('HSET', key('parked'), conversation .. '\n' .. id, edited(parked, changed_at, text))
  end
  edit(key('mail', conversation))
  each_turn_of(conversation, id, function(at, record, header)
    if header.role == 'person' then
      call('LSET', key('turns', conversation), at, edited(record, changed_at, text))
    end
  end)
end
