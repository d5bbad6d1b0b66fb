import { script } from '../layout.ts';
import { changing, common, pages } from './common.ts';

/** Where whole pages of one MiB are put while a write is made. */
export function gateKey(key: string, index: number): string {
  return `${key}:gate:${index}`;
}

/**
 * A write of many pages, whose bytes don't pass through Lua, which takes a nanosecond or two for each: it runs before and after plain HSETs, in one
 * transaction. Before, where the write may be, it names the MiBs after what the HSETs write to; after it, it gives them their names back. Where it may
 * not be, the HSETs write to nothing.
 *
 * ARGV beside what every change has: the offset, the length, whether the set-user-ID bits go, whether it is to be at the end, the bytes before the
 * first whole page and those after the last, and `open` or `close`. Answers how many bytes were written; `open` answers `open`, or `otherwise` when
 * only the script `write` can do it: there may not be room for all, or the end isn't there.
 */
export const writePages = script(
  common,
  changing,
  pages,
  `
local at, length = tonumber(ARGV[5]), tonumber(ARGV[6])
local stop = at + length
local first, last = floor(at / PAGE / PER), floor((stop - 1) / PAGE / PER)
local function gate(n) return K .. ':gate:' .. whole(n - first) end
if ARGV[11] == 'close' then
  if call('HGET', MINE, 'gate') ~= REQUEST then
    for n = first, last do call('UNLINK', gate(n)) end
    return 'shut'
  end
  call('HDEL', MINE, 'gate')
  local m = call('HMGET', K, 'size', 'pages')
  local used = tonumber(m[2])
  for n = first, last do
    used = used + call('HLEN', gate(n))
    call('RENAME', gate(n), chunkKey(n))
    call('ZADD', CHUNKS, whole(n), whole(n))
  end
  local t = now()
  call('HSET', K, 'size', whole(math.max(tonumber(m[1]), stop)), 'pages', whole(used), 'mtime', t, 'ctime', t, 'read', '')
  return done(whole(length))
end
local m = call('HMGET', K, 'gen', 'size', 'pages', 'max', 'mode')
if m[1] ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
local used = tonumber(m[3])
if used + floor((stop - 1) / PAGE) - floor(at / PAGE) + 1 > tonumber(m[4]) then return 'otherwise' end
if ARGV[8] == '1' and tonumber(m[2]) ~= at then return 'otherwise' end
if stop > 2 ^ 53 - 1 then return fail('EFBIG') end
local ends, there = {}, {}
if ARGV[9] ~= '' then ends[floor(at / PAGE)] = ARGV[9] end
if ARGV[10] ~= '' then ends[floor(stop / PAGE)] = ARGV[10] end
for n = first, last do
  local key = chunkKey(n)
  there[n] = call('HLEN', key)
  if there[n] == 0 and isMissing(n, key) then broken(n) end
end
for page, bytes in pairs(ends) do
  local n = floor(page / PER)
  ends[page] = spliced(checked(call('HGET', chunkKey(n), field(page)), n), page * PAGE < at and at % PAGE or 0, bytes)
end
for n = first, last do
  if there[n] > 0 then call('RENAME', chunkKey(n), gate(n)) else call('UNLINK', gate(n)) end
  used = used - there[n]
end
for page, bytes in pairs(ends) do call('HSET', gate(floor(page / PER)), field(page), bytes) end
if ARGV[7] == '1' then
  -- Source: should_remove_suid, fs/inode.c.
  local mode = tonumber(m[5])
  call('HSET', K, 'mode', bit.band(mode, bit.bnot(bit.band(mode, 8) ~= 0 and 3072 or 2048)))
end
call('HSET', K, 'pages', whole(used))
call('HSET', MINE, 'gate', REQUEST)
return 'open'
`,
);
