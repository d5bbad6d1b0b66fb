import { readFileSync } from 'node:fs';
import { Socket as Stream } from 'node:net';
import koffi from 'koffi';
import { listenOn } from '../../src/sys/socket.ts';
import { sendRaw } from './raw-client.ts';

/**
 * What another user does: `send NAME TEXT` sends a line to a daemon and prints what comes back as JSON; `listen NAME` says
 * "listening" and answers everybody with the line that comes by standard input, until it is killed.
 */
const [, , what, name = '', text = ''] = process.argv;

if (what === 'listen') {
  const line = readFileSync(0);
  const socket = listenOn(name);
  const poll = koffi.node.poll(socket.fd, { readable: true }, () => {
    const client = socket.accept();
    // Who sees that it isn't root closes at once.
    if (client !== undefined) new Stream({ fd: client.release() }).on('error', () => {}).end(line);
  });
  // A poll that nobody refers to ends with the next garbage collection.
  process.once('exit', () => poll.stop());
  console.log('listening');
} else {
  console.log(JSON.stringify(await sendRaw(name, `${text}\n`)));
}
