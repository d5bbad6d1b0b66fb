/** The handlers of one growing file in RAM, `/file`, as fuse-native's README has them: a path, and a callback. */
import { constants } from 'node:os';

const { ENOENT } = constants.errno;
const SMALLEST = 1 << 16;

export function ramFile() {
  let data = Buffer.alloc(SMALLEST);
  let size = 0;
  const times = { atime: new Date(), mtime: new Date(), ctime: new Date() };
  const owner = { uid: process.getuid(), gid: process.getgid() };

  const resize = (wanted) => {
    if (wanted > data.length) {
      const bigger = Buffer.alloc(Math.max(wanted, data.length * 2));
      data.copy(bigger, 0, 0, size);
      data = bigger;
    } else if (wanted < size) {
      data.fill(0, wanted, size);
      if (wanted === 0) data = Buffer.alloc(SMALLEST);
    }
    size = wanted;
    times.mtime = times.ctime = new Date();
  };

  return {
    readdir(_path, cb) {
      cb(0, ['file']);
    },
    getattr(path, cb) {
      if (path === '/') cb(0, { ...times, ...owner, mode: 0o040555, size: 4096, nlink: 2 });
      else if (path === '/file') cb(0, { ...times, ...owner, mode: 0o100666, size, nlink: 1 });
      else cb(-ENOENT);
    },
    open(_path, _flags, cb) {
      cb(0, 42);
    },
    release(_path, _fd, cb) {
      cb(0);
    },
    read(_path, _fd, buffer, length, position, cb) {
      if (position >= size) return cb(0);
      cb(data.copy(buffer, 0, position, Math.min(position + length, size)));
    },
    write(_path, _fd, buffer, length, position, cb) {
      if (position + length > size) resize(position + length);
      buffer.copy(data, position, 0, length);
      cb(length);
    },
    truncate(_path, wanted, cb) {
      resize(wanted);
      cb(0);
    },
  };
}
