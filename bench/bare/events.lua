-- For wrk: POST requests of BATCH events each to LOCATION. Answers that are not 200 show in wrk's own
-- summary.
local batch = tonumber(os.getenv("BATCH"))
local location = os.getenv("LOCATION")
local sent = 0

local function event()
  sent = sent + 1
  return string.format(
    '{"event":"loaded","user_id":"user-%d","timestamp":%d,"app_version":"1.2.3","platform":"linux","properties":{"n":%d,"text":"the quick brown fox","list":[1,2.5,true,null]}}',
    sent % 5000, os.time() * 1000, sent)
end

function request()
  local events = {}
  for i = 1, batch do events[i] = event() end
  local body = batch == 1 and events[1] or "[" .. table.concat(events, ",") .. "]"
  return wrk.format("POST", location, {["Content-Type"] = "application/json"}, body)
end
