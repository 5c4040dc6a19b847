local cjson = require "cjson.safe"
local redis = require "nginx.redis"

local function refuse(text)
  ngx.status = 400
  ngx.say(cjson.encode({ error = text }))
end

local function complete(event)
  if type(event) ~= "table" or event.timestamp == nil then return false end
  if event.event then return type(event.event) == "string" and type(event.user_id) == "string" end
  return type(event.crash_type) == "string" and type(event.stack_trace) == "string"
end

ngx.header.content_type = "application/json"
ngx.req.read_body()
local body = ngx.req.get_body_data()
local data = body and cjson.decode(body)
if type(data) ~= "table" then return refuse("Invalid JSON") end
local events = data.events or { data }
for _, event in ipairs(events) do
  if not complete(event) then return refuse("Invalid data") end
end

local client = redis:new()
client:set_timeout(2000)
local ok = client:connect("unix:" .. ngx.var.redis_socket)
if not ok then
  ngx.status = 503
  return ngx.say('{"error":"unavailable"}')
end
-- One entry an event, as such code has it.
client:init_pipeline(#events)
for _, event in ipairs(events) do
  client:xadd("lua", "*", "e", cjson.encode(event))
end
local answers = client:commit_pipeline()
if not answers then
  ngx.status = 503
  return ngx.say('{"error":"unavailable"}')
end
client:set_keepalive(10000, 128)
ngx.say('{"status":"ok","accepted":' .. #events .. '}')
