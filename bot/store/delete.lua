-- channel, message id
return erase(ARGV[FIRST], ARGV[FIRST + 1])
