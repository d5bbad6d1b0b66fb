/** What a server counts, made anew for each who opens the file: cat mnt/statistics */
import { createServer } from 'node:http';
import { mount, procCreateSingle, procRoot } from 'ramproc';

const counts = { requests: 0, bytes: 0 };
const server = createServer((_request, response) => {
  counts.requests++;
  counts.bytes += 6;
  response.end('hello\n');
});
server.listen(0, '127.0.0.1');

procCreateSingle('statistics', 0o444, null, () => {
  const { rss } = process.memoryUsage();
  return `requests ${counts.requests}\nbytes ${counts.bytes}\nmemory ${rss}\nuptime ${process.uptime()}\n`;
});
procCreateSingle('address', 0o444, null, () => {
  const address = server.address();
  return typeof address === 'object' ? `http://127.0.0.1:${address?.port}/\n` : '';
});
await mount(procRoot, process.argv[2] ?? 'mnt');
