-- Admits a group of requests to the order log, or states of each why not. All of it happens at one instant.
--
-- KEYS: order log; the usage key of each rate; for each submitter the usage key of its stored responses; the idempotency keys.
-- ARGV[1]: the head (a key in KEYS would require the right to write it).
-- ARGV[2]: JSON with the limits, the rates and the submitters of the group. `_Group._shared` in admission.py writes it.
-- ARGV[3] and following, for each request: index of its submitter, index of its idempotency key (both from 1; 0: none), digest of
--   the request (16 bytes) followed by the response to store, its cost in orders, the trace of its orders (empty: none), number of
--   orders, the orders.
-- Returns a list with a list for each request, whose first word is the result.
local log, head, shared = KEYS[1], ARGV[1], cjson.decode(ARGV[2])
local max_pending, max_ms, min_ms = shared.max_pending, shared.max_retention_ms, shared.min_retention_ms
local rates = #shared.rates
local position = 2

local function word()
  position = position + 1
  return ARGV[position]
end
local function number()
  return tonumber(word())
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fields = redis.call('HMGET', head, 'tick', 'status', 'applied')
local tick, status, applied = fields[1], fields[2], tonumber(fields[3] or -1)

-- Returns the time at a key; 0 where it is damaged, or later than what any request leads to: the clock was set back since.
local function read_time(key, latest)
  local stored = redis.pcall('GET', key)
  local value = type(stored) == 'string' and tonumber(stored)
  -- (stored values are rounded)
  return value and value <= latest + 1 and value or 0
end

-- The generic cell rate algorithm (ITU-T I.371): `until_us` is when all that was ordered is paid for.
-- A request may cost more than the burst.
local each_us, burst, until_us, changed = {}, {}, {}, {}
for rate, limit in ipairs(shared.rates) do
  each_us[rate], burst[rate] = limit.order_us, limit.burst
  until_us[rate] = math.max(read_time(KEYS[1 + rate], now + (burst[rate] + shared.max_cost) * each_us[rate]), now)
end

-- The memory in use and its limit, in bytes. A Redis without a limit, or that does not show it, has room.
local info = redis.pcall('INFO', 'memory')
local used, max = 0, 0
if type(info) == 'string' then
  used = tonumber(string.match(info, '\nused_memory:(%d+)') or 0)
  max = tonumber(string.match(info, '\nmaxmemory:(%d+)') or 0)
end

local pending = 0
if max_pending > 0 and applied >= 0 then
  local stream = redis.pcall('XINFO', 'STREAM', log)
  for field = 1, #stream, 2 do
    if stream[field] == 'entries-added' then
      pending = stream[field + 1] - applied
    end
  end
end

-- Returns the rate that refuses so many orders, and the microseconds until it admits them; or nothing.
-- A request that costs more than the burst is admitted when nothing is owed, and paid for afterwards.
local function too_fast(limits, orders)
  for _, rate in ipairs(limits) do
    local room = (burst[rate] - math.min(orders, burst[rate])) * each_us[rate]
    local wait = until_us[rate] - now - room
    if wait > 0 then
      return rate, wait
    end
  end
end

-- Ids of one run of this script are consecutive: the first and their number encode all of them.
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
  local used_ms = math.max(read_time(usage_key, now / 1000 + max_ms) - now / 1000, 0)
  local scarce = max > 0 and used >= max * shared.retention_shrinks_at
  local ms = scarce and min_ms or math.max(max_ms - used_ms, min_ms)
  redis.call('SET', key, value, 'PX', string.format('%.0f', ms))
  used_ms = math.min(used_ms + bytes * max_ms / shared.issuer_bytes, max_ms)
  redis.call('SET', usage_key, string.format('%.0f', now / 1000 + used_ms), 'PX', string.format('%.0f', used_ms + 1))
end

local answers = {}
while position < #ARGV do
  local index, key, request, cost, trace = number(), number(), word(), number(), word()
  local submitter = shared.submitters[index]
  local limits, orders, answer = submitter.rates, {}, nil
  for order = 1, number() do
    orders[order] = word()
  end
  local response_key = key > 0 and KEYS[1 + rates + #shared.submitters + key]
  local before = tick and response_key and redis.pcall('GET', response_key)
  if type(before) ~= 'string' or #before < 16 then
    -- Damage: as if there were none.
    before = nil
  end
  local rate, wait_us = too_fast(limits, cost)
  if not tick then
    answer = { 'no sim' }
  elseif before then
    if string.sub(before, 1, 16) == string.sub(request, 1, 16) then
      -- Written again, so that a wait for durability includes it.
      redis.call('SET', response_key, before, 'KEEPTTL')
      answer = { 'repeated', string.sub(before, 17) }
    else
      answer = { 'other' }
    end
  elseif status == 'finished' then
    answer = { 'finished', tick }
  elseif max > 0 and used >= max * shared.orders_refused_at then
    -- Nothing is written: what is left is for ticks.
    answer = { 'full', used, max }
  elseif max_pending > 0 and pending + #orders > max_pending and pending > 0 then
    answer = { 'behind', pending }
  elseif rate then
    answer = { 'too fast', rate, wait_us }
  else
    answer = { 'accepted' }
    local ids = {}
    for _, order in ipairs(orders) do
      local entry = { log, '*', 'issuer', submitter.issuer, 'scope', submitter.scope, 'order', order }
      if trace ~= '' then
        entry[#entry + 1], entry[#entry + 2] = 'trace', trace
      end
      ids[#ids + 1] = redis.call('XADD', unpack(entry))
      used = used + #order
      answer[#answer + 1] = ids[#ids]
    end
    pending = pending + #orders
    for _, limit in ipairs(limits) do
      until_us[limit] = until_us[limit] + cost * each_us[limit]
      changed[limit] = true
    end
    if response_key then
      store(response_key, KEYS[1 + rates + index], string.sub(request, 1, 16) .. in_short(ids) .. '\n' .. string.sub(request, 17))
    end
  end
  answers[#answers + 1] = answer
end

for rate in pairs(changed) do
  local lasts_ms = math.ceil((until_us[rate] - now) / 1000)
  redis.call('SET', KEYS[1 + rate], string.format('%.0f', until_us[rate]), 'PX', lasts_ms)
end
return answers
