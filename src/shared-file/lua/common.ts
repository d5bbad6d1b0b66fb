/*
 * What scripts begin with. The engine runs one script after the other, so that a script is the file's mutex: whatever it does, nobody
 * sees half of it. Numbers are doubles, exact to 2^53; `%.0f` writes them whole, which tostring doesn't.
 */

/** The first line of a script that runs also when the engine has no more memory: it takes none, or little, or gives some back. */
export const evenWhenFull = '#!lua flags=allow-oom';

export const common = `
local K, GEN = KEYS[1], ARGV[1]
local PAGE, PER = 4096, 256
local CHUNKS = K .. ':chunks'
local call, floor, char, sub, rep = redis.call, math.floor, string.char, string.sub, string.rep
local function whole(n) return string.format('%.0f', n) end
-- One byte or, from 128 on, two, which UTF-8 has for it, as then a command is text.
local function field(page)
  local i = page % PER
  return i < 128 and char(i) or char(192 + floor(i / 64), 128 + i % 64)
end
local function chunkKey(n) return K .. ':' .. whole(n) end
local function fail(why) return redis.error_reply('RAMPROC ' .. why) end
-- While a cluster gives the slot to another node, a key that isn't here may be there: the engine stops a script that asks for one,
-- halfway. So a script that changes something asks first for one that is nowhere.
local function moving()
  local there = redis.pcall('EXISTS', K .. ':nowhere')
  if type(there) == 'table' then return redis.error_reply('TRYAGAIN its slot is being given to another node') end
end
local function now()
  local t = call('TIME')
  return t[1] .. ' ' .. t[2] .. '000'
end
`;

/**
 * Of a script that changes the file: `ARGV[2..4]` are the mount, which of its connections this is, and the request's number. An older
 * connection may have what was sent long ago still on its way, and is refused. \`answered()\` is what to answer at once, if anything:
 * a request that comes again was done already. \`done(answer)\` remembers the answer, and tells who listens.
 */
export const changing = `
local ME, EPOCH, REQUEST = ARGV[2], ARGV[3], ARGV[4]
local MINE, SLOT = K .. ':client:' .. ME, char(REQUEST % 256)
local function answered()
  local wait = moving()
  if wait then return wait end
  local mine = call('HMGET', MINE, 'epoch', SLOT)
  if mine[1] ~= EPOCH then return fail('STALE') end
  if not mine[2] or sub(mine[2], 1, #REQUEST + 1) ~= REQUEST .. ':' then return end
  -- WAIT counts from what this connection has written last.
  call('HSET', MINE, 'again', REQUEST)
  return sub(mine[2], #REQUEST + 2)
end
local function done(answer)
  call('HSET', MINE, SLOT, REQUEST .. ':' .. answer)
  call('SPUBLISH', K .. ':changed', ME)
  return answer
end
`;

/**
 * Pages. A MiB that should be there and isn't was taken away by somebody else, and a page of another length is nobody's of ours: an
 * error, thrown as a table.
 */
export const pages = `
local function broken(n) error({ err = 'RAMPROC BROKEN ' .. whole(n) }) end
local function isMissing(n, key)
  return call('EXISTS', key) == 0 and call('ZSCORE', CHUNKS, n)
end
local function checked(page, n)
  if page and #page ~= PAGE and page ~= '' then broken(n) end
  return page
end
-- Stores fields of a MiB, and returns how many were new.
local function store(n, key, args)
  local new = call(unpack(args))
  if new > 0 and call('ZADD', CHUNKS, n, whole(n)) == 0 and call('HLEN', key) == new then
    call('UNLINK', key)
    broken(n)
  end
  return new
end
-- Drops fields, and returns how many there were.
local function drop(n, key, args)
  local gone = call(unpack(args))
  if gone > 0 and call('EXISTS', key) == 0 then call('ZREM', CHUNKS, whole(n)) end
  return gone
end
-- A page with other bytes from an offset within it on.
local function spliced(old, from, bytes)
  if not old or old == '' then return rep('\\0', from) .. bytes .. rep('\\0', PAGE - from - #bytes) end
  return sub(old, 1, from) .. bytes .. sub(old, from + #bytes + 1)
end
-- Puts zeros between two offsets within one page that is there.
local function zero(page, from, to)
  local n = floor(page / PER)
  local key, name = chunkKey(n), field(page)
  local old = checked(call('HGET', key, name), n)
  if not old and isMissing(n, key) then broken(n) end
  -- What was reserved is data from then on, as on tmpfs.
  if old then call('HSET', key, name, spliced(old, from, rep('\\0', to - from))) end
end
-- Calls use(n, key, first, last) for each MiB that is there with pages from first to last.
local function each(first, last, use)
  local low, high = floor(first / PER), floor(last / PER)
  local found = low == high and (call('ZSCORE', CHUNKS, whole(low)) and { low } or {})
    or call('ZRANGEBYSCORE', CHUNKS, whole(low), whole(high))
  for _, text in ipairs(found) do
    local n = tonumber(text)
    use(n, chunkKey(n), n == low and first % PER or 0, n == high and last % PER or PER - 1)
  end
end
-- Takes whole pages away, both included, and returns how many there were.
local function free(first, last)
  local gone = 0
  if last < first then return 0 end
  each(first, last, function(n, key, from, to)
    if call('EXISTS', key) == 0 then broken(n) end
    if from == 0 and to == PER - 1 then
      gone = gone + call('HLEN', key)
      call('UNLINK', key)
      call('ZREM', CHUNKS, whole(n))
    else
      local args = { 'HDEL', key }
      for i = from, to do args[#args + 1] = field(i) end
      gone = gone + drop(n, key, args)
    end
  end)
  return gone
end
`;
