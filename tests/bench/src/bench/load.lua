-- The request that wrk repeats, from the environment. With KEYED, each request has a new idempotency key.
local method, body, headers = os.getenv('METHOD'), os.getenv('BODY'), os.getenv('HEADERS')
local keyed, delay_ms = os.getenv('KEYED') == '1', tonumber(os.getenv('DELAY_MS'))
local path, run, count = os.getenv('REQUEST_PATH'), os.getenv('RUN'), 0

local head = method .. ' ' .. path .. ' HTTP/1.1\r\nHost: bench\r\n' .. headers
local tail = '\r\n'
if #body > 0 then
  tail = 'Content-Type: application/json\r\nContent-Length: ' .. #body .. '\r\n\r\n' .. body
end

function request()
  if not keyed then
    return head .. tail
  end
  count = count + 1
  return head .. 'Idempotency-Key: ' .. run .. '-' .. count .. '\r\n' .. tail
end

if delay_ms > 0 then
  function delay()
    return math.random(0, 2 * delay_ms)
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('RESULT %d %d %d %d %d\n', summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)))
end
