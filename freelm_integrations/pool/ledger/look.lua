-- The counts and marks as they are; changes nothing.
-- KEYS: marks, news, workers, then a page for every window. ARGV: utc, writer, seen.
local marks, seen = heard(KEYS[1], KEYS[2], ARGV[2], ARGV[3])
local counts = {}
for index = 4, #KEYS do counts[index - 3] = told(load(KEYS[index])) end
return {counts, spelled(marks), seen, redis.call("ZCARD", KEYS[3])}
