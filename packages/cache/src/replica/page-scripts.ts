/**
 * What happens at once, on Redis and by its clock alone: replicas' clocks differ, and a key may be dropped at any
 * moment to make room. A tag's mark is three moments in microseconds: everything begun before the first is gone,
 * before the second stale, and what is stale is gone from the third on.
 */
const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local said = string.format('%.0f', now)
local month = 2592000
`;

/** KEYS: entry. ARGV: tags' prefix, then the reader's tags. Returns now, state, age in microseconds, value. */
export const find = `${clock}
local entry = redis.call('HMGET', KEYS[1], 'since', 'at', 'tags', 'value')
local since = tonumber(entry[1] or '-1')
local state = entry[4] and 'fresh' or 'absent'
local function judge(tag, named)
  local mark = redis.call('GET', ARGV[1] .. tag)
  if not mark then
    state = 'absent'
    -- Known from now on, so that what is made next can count.
    if named then redis.call('SET', ARGV[1] .. tag, said .. ',0,0', 'EX', month) end
    return
  end
  local expired, stale, gone = mark:match('([^,]+),([^,]+),([^,]+)')
  if since < tonumber(expired) then state = 'absent' end
  if since < tonumber(stale) then
    if tonumber(gone) > 0 and now >= tonumber(gone) then state = 'absent' end
    if state == 'fresh' then state = 'stale' end
  end
end
for n = 2, #ARGV do judge(ARGV[n], true) end
if state ~= 'absent' then
  for _, tag in ipairs(cjson.decode(entry[3])) do judge(tag, false) end
end
if state == 'absent' then return { said, state } end
return { said, state, string.format('%.0f', now - tonumber(entry[2])), entry[4] }
`;

/** KEYS: entry. ARGV: tags' prefix, since, tags as JSON, value, seconds. */
export const keep = `${clock}
for _, tag in ipairs(cjson.decode(ARGV[3])) do
  -- A tag that is unknown may have been dropped with the moment of its expiry: what was begun before now does not count.
  redis.call('SET', ARGV[1] .. tag, said .. ',0,0', 'EX', month, 'NX')
  redis.call('EXPIRE', ARGV[1] .. tag, month)
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'since', ARGV[2], 'at', said, 'tags', ARGV[3], 'value', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
`;

/** ARGV: tags' prefix, 'gone', or the seconds that stale entries live, or '' for ever, then the tags. */
export const expire = `${clock}
for n = 3, #ARGV do
  local mark = redis.call('GET', ARGV[1] .. ARGV[n]) or (said .. ',0,0')
  local expired, stale, gone = mark:match('([^,]+),([^,]+),([^,]+)')
  if ARGV[2] == 'gone' then
    expired = said
  else
    stale = said
    gone = ARGV[2] == '' and '0' or string.format('%.0f', now + ARGV[2] * 1000000)
  end
  redis.call('SET', ARGV[1] .. ARGV[n], expired .. ',' .. stale .. ',' .. gone, 'EX', month)
end
`;
