-- Admits a group of requests to the order log, or states for each why not. All of it happens at one instant.
--
-- KEYS: order log; the usage key of each rate; for each submitter the usage key of its stored responses; the idempotency keys.
-- ARGV[1]: the head (a key in KEYS would require the right to write it).
-- ARGV[2]: JSON with the limits and, as columns, the rates, submitters and requests of the group. `_Call` in admission.py writes it.
-- ARGV[3] and following: for each request its digest and the response to store, if it has an idempotency key, and then its orders.
-- Returns a list with a list for each request, whose first word is the result. `_Group.verdict` in admission.py reads it.

-- A field that the JSON lacks is an error. All fields are read here, before anything is written.
local REQUIRED = {
  __index = function(_, name)
    error('admission: the call lacks ' .. name)
  end,
}
local call = setmetatable(cjson.decode(ARGV[2]), REQUIRED)
local limits, rates = setmetatable(call.limits, REQUIRED), setmetatable(call.rates, REQUIRED)
local submitters, requests = setmetatable(call.submitters, REQUIRED), setmetatable(call.requests, REQUIRED)
local max_pending, max_cost, issuer_bytes = limits.max_pending, limits.max_cost, limits.issuer_bytes
local max_ms, min_ms = limits.max_retention_ms, limits.min_retention_ms
local shrinks_at, refused_at = limits.retention_shrinks_at, limits.orders_refused_at
local order_us, burst = rates.order_us, rates.burst
local issuers, scopes, submitter_rates = submitters.issuer, submitters.scope, submitters.rates
-- Columns with a value for each request. A key and a trace may be null. `order_counts` has the numbers of orders.
local submitter_of, keys, costs, traces, order_counts =
  requests.submitter, requests.key, requests.cost, requests.trace, requests.orders
local rate_count, submitter_count, null = #order_us, #issuers, cjson.null
local log, head = KEYS[1], ARGV[1]
local position = 2

local function next_value()
  position = position + 1
  return ARGV[position]
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fields = redis.call('HMGET', head, 'tick', 'status', 'applied')
-- (`applied` is false before 0.6)
local tick, status, applied = fields[1], fields[2], fields[3] and tonumber(fields[3])
-- (stored as -1 where it is unknown)
if applied and applied < 0 then applied = nil end

-- Returns the time at a key; 0 where it is damaged, or later than what any request leads to: the clock was set back since.
local function read_time(key, latest)
  local stored = redis.pcall('GET', key)
  local value = type(stored) == 'string' and tonumber(stored)
  -- (stored values are rounded)
  return value and value <= latest + 1 and value or 0
end

-- The generic cell rate algorithm (ITU-T I.371): `until_us` is when all that was ordered is paid for.
-- A request may cost more than the burst.
local until_us, changed = {}, {}
for rate = 1, rate_count do
  until_us[rate] = math.max(read_time(KEYS[1 + rate], now + (burst[rate] + max_cost) * order_us[rate]), now)
end

-- The memory in use and its limit, in bytes. A Redis without a limit, or that does not show it, has room.
local info = redis.pcall('INFO', 'memory')
local used, max = 0, 0
if type(info) == 'string' then
  used = tonumber(string.match(info, '\nused_memory:(%d+)') or 0)
  max = tonumber(string.match(info, '\nmaxmemory:(%d+)') or 0)
end

local pending = 0
if max_pending > 0 and applied then
  local stream = redis.pcall('XINFO', 'STREAM', log)
  for field = 1, #stream, 2 do
    if stream[field] == 'entries-added' then
      pending = stream[field + 1] - applied
    end
  end
end

-- Returns the rate that refuses so many orders, and the microseconds until it admits them; or nothing.
-- A request that costs more than the burst is admitted when nothing is owed, and paid for afterwards.
local function exceeded_rate(request_rates, orders)
  for _, rate in ipairs(request_rates) do
    local room = (burst[rate] - math.min(orders, burst[rate])) * order_us[rate]
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
  local scarce = max > 0 and used >= max * shrinks_at
  local ms = scarce and min_ms or math.max(max_ms - used_ms, min_ms)
  redis.call('SET', key, value, 'PX', string.format('%.0f', ms))
  used_ms = math.min(used_ms + bytes * max_ms / issuer_bytes, max_ms)
  redis.call('SET', usage_key, string.format('%.0f', now / 1000 + used_ms), 'PX', string.format('%.0f', used_ms + 1))
end

local answers = {}
for request = 1, #order_counts do
  local submitter, key, cost, trace = submitter_of[request], keys[request], costs[request], traces[request]
  local response_key, digest, response
  if key ~= null then
    response_key, digest, response = KEYS[1 + rate_count + submitter_count + key], next_value(), next_value()
  end
  local request_rates, orders, answer = submitter_rates[submitter], {}, nil
  for order = 1, order_counts[request] do
    orders[order] = next_value()
  end
  local before = tick and response_key and redis.pcall('GET', response_key)
  if type(before) ~= 'string' or #before < #digest then
    -- Damage: as if there were none.
    before = nil
  end
  local rate, wait_us = exceeded_rate(request_rates, cost)
  if not tick then
    answer = { 'no sim' }
  elseif before then
    if string.sub(before, 1, #digest) == digest then
      -- Written again, so that a wait for durability includes it.
      redis.call('SET', response_key, before, 'KEEPTTL')
      answer = { 'replayed', string.sub(before, #digest + 1) }
    else
      answer = { 'conflict' }
    end
  elseif status == 'finished' then
    answer = { 'finished', tick }
  elseif max > 0 and used >= max * refused_at then
    -- Nothing is written: what is left is for ticks.
    answer = { 'storage full', used, max }
  elseif max_pending > 0 and pending + #orders > max_pending and pending > 0 then
    answer = { 'queue full', pending }
  elseif rate then
    answer = { 'rate limited', rate, wait_us }
  else
    answer = { 'accepted' }
    local ids, issuer, scope = {}, issuers[submitter], scopes[submitter]
    for _, order in ipairs(orders) do
      local entry = { log, '*', 'issuer', issuer, 'scope', scope, 'order', order }
      if trace ~= null then
        entry[#entry + 1], entry[#entry + 2] = 'trace', trace
      end
      ids[#ids + 1] = redis.call('XADD', unpack(entry))
      used = used + #order
      answer[#answer + 1] = ids[#ids]
    end
    pending = pending + #orders
    for _, limit in ipairs(request_rates) do
      until_us[limit] = until_us[limit] + cost * order_us[limit]
      changed[limit] = true
    end
    if response_key then
      store(response_key, KEYS[1 + rate_count + submitter], digest .. in_short(ids) .. '\n' .. response)
    end
  end
  answers[#answers + 1] = answer
end

for rate in pairs(changed) do
  local lasts_ms = math.ceil((until_us[rate] - now) / 1000)
  redis.call('SET', KEYS[1 + rate], string.format('%.0f', until_us[rate]), 'PX', lasts_ms)
end
return answers
