-- Correct what a claim took, and note what was learned; told twice, it counts once.
-- KEYS: marks, news, ends, workers, probe, done, then a page for every correction.
-- ARGV: utc, id, writer, seen, probe ("" for none), seconds to remember this one, seconds to keep
--       marks, then of every correction: back_at, took, used, moves, again_at, and limit, left,
--       unseen, back_at as said ("" for none), then of every mark: subject, fact, whether it holds,
--       value, until, rests_until, needs_probe.
local id, writer, seen, probe = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local remember_for, longest = tonumber(ARGV[6]), tonumber(ARGV[7])
local marks
marks, seen = heard(KEYS[1], KEYS[2], writer, seen)
local is_first = redis.call("SET", KEYS[6], "1", "NX", "EX", remember_for)
local loaded, pages, argument = {}, {}, 8

local function number(offset) return tonumber(ARGV[argument + offset]) end

local function settle(page)
  local moves, is_alone = number(3), false
  page.moves = page.moves + 1
  if moves then
    page.open = utc > page.open_until and 0 or math.max(0, page.open - 1)
    is_alone = page.open == 0 and page.moves == moves + 1
  end
  local by = number(2) - number(1)
  if by ~= 0 then change(page, number(0), by, number(4)) end
  if number(5) then heed(page, number(5), number(6), number(7), number(8), is_alone) end
end

for index = 7, #KEYS do
  local key = KEYS[index]
  loaded[key] = loaded[key] or load(key)
  pages[#pages + 1] = loaded[key]
  if is_first then settle(loaded[key]) end
  argument = argument + 9
end
local function prevails(old, new)
  return new.fact ~= "rest" or not new.holds or not old.holds or old.until_at <= utc
    or new.rests_until >= old.rests_until
end

local function note(mark)
  if mark.until_at <= utc then return end
  local place = mark.subject .. "\n" .. mark.fact
  local old = redis.call("HGET", KEYS[1], place)
  if old and not prevails(cmsgpack.unpack(old), mark) then return end
  local last = redis.call("ZRANGE", KEYS[2], -1, -1, "WITHSCORES")
  local seq = string.format("%.0f", math.max((tonumber(last[2]) or 0) + 1, math.floor(utc * 1e6)))
  redis.call("HSET", KEYS[1], place, cmsgpack.pack(mark))
  redis.call("ZADD", KEYS[2], seq, place)
  redis.call("ZADD", KEYS[3], said(mark.until_at), place)
end

-- The last mark stays, for the next one's number.
local function forget_the_old()
  local last = redis.call("ZRANGE", KEYS[2], -1, -1)[1]
  local old = redis.call("ZRANGEBYSCORE", KEYS[3], "-inf", said(utc), "LIMIT", 0, 32)
  for _, place in ipairs(old) do
    if place ~= last then
      redis.call("HDEL", KEYS[1], place)
      redis.call("ZREM", KEYS[2], place)
      redis.call("ZREM", KEYS[3], place)
    end
  end
end

if is_first then
  for _, page in pairs(loaded) do save(page) end
  if probe ~= "" and redis.call("HGET", KEYS[5], "holder") == id then redis.call("DEL", KEYS[5]) end
  local has_marks = argument <= #ARGV
  while argument <= #ARGV do
    note({
      writer = writer, subject = ARGV[argument], fact = ARGV[argument + 1],
      holds = ARGV[argument + 2] == "1", value = ARGV[argument + 3],
      until_at = math.min(number(4), utc + longest), rests_until = number(5),
      needs_probe = ARGV[argument + 6] == "1",
    })
    argument = argument + 7
  end
  if has_marks then
    forget_the_old()
    for index = 1, 3 do keep_for(KEYS[index], utc + longest) end
    local last = redis.call("ZRANGE", KEYS[2], -1, -1, "WITHSCORES")
    if last[2] and tonumber(last[2]) > tonumber(seen) then
      seen = string.format("%.0f", tonumber(last[2]))
    end
  end
end
local counts = {}
for index, page in ipairs(pages) do counts[index] = told(page) end
return {counts, spelled(marks), seen, redis.call("ZCARD", KEYS[4])}
