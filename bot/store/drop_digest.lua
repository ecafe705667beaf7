-- person, digest id, channel
return drop_digest(ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2])
