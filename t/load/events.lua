-- For wrk: single events. Answers that are not 200 are counted, and connections that broke. A thread
-- that has its share of REQUESTS stops and says so with a file, since wrk itself waits for its time.
local share = tonumber(os.getenv("REQUESTS")) / tonumber(os.getenv("THREADS"))
local threads = {}

function setup(thread)
  thread:set("number", #threads + 1)
  table.insert(threads, thread)
end

function init()
  answered, wrong, sent = 0, 0, 0
end

function request()
  sent = sent + 1
  local body = string.format(
    '{"event":"loaded","user_id":"user-%d","timestamp":%d,"app_version":"1.2.3","platform":"linux","properties":{"thread":%d,"n":%d,"text":"the quick brown fox","list":[1,2.5,true,null]}}',
    sent % 5000, os.time() * 1000, number, sent)
  return wrk.format("POST", "/track", {["Content-Type"] = "application/json"}, body)
end

function response(status)
  if status ~= 200 then wrong = wrong + 1 end
  answered = answered + 1
  if answered == share then
    io.open(os.getenv("DONE") .. number, "w"):close()
    wrk.thread:stop()
  end
end

function done(summary)
  local answered, wrong = 0, 0
  for _, thread in ipairs(threads) do
    answered = answered + thread:get("answered")
    wrong = wrong + thread:get("wrong")
  end
  local e = summary.errors
  print(string.format("answered=%d wrong=%d broken=%d seconds=%.2f", answered, wrong,
    e.connect + e.read + e.write + e.timeout, summary.duration / 1e6))
end
