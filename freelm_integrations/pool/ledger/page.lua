-- One window's page: what page.py says, in Redis's language. Put before each of the scripts.
-- Kept as a packed row: moves, open, open_until, then back_at and amount of every entry.
local SLACK, SKEW, LINGER = 1e-9, 60, 60
local utc = tonumber(ARGV[1])

local function said(number) return string.format("%.17g", number) end

local function keep_for(key, until_at)
  redis.call("PEXPIRE", key, string.format("%.0f", math.max(1, until_at - utc + LINGER) * 1000))
end

local function load(key)
  local page = {key = key, backs = {}, amounts = {}, used = 0, moves = 0, open = 0, open_until = 0}
  local packed = redis.call("GET", key)
  if packed then
    local row = cmsgpack.unpack(packed)
    page.moves, page.open, page.open_until = row[1], row[2], row[3]
    for place = 4, #row, 2 do
      if row[place] > utc then -- what has come back is cleared away
        page.backs[#page.backs + 1] = row[place]
        page.amounts[#page.amounts + 1] = row[place + 1]
        page.used = page.used + row[place + 1]
      end
    end
  end
  return page
end

local function save(page)
  local row = {page.moves, page.open, page.open_until}
  for place, back_at in ipairs(page.backs) do
    row[#row + 1] = back_at
    row[#row + 1] = page.amounts[place]
  end
  redis.call("SET", page.key, cmsgpack.pack(row))
  keep_for(page.key, math.max(page.backs[#page.backs] or 0, page.open_until))
end

local function heal(page, back_at)
  local last = #page.backs
  if last == 0 or page.backs[last] <= back_at + SKEW then return end
  local amount = 0
  while last > 0 and page.backs[last] >= back_at do
    amount = amount + page.amounts[last]
    page.backs[last], page.amounts[last] = nil, nil
    last = last - 1
  end
  page.backs[last + 1], page.amounts[last + 1] = back_at, amount
  save(page) -- even where nothing is taken, or it would be brought forward ever anew
end

local function fits(page, need, limit)
  return page.used + math.max(need, 1) <= limit + SLACK or (page.used <= SLACK and limit > 0)
end

local function ready_at(page, need, limit)
  if limit <= 0 then return math.huge end
  local excess = page.used + math.min(math.max(need, 1), limit) - limit
  for place, back_at in ipairs(page.backs) do
    excess = excess - page.amounts[place]
    if excess <= SLACK then return back_at end
  end
  return page.backs[#page.backs] or -math.huge
end

-- The place of an entry, or where it would stand, from the end: new ones come last.
local function place_of(page, back_at)
  local place = #page.backs
  while place > 0 and page.backs[place] > back_at do place = place - 1 end
  return place, place > 0 and page.backs[place] == back_at
end

local function count(page, amount, back_at)
  local place, is_there = place_of(page, back_at)
  page.used = page.used + amount
  if is_there then
    page.amounts[place] = page.amounts[place] + amount
  else
    table.insert(page.backs, place + 1, back_at)
    table.insert(page.amounts, place + 1, amount)
  end
end

local function take(page, amount, back_at, expires_at)
  page.moves = page.moves + 1
  page.open = utc > page.open_until and 1 or page.open + 1
  page.open_until = math.max(page.open_until, expires_at)
  count(page, amount, back_at)
end

local function give_back(page, excess)
  for place, amount in ipairs(page.amounts) do
    local part = math.min(amount, excess)
    page.amounts[place] = amount - part
    page.used = page.used - part
    excess = excess - part
    if excess <= 0 then return end
  end
end

local function change(page, back_at, by, again_at)
  local place, is_there = place_of(page, back_at)
  if is_there then
    by = math.max(by, -page.amounts[place])
    page.amounts[place] = page.amounts[place] + by
    page.used = page.used + by
  elseif by > 0 and back_at > utc then
    count(page, by, back_at)
  elseif by > 0 and again_at then
    count(page, by, again_at)
  end
end

local function heed(page, limit, left, unseen, back_at, is_alone)
  if limit <= 0 then return end
  local excess = page.used - (limit - math.min(math.max(0, left), limit))
  if excess < 0 then
    count(page, -excess, back_at)
  elseif is_alone and excess > unseen then
    give_back(page, excess - unseen)
  end
end

-- used, next_at, resets_at, moves
local function told(page)
  local first, last = page.backs[1] or math.huge, page.backs[#page.backs] or math.huge
  local used = #page.backs > 0 and math.max(0, page.used) or 0
  return {said(used), said(first), said(last), said(page.moves)}
end

-- What others than the writer have learned since `seen`, and up to where that is.
local function heard(marks, news, writer, seen)
  local new = {}
  local places = redis.call("ZRANGEBYSCORE", news, "(" .. seen, "+inf", "WITHSCORES")
  for index = 1, #places, 2 do
    seen = places[index + 1]
    local packed = redis.call("HGET", marks, places[index])
    local mark = packed and cmsgpack.unpack(packed)
    if mark and mark.writer ~= writer and mark.until_at > utc then new[#new + 1] = mark end
  end
  return new, string.format("%.0f", tonumber(seen))
end

local function spelled(marks)
  local rows = {}
  for _, mark in ipairs(marks) do
    rows[#rows + 1] = {
      mark.subject, mark.fact, mark.holds and 1 or 0, mark.value, said(mark.until_at),
      said(mark.rests_until), mark.needs_probe and 1 or 0,
    }
  end
  return rows
end
