import { constants } from 'node:fs';
import { must } from '../../support/answer.ts';
import type { Client } from '../../support/client.ts';

/** Calls on a file of some lines, that read, seek and try what can't be; what each answers. */
export async function readCalls({ sys }: Client, path: string): Promise<unknown[]> {
  const fd = must(await sys.open(path, constants.O_RDONLY));
  const answers = [
    await sys.read(fd, 10),
    await sys.read(fd, 5),
    await sys.pread(fd, 7, 3),
    await sys.pread(fd, 7, 1_000_000),
    await sys.pread(fd, 7, 2 ** 40),
    await sys.pread(fd, 0, 3),
    await sys.read(fd, 0),
    await sys.lseek(fd, 2, 0),
    await sys.read(fd, 4),
    await sys.lseek(fd, -1, 1),
    await sys.lseek(fd, -100, 1),
    await sys.lseek(fd, -1, 0),
    await sys.read(fd, 4096),
    await sys.read(fd, 4096),
    await sys.lseek(fd, 0, 0),
    await sys.readv(fd, [1, 2, 3, 4096]),
    await sys.lseek(fd, 0, 3),
    await sys.lseek(fd, 0, 4),
    await sys.lseek(fd, 0, 9),
    await sys.poll(fd, constants.O_RDONLY | 1, 0),
    await sys.ioctl(fd, 1),
    await sys.write(fd, 'x'),
    await sys.ftruncate(fd, 0),
    await sys.fallocate(fd, 0, 0, 1),
    await sys.fsync(fd),
  ];
  await sys.close(fd);
  const { size, blocks, nlink, mode } = must(await sys.stat(path));
  return [...answers, { size, blocks, nlink, mode }];
}
