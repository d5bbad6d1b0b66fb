import { script } from '../layout.ts';
import { changing, common, evenWhenFull } from './common.ts';

/**
 * What scripts of a mount's life share: ARGV[2] is the mount, \`isAlive(text)\` whether the record of a session says so. A record is
 * the milliseconds since 1970 until which it is taken for alive, a space, and who it is in JSON.
 */
const session = `
local ME, SESSIONS = ARGV[2], K .. ':sessions'
local t = call('TIME')
local ms = t[1] * 1000 + floor(t[2] / 1000)
local function isAlive(record) return record and tonumber(string.match(record, '^%d+')) > ms end
local function live(lease, who)
  call('HSET', SESSIONS, ME, whole(ms + lease) .. ' ' .. who)
  -- Longer than any lease, so that what is left of a machine that is gone goes too.
  call('PEXPIRE', K .. ':client:' .. ME, 600000)
end
`;

/**
 * A mount begins, or has a new connection. ARGV: the generation that it knows or '', the mount, its connection's number, the lease in
 * milliseconds, who it is, and what to make when the file isn't there: a new generation or '', max, mode, uid, gid; and '1' if it takes
 * whatever generation there is. Answers the generation, and whether it was made now.
 */
export const hello = script(
  evenWhenFull,
  common,
  session,
  `
local wait = moving()
if wait then return wait end
local kind = call('TYPE', K).ok
if kind ~= 'none' and kind ~= 'hash' then return fail('FOREIGN ' .. kind) end
local there = call('HGET', K, 'gen')
local made = 0
if not there then
  if kind == 'hash' then return fail('FOREIGN hash') end
  if ARGV[6] == '' then return fail('GONE') end
  there, made = ARGV[6], 1
  -- What an engine may have kept of the one before.
  for _, n in ipairs(call('ZRANGE', CHUNKS, 0, -1)) do call('UNLINK', K .. ':' .. n) end
  call('UNLINK', CHUNKS, K .. ':locks')
  local time = now()
  call('HSET', K, 'gen', there, 'size', '0', 'pages', '0', 'max', ARGV[7], 'mode', ARGV[8], 'uid', ARGV[9], 'gid', ARGV[10],
    'atime', time, 'mtime', time, 'ctime', time, 'read', '')
elseif GEN ~= '' and there ~= GEN and ARGV[11] ~= '1' then
  return fail('GONE')
end
local layout = string.match(there, '^(%d+):')
if layout ~= string.match(ARGV[12], '^%d+$') then return fail('LAYOUT ' .. (layout or 'another')) end
call('HSET', K .. ':client:' .. ME, 'epoch', ARGV[3])
live(tonumber(ARGV[4]), ARGV[5])
return { there, made }
`,
);

/** ARGV: the generation, the mount, its connection's number, the lease, who it is. Says that it is alive, and forgets who isn't. */
export const beat = script(
  evenWhenFull,
  common,
  session,
  `
if call('HGET', K, 'gen') ~= GEN then return fail('GONE') end
if call('HGET', K .. ':client:' .. ME, 'epoch') ~= ARGV[3] then return fail('STALE') end
live(tonumber(ARGV[4]), ARGV[5])
return 1
`,
);

/** ARGV: the generation, the mount. It is no more. */
export const bye = script(
  evenWhenFull,
  common,
  session,
  `
call('HDEL', SESSIONS, ME)
call('UNLINK', K .. ':client:' .. ME)
return 1
`,
);

/** ARGV as of every change. What one that was sent before has answered, or nothing. */
export const outcome = script(evenWhenFull, common, changing, 'return answered()');
