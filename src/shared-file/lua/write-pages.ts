import { script } from '../layout.ts';
import { changing, common, pages } from './common.ts';

/** Where whole pages of one MiB are put while a write is made. */
export function gateKey(key: string, index: number): string {
  return `${key}:gate:${index}`;
}

/**
 * A write of whole pages whose bytes don't pass through Lua, which takes a nanosecond for each, twice: it runs before and after plain HSETs,
 * in one transaction. Before, where the write may be, it names the MiBs after what the HSETs write to; after it, it gives them their names
 * back. Where it may not be, the HSETs write to nothing.
 *
 * ARGV beside what every change has: the offset, the length, whether the set-user-ID bits go, and `open` or `close`. Answers how many
 * bytes were written; `open` answers `open`, or `full` when there may not be room for all.
 */
export const writePages = script(
  common,
  changing,
  pages,
  `
local at, length = tonumber(ARGV[5]), tonumber(ARGV[6])
local first, last = floor(at / PAGE / PER), floor((at + length - 1) / PAGE / PER)
local function gate(n) return K .. ':gate:' .. whole(n - first) end
if ARGV[8] == 'close' then
  if call('HGET', MINE, 'gate') ~= REQUEST then
    for n = first, last do call('UNLINK', gate(n)) end
    return 'shut'
  end
  local m = call('HMGET', K, 'size', 'pages')
  local size, used = tonumber(m[1]), tonumber(m[2])
  for n = first, last do
    used = used + call('HLEN', gate(n))
    call('RENAME', gate(n), chunkKey(n))
    call('ZADD', CHUNKS, whole(n), whole(n))
  end
  local t = now()
  call('HSET', K, 'size', whole(math.max(size, at + length)), 'pages', whole(used), 'mtime', t, 'ctime', t, 'read', '')
  call('HDEL', MINE, 'gate')
  return done(whole(length))
end
local m = call('HMGET', K, 'gen', 'pages', 'max', 'mode')
if m[1] ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
local used = tonumber(m[2])
if used + length / PAGE > tonumber(m[3]) then return 'full' end
if at + length > 2 ^ 53 - 1 then return fail('EFBIG') end
local there = {}
for n = first, last do
  local count = call('HLEN', chunkKey(n))
  if count == 0 and isMissing(n, chunkKey(n)) then broken(n) end
  there[n] = count
end
for n = first, last do
  if there[n] > 0 then call('RENAME', chunkKey(n), gate(n)) else call('UNLINK', gate(n)) end
  used = used - there[n]
end
if ARGV[7] == '1' then
  -- Source: should_remove_suid, fs/inode.c.
  local mode = tonumber(m[4])
  call('HSET', K, 'mode', bit.band(mode, bit.bnot(bit.band(mode, 8) ~= 0 and 3072 or 2048)))
end
call('HSET', K, 'pages', whole(used))
call('HSET', MINE, 'gate', REQUEST)
return 'open'
`,
);
