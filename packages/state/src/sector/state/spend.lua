-- Adds to what clients have used of their rates, and returns what each owes: the microseconds until all that it used is paid for.
-- The generic cell rate algorithm (ITU-T I.371), as in admit.lua.
--
-- KEYS: the rate keys.
-- ARGV: for each rate key: microseconds that a unit takes, units used.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local owed = {}
for rate = 1, #KEYS do
  local until_us = math.max(tonumber(redis.call('GET', KEYS[rate]) or 0), now)
  until_us = until_us + tonumber(ARGV[2 * rate - 1]) * tonumber(ARGV[2 * rate])
  owed[rate] = until_us - now
  redis.call('SET', KEYS[rate], string.format('%.0f', until_us), 'PX', string.format('%.0f', owed[rate] / 1000 + 1))
end
return owed
