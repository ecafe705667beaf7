-- returns conversation and message id (by newline), then record, of all that is put aside
trim_parked()
return call('HGETALL', key('parked'))
