-- conversation
return takes_part(ARGV[FIRST]) and 1 or 0
