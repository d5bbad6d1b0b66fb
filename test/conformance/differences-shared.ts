import { type Differences, fuse, noMappings } from './differences.ts';

/** Where a file in an engine answers otherwise than the cases expect. */
export const shared: Differences = {
  ...fuse,
  ...noMappings(
    "a mapping is of this machine's pages alone, which direct I/O keeps none of; with --io cached they are dropped at each change",
  ),
};

const SEEN_BEFORE = 'the kernel looks at the owner and mode that this machine saw last (setattr_prepare)';
const LAST_SEEN =
  'the kernel looks at the size that this machine saw last before it asks anybody (generic_copy_file_checks)';

/** The same where each call is on another of three mounts. */
export const spread: Differences = {
  ...shared,
  'attributes: another user who owns it may what an owner may': {
    got: 'EPERM',
    why: SEEN_BEFORE,
    sometimes: true,
  },
  'attributes: writing as another user takes the set-user-ID bits away': {
    got: '36351',
    why: SEEN_BEFORE,
    sometimes: true,
  },
  ...Object.fromEntries(
    [
      'copy_file_range: copies within the file',
      'copy_file_range: an offset of null is the position, which moves',
      'copy_file_range: is short at the end, and nothing past it',
      'copy_file_range: ranges that overlap are EINVAL',
      'copy_file_range: a long copy arrives whole, in as many calls as it takes',
    ].map((name) => [name, { got: /^(0|false)$/, why: LAST_SEEN, sometimes: true }]),
  ),
};
