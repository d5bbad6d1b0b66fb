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
  koffi.node.poll(socket.fd, { readable: true }, () => {
    const client = socket.accept();
    // Who sees that it isn't root closes at once.
    if (client !== undefined) new Stream({ fd: client.release() }).on('error', () => {}).end(line);
  });
  console.log('listening');
} else {
  console.log(JSON.stringify(await sendRaw(name, `${text}\n`)));
}
