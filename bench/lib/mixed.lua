-- For wrk: posts the file that BODY names, and the one that LARGE names, which is gzip, at every EVERY-th request.
local small, large, count, every

local function contents(name)
  local file = assert(io.open(os.getenv(name), "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init()
  every, count = tonumber(os.getenv("EVERY")), 0
  local headers = { ["Content-Type"] = "application/json" }
  small = wrk.format("POST", nil, headers, contents("BODY"))
  headers["Content-Encoding"] = "gzip"
  large = wrk.format("POST", nil, headers, contents("LARGE"))
end

function request()
  count = count + 1
  return count % every == 0 and large or small
end

function done(summary, latency)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.timeout + e.status
  print(string.format("ok=%d bad=%d seconds=%.3f p50=%.3f p99=%.3f", summary.requests - e.status, bad,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
