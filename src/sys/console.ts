import { Console } from 'node:console';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/**
 * How a process's messages are written: as they are, with time and process on each line, or as datagrams to syslog or the
 * journal, which have those of the message.
 */
export type MessageForm = 'plain' | 'file' | 'syslog' | 'journal';

const NAME = 'ramproc';

/** Priorities. Source: syslog(3). */
const WARNING = 4;
const INFO = 6;
const DAEMON = 3 << 3;

let form: MessageForm = 'plain';

/** For a thread that is to write as this one does. */
export function messageForm(): MessageForm {
  return form;
}

/**
 * Has this thread's `console` write to the process's own descriptors, at once; in another form than `plain` all of it to
 * standard error. Node prints a worker's words in the main thread, and takes the second ones only after an acknowledgement on
 * the worker's event loop, to which a worker of ours never returns.
 */
export function printAtOnce(as: MessageForm): void {
  form = as;
  globalThis.console =
    as === 'plain'
      ? new Console(descriptor(1, plain), descriptor(2, plain))
      : new Console(
          descriptor(2, (text) => encode(text, INFO)),
          descriptor(2, (text) => encode(text, WARNING)),
        );
}

/** A descriptor as a stream. What can't be written is dropped: a full disk must not end a thread. */
function descriptor(fd: number, encoded: (text: string) => readonly Uint8Array[]): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      try {
        for (const piece of encoded(text)) writeSync(fd, piece);
      } catch {}
      done();
    },
  });
}

const plain = (text: string): Uint8Array[] => [Buffer.from(text)];

/** A message in this thread's form: what is written in one call each. */
function encode(text: string, priority: number): Uint8Array[] {
  const message = text.replace(/^ramproc: /, '').replace(/\n$/, '');
  if (form === 'journal') return [journalEntry(message, priority)];
  const lines = message.split('\n');
  const who = `${NAME}[${process.pid}]:`;
  return form === 'syslog'
    ? lines.map((line) => Buffer.from(`<${DAEMON | priority}>${syslogTime(new Date())} ${who} ${line}`))
    : [Buffer.from(lines.map((line) => `${new Date().toISOString()} ${who} ${line}\n`).join(''))];
}

/** Such as `Nov  6 01:29:51`, in local time. Source: RFC 3164, section 4.1.2. */
function syslogTime(now: Date): string {
  const month = now.toLocaleString('en-US', { month: 'short' });
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => `${part}`.padStart(2, '0'));
  return `${month} ${`${now.getDate()}`.padStart(2)} ${time.join(':')}`;
}

/** The journal adds time and process by itself. Source: systemd's "Native Journal Protocol". */
function journalEntry(message: string, priority: number): Uint8Array {
  const text = Buffer.from(message);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const fields = `PRIORITY=${priority}\nSYSLOG_FACILITY=${DAEMON >> 3}\nSYSLOG_IDENTIFIER=${NAME}\nSYSLOG_PID=${process.pid}\n`;
  return Buffer.concat([Buffer.from(`${fields}MESSAGE\n`), length, text, Buffer.from('\n')]);
}
