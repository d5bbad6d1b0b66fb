import { FUSE_POLL_SCHEDULE_NOTIFY } from '../../../../abi/fuse.ts';
import { fusePollIn, fusePollOut } from '../../../../abi/structs.ts';
import { ENOENT } from '../../../../sys/errno.ts';
import { andThen, type FileServer, operation } from '../operation.ts';

const nobodyWaits = (): void => {};

export const poll = operation(fusePollIn, (server: FileServer, call, input) => {
  const ops = server.node(call.header.nodeid)?.ops;
  if (ops === undefined) return -ENOENT;
  const wake = input.flags & FUSE_POLL_SCHEDULE_NOTIFY ? server.waker(input.kh) : nobodyWaits;
  return andThen(ops.procPoll(server.file(input.fh, 0), wake), (events) => {
    call.output(fusePollOut).revents = events;
    return fusePollOut.size;
  });
});
