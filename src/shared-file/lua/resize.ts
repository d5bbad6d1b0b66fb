import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from '../../sys/memfd.ts';
import { script } from '../layout.ts';
import { changing, common, evenWhenFull, pages } from './common.ts';

const begin = `
local m = call('HMGET', K, 'gen', 'size', 'pages', 'max')
if m[1] ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
local size, used, max = tonumber(m[2]), tonumber(m[3]), tonumber(m[4])
local function finish()
  local t = now()
  call('HSET', K, 'size', whole(size), 'pages', whole(used), 'mtime', t, 'ctime', t, 'read', '')
  return done('0')
end
`;

/** ARGV beside what every change has: the size. */
export const truncate = script(
  evenWhenFull,
  common,
  changing,
  pages,
  begin,
  `
local to = tonumber(ARGV[5])
-- What was reserved past the end goes too. Source: shmem_setattr, mm/shmem.c.
if to <= size then
  local page, within = floor(to / PAGE), to % PAGE
  if within > 0 then
    zero(page, within, PAGE)
    page = page + 1
  end
  used = used - free(page, 2 ^ 53 / PAGE)
end
size = to
return finish()
`,
);

/** ARGV beside what every change has: the mode, the offset and the length. Source: fallocate(2). */
export const fallocate = script(
  evenWhenFull,
  common,
  changing,
  pages,
  begin,
  `
local mode, at, length = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local keepsSize = bit.band(mode, ${FALLOC_FL_KEEP_SIZE}) ~= 0
local punches = bit.band(mode, ${FALLOC_FL_PUNCH_HOLE}) ~= 0
local zeroes = bit.band(mode, ${FALLOC_FL_ZERO_RANGE}) ~= 0
local stop = at + length
local first, last = floor(at / PAGE), floor((stop - 1) / PAGE)
if not punches then
  if last - first + 1 > max then return fail('ENOSPC') end
  local missing, wanted = {}, 0
  for n = floor(first / PER), floor(last / PER) do
    local key = chunkKey(n)
    if isMissing(n, key) then broken(n) end
    local args = { 'HSET', key }
    for i = math.max(first - n * PER, 0), math.min(last - n * PER, PER - 1) do
      if call('HEXISTS', key, field(i)) == 0 then
        args[#args + 1] = field(i)
        args[#args + 1] = ''
        wanted = wanted + 1
      end
    end
    if #args > 2 then missing[#missing + 1] = { n, key, args } end
  end
  if used + wanted > max then return fail('ENOSPC') end
  for _, one in ipairs(missing) do used = used + store(one[1], one[2], one[3]) end
  if not keepsSize then size = math.max(size, stop) end
end
if punches or zeroes then
  local from, to = at % PAGE, stop % PAGE
  if first == last and (from > 0 or to > 0) then
    zero(first, from, to == 0 and PAGE or to)
    first = first + 1
  else
    if from > 0 then
      zero(first, from, PAGE)
      first = first + 1
    end
    if to > 0 then
      zero(last, 0, to)
      last = last - 1
    end
  end
  if punches then used = used - free(first, last)
  elseif first <= last then
    each(first, last, function(n, key, from, to)
      local args = { 'HSET', key }
      for i = from, to do
        args[#args + 1] = field(i)
        args[#args + 1] = ''
      end
      call(unpack(args))
    end)
  end
end
return finish()
`,
);
