import { script } from '../layout.ts';
import { changing, common, evenWhenFull } from './common.ts';

/**
 * ARGV beside what every change has: mode, uid, gid, atime, mtime and the most pages, each empty when it stays, and a time `now` when it
 * is to be the engine's. Fewer pages than it has are EINVAL.
 */
export const setattr = script(
  evenWhenFull,
  common,
  changing,
  `
if call('HGET', K, 'gen') ~= GEN then return fail('GONE') end
local before = answered()
if before then return before end
if ARGV[10] ~= '' and tonumber(ARGV[10]) < tonumber(call('HGET', K, 'pages')) then return fail('EINVAL') end
local t = now()
local args = { 'HSET', K, 'ctime', t, 'read', '' }
for i, name in ipairs({ 'mode', 'uid', 'gid', 'atime', 'mtime', 'max' }) do
  local value = ARGV[4 + i]
  if value == 'now' then value = t end
  if value ~= '' then
    args[#args + 1] = name
    args[#args + 1] = value
  end
end
call(unpack(args))
return done('0')
`,
);
