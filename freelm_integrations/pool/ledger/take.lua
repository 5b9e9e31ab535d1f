-- Count all draws of a claim, or none: what judge in judgement.py says.
-- KEYS: marks, news, workers, probe, then a page for every draw.
-- ARGV: utc, id, writer, seen, expires_at, probe ("" for none), seconds a worker counts as one,
--       then amount, limit and back_at of every draw, then the subjects.
local id, writer, seen, probe = ARGV[2], ARGV[3], ARGV[4], ARGV[6]
local expires_at, counts_for = tonumber(ARGV[5]), tonumber(ARGV[7])
local pages, draws, argument = {}, {}, 8
for index = 5, #KEYS do
  local draw = {}
  for place = 1, 3 do draw[place] = tonumber(ARGV[argument + place - 1]) end
  argument = argument + 3
  local page = load(KEYS[index])
  heal(page, draw[3])
  pages[#pages + 1], draws[#draws + 1] = page, draw
end
local touches = {}
for index = argument, #ARGV do touches[ARGV[index]] = true end

redis.call("ZADD", KEYS[3], utc, writer)
redis.call("ZREMRANGEBYSCORE", KEYS[3], "-inf", utc - counts_for)
keep_for(KEYS[3], utc + counts_for)
local marks
marks, seen = heard(KEYS[1], KEYS[2], writer, seen)

local function refusal()
  for _, mark in ipairs(marks) do
    local bars = mark.rests_until > utc or (mark.needs_probe and mark.subject ~= probe)
    if bars and touches[mark.subject] then return "mark", math.max(mark.rests_until, utc) end
  end
  if probe ~= "" then
    local held = redis.call("HMGET", KEYS[4], "holder", "until")
    if held[1] and held[1] ~= id and tonumber(held[2]) > utc then return "probe", utc end
  end
  local ready = -math.huge
  for index, page in ipairs(pages) do
    local need, limit = draws[index][1], draws[index][2]
    if not fits(page, need, limit) then ready = math.max(ready, ready_at(page, need, limit)) end
  end
  if ready > -math.huge then return "window", ready end
  return "", 0
end

local why, ready = refusal()
if why == "" then
  if probe ~= "" then
    redis.call("HSET", KEYS[4], "holder", id, "until", said(expires_at))
    keep_for(KEYS[4], expires_at)
  end
  for index, page in ipairs(pages) do
    local draw = draws[index]
    take(page, math.min(draw[1], draw[2]), draw[3], expires_at)
    save(page)
  end
end
local counts = {}
for index, page in ipairs(pages) do counts[index] = told(page) end
return {why, said(ready), counts, spelled(marks), seen, redis.call("ZCARD", KEYS[3])}
