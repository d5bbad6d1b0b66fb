import { script } from '../layout.ts';
import { changing, common, evenWhenFull } from './common.ts';

const sessions = `
local SESSIONS, LOCKS = K .. ':sessions', K .. ':locks'
local t = call('TIME')
local ms = t[1] * 1000 + floor(t[2] / 1000)
local function isAlive(holder)
  local record = call('HGET', SESSIONS, holder)
  return record and tonumber(string.match(record, '^%d+')) > ms
end
`;

/** ARGV: the generation, then mounts. Answers the locks in JSON or '', and of each mount whether it is alive. */
export const lockState = script(
  evenWhenFull,
  common,
  sessions,
  `
if call('HGET', K, 'gen') ~= GEN then return fail('GONE') end
local out = { call('GET', LOCKS) or '' }
for i = 2, #ARGV do out[i] = isAlive(ARGV[i]) and 1 or 0 end
return out
`,
);

/**
 * ARGV beside what every change has: the locks as they were, as they are to be, and mounts that are dead and lose theirs. Answers 'done', or
 * 'again' when they are not as they were. A mount that lost its locks is refused at its next change, and so learns of it.
 */
export const lockSwap = script(
  evenWhenFull,
  common,
  changing,
  sessions,
  `
if call('HGET', K, 'gen') ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
if (call('GET', LOCKS) or '') ~= ARGV[5] then return 'again' end
for i = 7, #ARGV do if isAlive(ARGV[i]) then return 'again' end end
for i = 7, #ARGV do
  call('HDEL', SESSIONS, ARGV[i])
  call('UNLINK', K .. ':client:' .. ARGV[i])
end
if ARGV[6] == '[]' then call('UNLINK', LOCKS) else call('SET', LOCKS, ARGV[6]) end
call('HSET', MINE, SLOT, REQUEST .. ':done')
call('SPUBLISH', K .. ':unlocked', ME)
return 'done'
`,
);
