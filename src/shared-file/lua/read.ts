import { script } from '../layout.ts';
import { common, evenWhenFull, pages } from './common.ts';

/**
 * KEYS: the file. ARGV: its generation, offset, length, and whether it moves atime. Answers how many bytes there are, and the pages that
 * they are in, one after the other; nothing, or an empty one, is a hole.
 */
export const read = script(
  evenWhenFull,
  common,
  pages,
  `
local m = call('HMGET', K, 'gen', 'size', 'read')
if m[1] ~= GEN then return fail('GONE') end
if m[3] ~= '1' and ARGV[4] == '1' then
  -- Source: relatime_need_update, fs/inode.c. A time that was set may lie in the future.
  local t = call('HMGET', K, 'atime', 'mtime', 'ctime')
  local function later(a, b)
    local as, an = string.match(a, '(%S+) (%S+)')
    local bs, bn = string.match(b, '(%S+) (%S+)')
    as, an, bs, bn = tonumber(as), tonumber(an), tonumber(bs), tonumber(bn)
    return as > bs or as == bs and an > bn
  end
  if later(t[1], t[2]) and later(t[1], t[3]) then call('HSET', K, 'read', '1')
  else call('HSET', K, 'read', '1', 'atime', now()) end
end
local at = tonumber(ARGV[2])
local count = math.min(tonumber(ARGV[3]), tonumber(m[2]) - at)
if count <= 0 then return { 0 } end
local out, page, last = { count }, floor(at / PAGE), floor((at + count - 1) / PAGE)
while page <= last do
  local n = floor(page / PER)
  local key, upTo = chunkKey(n), math.min(last, n * PER + PER - 1)
  local args = { 'HMGET', key }
  for i = page, upTo do args[#args + 1] = field(i) end
  local found, isThere = call(unpack(args)), false
  for i = 1, upTo - page + 1 do
    local bytes = checked(found[i], n)
    isThere = isThere or bytes
    out[#out + 1] = bytes
  end
  if not isThere and isMissing(n, key) then broken(n) end
  page = upTo + 1
end
return out
`,
);
