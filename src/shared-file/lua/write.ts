import { script } from '../layout.ts';
import { changing, common, pages } from './common.ts';

/** Writes what fits of `data` at `at`. Defines put(m, at, data), which returns how many bytes that were, and keeps the size. */
const put = `
-- m is what HMGET says of gen, size, pages, max and mode. Returns the bytes that found room.
local function put(m, at, data)
  local size, used, max = tonumber(m[2]), tonumber(m[3]), tonumber(m[4])
  local length, count, taken = #data, 0, 0
  local page, last = floor(at / PAGE), floor((at + length - 1) / PAGE)
  -- Whether there is room for all, whether its pages are there or not.
  local isSure, isFull = used + last - page + 1 <= max, false
  while count < length and not isFull do
    local n = floor(page / PER)
    local key, fresh = chunkKey(n), 0
    local args = { 'HSET', key }
    repeat
      local name, from = field(page), (at + count) % PAGE
      local some, old = math.min(PAGE - from, length - count), nil
      if some < PAGE or not isSure then
        old = checked(call('HGET', key, name), n)
        if not old then
          if used + taken + fresh >= max then
            isFull = true
            break
          end
          fresh = fresh + 1
        end
      end
      -- A string costs Lua a nanosecond for each of its bytes, as it looks whether it has it already.
      local bytes = some == length and data or sub(data, count + 1, count + some)
      if some < PAGE then
        if not old and isMissing(n, key) then broken(n) end
        bytes = spliced(old, from, bytes)
      end
      args[#args + 1] = name
      args[#args + 1] = bytes
      count = count + some
      page = page + 1
    until count == length or page % PER == 0
    if #args > 2 then taken = taken + store(n, key, args) end
  end
  if count == 0 then return 0 end
  local t = now()
  call('HSET', K, 'size', whole(math.max(size, at + count)), 'pages', whole(used + taken), 'mtime', t, 'ctime', t, 'read', '')
  return count
end
`;

/**
 * ARGV beside what every change has: the offset, or -1 for the end; the bytes; and whether the set-user-ID bits go. Answers how many
 * bytes found room.
 */
export const write = script(
  common,
  changing,
  pages,
  put,
  `
local m = call('HMGET', K, 'gen', 'size', 'pages', 'max', 'mode')
if m[1] ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
local at, data = tonumber(ARGV[5]), ARGV[6]
if at < 0 then at = tonumber(m[2]) end
if at + #data > 2 ^ 53 - 1 then return fail('EFBIG') end
if ARGV[7] == '1' then
  -- Source: should_remove_suid, fs/inode.c.
  local mode = tonumber(m[5])
  call('HSET', K, 'mode', bit.band(mode, bit.bnot(bit.band(mode, 8) ~= 0 and 3072 or 2048)))
end
local count = put(m, at, data)
if count == 0 then return fail('ENOSPC') end
return done(whole(count))
`,
);

/** ARGV beside what every change has: from, to, length. Answers how many bytes were copied, which is at most a MiB. */
export const copy = script(
  common,
  changing,
  pages,
  put,
  `
local m = call('HMGET', K, 'gen', 'size', 'pages', 'max', 'mode')
if m[1] ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
local at, to = tonumber(ARGV[5]), tonumber(ARGV[6])
local stop = math.min(at + math.min(tonumber(ARGV[7]), PAGE * PER), tonumber(m[2]))
if stop <= at then return done('0') end
local parts = {}
for page = floor(at / PAGE), floor((stop - 1) / PAGE) do
  local n = floor(page / PER)
  local key = chunkKey(n)
  local bytes = checked(call('HGET', key, field(page)), n)
  if not bytes and isMissing(n, key) then broken(n) end
  if not bytes or bytes == '' then bytes = rep('\\0', PAGE) end
  parts[#parts + 1] = sub(bytes, math.max(at - page * PAGE, 0) + 1, math.min(stop - page * PAGE, PAGE))
end
local count = put(m, to, table.concat(parts))
if count == 0 then return fail('ENOSPC') end
return done(whole(count))
`,
);
