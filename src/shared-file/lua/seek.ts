import { script } from '../layout.ts';
import { common, evenWhenFull, pages } from './common.ts';

/** KEYS: the file. ARGV: its generation, an offset, and `data` or `hole`. Source: mapping_seek_hole_data, mm/filemap.c. */
export const seek = script(
  evenWhenFull,
  common,
  pages,
  `
local m = call('HMGET', K, 'gen', 'size')
if m[1] ~= GEN then return fail('GONE') end
local at, size = tonumber(ARGV[2]), tonumber(m[2])
if at >= size then return fail('ENXIO') end
local page = floor(at / PAGE)
if ARGV[3] == 'data' then
  local n = floor(page / PER)
  while true do
    local next = call('ZRANGEBYSCORE', CHUNKS, whole(n), '+inf', 'LIMIT', 0, 1)[1]
    if not next then return fail('ENXIO') end
    n = tonumber(next)
    local key = chunkKey(n)
    if isMissing(n, key) then broken(n) end
    for i = math.max(page - n * PER, 0), PER - 1 do
      if call('HSTRLEN', key, field(i)) > 0 then
        local found = math.max(at, (n * PER + i) * PAGE)
        return found < size and found or fail('ENXIO')
      end
    end
    n = n + 1
  end
end
local last = floor((size - 1) / PAGE)
while page <= last do
  local n = floor(page / PER)
  local key = chunkKey(n)
  if isMissing(n, key) then broken(n) end
  for i = page % PER, PER - 1 do
    if call('HSTRLEN', key, field(i)) == 0 then return math.min(size, math.max(at, (n * PER + i) * PAGE)) end
  end
  page = (n + 1) * PER
end
return size
`,
);
