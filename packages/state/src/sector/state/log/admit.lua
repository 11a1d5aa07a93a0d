-- Lets a group of requests into the order log, or says of each why not. All of it happens at one instant.
--
-- KEYS: order log, then the rate keys, then for each giver where it is noted how much it stores, then the idempotency keys.
-- ARGV: head (among KEYS it would take the right to write it), most orders that may wait (0: any), most and least ms that an answer
--   is stored, bytes that an issuer may store in the longer of these times, shares of the memory of Redis from which on answers are
--   stored for the shorter time, and no order is accepted, number of rate keys, then
--   for each rate key: microseconds an order, orders at once;
--   number of givers, then for each: issuer, scope, number of its rate keys, their indices from 1;
--   for each request: index of its giver, of its idempotency key (both from 1; 0: none), digest of what was asked (16 bytes) and
--   the rest of the answer, for how many orders it counts, the trace that goes along with its orders (empty: none), number of orders,
--   the orders.
-- Answers a list, for each request a list whose first word says what became of it.
local log, head = KEYS[1], ARGV[1]
local most_waiting, most_ms, least_ms, budget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local shortened_at, refused_at, rates = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local at = 8
-- Orders of one request, which may be more than are let in at once.
local max_cost = 1000

local function word()
  at = at + 1
  return ARGV[at]
end
local function number()
  return tonumber(word())
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local said = redis.call('HMGET', head, 'tick', 'status', 'applied')
local tick, status, applied = said[1], said[2], tonumber(said[3] or -1)

-- Returns the time at a key; 0 where it is damaged, or later than what any request leads to: the clock was set back since.
local function read_time(key, latest)
  local stored = redis.pcall('GET', key)
  local value = type(stored) == 'string' and tonumber(stored)
  -- (stored values are rounded)
  return value and value <= latest + 1 and value or 0
end

-- The generic cell rate algorithm (ITU-T I.371): `until_us` is when all that was ordered is paid for.
local each_us, at_once, until_us, changed = {}, {}, {}, {}
for rate = 1, rates do
  each_us[rate], at_once[rate] = number(), number()
  until_us[rate] = math.max(read_time(KEYS[1 + rate], now + (at_once[rate] + max_cost) * each_us[rate]), now)
end

-- The memory in use and its limit, in bytes. A Redis without a limit, or that does not show it, has room.
local info = redis.pcall('INFO', 'memory')
local used, max = 0, 0
if type(info) == 'string' then
  used = tonumber(string.match(info, '\nused_memory:(%d+)') or 0)
  max = tonumber(string.match(info, '\nmaxmemory:(%d+)') or 0)
end

local waiting = 0
if most_waiting > 0 and applied >= 0 then
  local stream = redis.pcall('XINFO', 'STREAM', log)
  for field = 1, #stream, 2 do
    if stream[field] == 'entries-added' then
      waiting = stream[field + 1] - applied
    end
  end
end

-- Returns which rate lets so many orders not in yet, and the microseconds until it does; or nothing.
-- More orders than are let in at once are let in when none are owed, and paid for afterwards.
local function too_fast(limits, orders)
  for _, rate in ipairs(limits) do
    local room = (at_once[rate] - math.min(orders, at_once[rate])) * each_us[rate]
    local wait = until_us[rate] - now - room
    if wait > 0 then
      return rate, wait
    end
  end
end

-- Ids of one run of this script follow one another: their first and their number say all of them.
local function in_short(ids)
  local ms, first = string.match(ids[1] or '', '^(%d+)-(%d+)$')
  if #ids > 1 and ids[#ids] == ms .. '-' .. string.format('%.0f', first + #ids - 1) then
    return ids[1] .. '*' .. #ids
  end
  return table.concat(ids, ' ')
end

-- Stores an answer. An issuer has a budget of bytes for the longest time, which it regains with time, as with the rates. The more of
-- it is used, the shorter an answer is stored: what an issuer stores has a limit, and no request is refused because of it.
local function store(key, usage_key, value)
  local bytes = #key + #value + 100
  local used_ms = math.max(read_time(usage_key, now / 1000 + most_ms) - now / 1000, 0)
  local scarce = max > 0 and used >= max * shortened_at
  local ms = scarce and least_ms or math.max(most_ms - used_ms, least_ms)
  redis.call('SET', key, value, 'PX', string.format('%.0f', ms))
  used_ms = math.min(used_ms + bytes * most_ms / budget, most_ms)
  redis.call('SET', usage_key, string.format('%.0f', now / 1000 + used_ms), 'PX', string.format('%.0f', used_ms + 1))
end

local givers = {}
for giver = 1, number() do
  givers[giver] = { issuer = word(), scope = word(), usage_key = KEYS[1 + rates + giver], limits = {} }
  for limit = 1, number() do
    givers[giver].limits[limit] = number()
  end
end

local answers = {}
while at < #ARGV do
  local giver, key, asked, cost, trace = givers[number()], number(), word(), number(), word()
  local limits, orders, answer = giver.limits, {}, nil
  for order = 1, number() do
    orders[order] = word()
  end
  local kept_at = key > 0 and KEYS[1 + rates + #givers + key]
  local before = tick and kept_at and redis.pcall('GET', kept_at)
  if type(before) ~= 'string' or #before < 16 then
    -- Damage: as if there were none.
    before = nil
  end
  local rate, wait_us = too_fast(limits, cost)
  if not tick then
    answer = { 'no sim' }
  elseif before then
    if string.sub(before, 1, 16) == string.sub(asked, 1, 16) then
      -- Written once more, so that whoever waits until it is durable waits for this.
      redis.call('SET', kept_at, before, 'KEEPTTL')
      answer = { 'repeated', string.sub(before, 17) }
    else
      answer = { 'other' }
    end
  elseif status == 'finished' then
    answer = { 'finished', tick }
  elseif max > 0 and used >= max * refused_at then
    -- Nothing is written: what is left is for ticks.
    answer = { 'full', used, max }
  elseif most_waiting > 0 and waiting + #orders > most_waiting and waiting > 0 then
    answer = { 'behind', waiting }
  elseif rate then
    answer = { 'too fast', rate, wait_us }
  else
    answer = { 'accepted' }
    local ids = {}
    for _, order in ipairs(orders) do
      local entry = { log, '*', 'issuer', giver.issuer, 'scope', giver.scope, 'order', order }
      if trace ~= '' then
        entry[#entry + 1], entry[#entry + 2] = 'trace', trace
      end
      ids[#ids + 1] = redis.call('XADD', unpack(entry))
      used = used + #order
      answer[#answer + 1] = ids[#ids]
    end
    waiting = waiting + #orders
    for _, limit in ipairs(limits) do
      until_us[limit] = until_us[limit] + cost * each_us[limit]
      changed[limit] = true
    end
    if kept_at then
      store(kept_at, giver.usage_key, string.sub(asked, 1, 16) .. in_short(ids) .. '\n' .. string.sub(asked, 17))
    end
  end
  answers[#answers + 1] = answer
end

for rate in pairs(changed) do
  local lasts_ms = math.ceil((until_us[rate] - now) / 1000)
  redis.call('SET', KEYS[1 + rate], string.format('%.0f', until_us[rate]), 'PX', lasts_ms)
end
return answers
