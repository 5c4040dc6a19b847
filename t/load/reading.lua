-- For wrk: figures of windows that differ, so that none is answered from what weir-api keeps. Each client waits PAUSE
-- milliseconds before it asks again.
local paths = {"users", "usage", "features", "audience", "costs", "crashes", "segments", "heavy_users", "ledger"}
local asked, threads = 0, {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  wrong, busy, answered = 0, 0, 0
end

function delay()
  return tonumber(os.getenv("PAUSE"))
end

function request()
  asked = asked + 1
  local path = paths[asked % #paths + 1]
  return wrk.format("GET", string.format("/v1/%s?from=%s", path, os.date("!%Y-%m-%d", os.time() - 86400 * (asked % 90))))
end

function response(status)
  if status == 503 then busy = busy + 1
  elseif status ~= 200 then wrong = wrong + 1 end
  answered = answered + 1
end

function done(summary, latency)
  local answered, busy, wrong = 0, 0, 0
  for _, thread in ipairs(threads) do
    answered = answered + thread:get("answered")
    busy = busy + thread:get("busy")
    wrong = wrong + thread:get("wrong")
  end
  print(string.format("read=%d busy=%d wrong=%d median_ms=%.1f p99_ms=%.1f", answered, busy, wrong, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
