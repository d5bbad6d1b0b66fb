/** A page of the web as a file; who kills its reader cancels the request: cat mnt/page */
import { Errno, mount, procCreateSingle, procRoot } from 'ramproc';

const url = process.argv[3] ?? 'http://127.0.0.1:8080/';

procCreateSingle('page', 0o444, null, async ({ signal }) => {
  const response = await fetch(url, { signal });
  if (response.status === 404) throw new Errno('ENOENT');
  if (!response.ok) throw new Errno('EREMOTEIO');
  return response.text();
});
await mount(procRoot, process.argv[2] ?? 'mnt');
