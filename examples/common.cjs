// The same in CommonJS: cat mnt/uptime
const { mount, procCreateSingle, procRoot } = require('ramproc');

procCreateSingle('uptime', 0o444, null, () => `${process.uptime()}\n`);
mount(procRoot, process.argv[2] ?? 'mnt').catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
