/** A million rows, of which no more are made than are read: head -n 3 mnt/table; wc -l mnt/table; cat mnt/made */
import { setImmediate } from 'node:timers/promises';
import { mount, procCreateSeq, procCreateSingle, procRoot } from 'ramproc';

let made = 0;

/** As a database gives them: a page at a time. */
async function* rows() {
  for (let page = 0; page < 1000; page++) {
    await setImmediate();
    for (let row = 0; row < 1000; row++) {
      made++;
      yield { id: page * 1000 + row, name: `row ${row} of page ${page}` };
    }
  }
}

procCreateSeq('table', 0o444, null, rows, ({ id, name }) => `${id}\t${name}\n`);
procCreateSingle('made', 0o444, null, () => `${made}\n`);
await mount(procRoot, process.argv[2] ?? 'mnt');
