-- For wrk: posts the file that BODY names, and says in one line how it went.
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init()
  local file = assert(io.open(os.getenv("BODY"), "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = "application/json"
  file:close()
end

function done(summary, latency)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.timeout + e.status
  print(string.format("ok=%d bad=%d seconds=%.3f p50=%.3f p99=%.3f", summary.requests - e.status, bad,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
