import { readFileSync, writeFileSync } from 'node:fs';
import { pattern } from '../../support/bytes.ts';
import { makeDir } from '../../support/run.ts';
import { check } from '../case.ts';

/** The programs that people use on a file. */
export const toolCases = [
  check('echo writes and cat reads', async ({ sh, file, expect }) => {
    expect(await sh(`echo hello > ${file} && cat ${file}`), 'hello\n');
    expect(await sh(`echo again >> ${file} && cat ${file}`), 'hello\nagain\n');
    expect(await sh(`: > ${file} && cat ${file}`), '');
  }),

  check('dd writes and reads blocks where it is told', async ({ sh, file, expect }) => {
    const source = `${makeDir('dd')}/source`;
    writeFileSync(source, pattern(0, 3 << 20));
    expect(await sh(`dd if=${source} of=${file} bs=1M status=none && cmp ${source} ${file}`), '');
    expect(
      await sh(
        `dd if=${source} of=${file} bs=1000 count=1000 seek=2500 conv=notrunc status=none && stat -c %s ${file}`,
      ),
      '3500000\n',
    );
    expect(
      await sh(`dd if=${file} bs=500 skip=5000 count=2000 status=none | cmp - <(head -c 1000000 ${source})`),
      '',
    );
    expect(await sh(`dd if=${file} iflag=direct bs=4096 count=1 status=none | wc -c`), '4096\n');
    expect(
      await sh(`dd if=${source} of=${file} oflag=direct bs=4096 count=3 status=none && stat -c %s ${file}`),
      '12288\n',
    );
    expect(
      await sh(`echo x | dd of=${file} oflag=append conv=notrunc status=none && stat -c %s ${file}`),
      '12290\n',
    );
  }),

  check('cp copies in and out, and keeps holes', async ({ sh, file, expect }) => {
    const dir = makeDir('cp');
    writeFileSync(`${dir}/source`, pattern(0, 1_234_567));
    expect(
      await sh(
        `cp ${dir}/source ${file} && cmp ${dir}/source ${file} && cp ${file} ${dir}/copy && cmp ${dir}/source ${dir}/copy`,
      ),
      '',
    );
    expect(
      await sh(
        `truncate -s 1G ${file} && cp --sparse=always ${file} ${dir}/sparse && stat -c %s ${dir}/sparse && cmp ${file} ${dir}/sparse -n 2M`,
      ),
      '1073741824\n',
    );
    expect(
      await sh(
        `truncate -s 0 ${file}; truncate -s 1G ${dir}/hole; cp --sparse=always ${dir}/hole ${file} && stat -c '%s %b' ${file}`,
      ),
      '1073741824 0\n',
    );
  }),

  check('truncate, fallocate and stat agree', async ({ sh, file, expect }) => {
    expect(await sh(`truncate -s 10000 ${file} && stat -c '%s %b' ${file}`), '10000 0\n');
    expect(await sh(`truncate -s +5 ${file} && stat -c '%s %b' ${file}`), '10005 0\n');
    expect(await sh(`fallocate -l 20000 ${file} && stat -c '%s %b' ${file}`), '20000 40\n');
    expect(await sh(`fallocate -p -o 4096 -l 8192 ${file} && stat -c '%s %b' ${file}`), '20000 24\n');
    expect(
      await sh(`head -c 20000 /dev/zero > ${file}; fallocate -d ${file} && stat -c '%s %b' ${file}`),
      '20000 0\n',
    );
  }),

  check('ls, du and stat show the size at once', async ({ sh, dir, file, expect }) => {
    expect(
      await sh(`head -c 100000 /dev/zero > ${file}; ls -l ${dir} | tail -1 | cut -d' ' -f 1,3,4,5`),
      '-rw-rw-rw- root root 100000\n',
    );
    expect(await sh(`du -k ${file} | cut -f1; du -b ${file} | cut -f1`), '100\n100000\n');
    expect(await sh(`stat -c '%F %a %U %G %h %o' ${file}`), 'regular file 666 root root 1 4096\n');
  }),

  check('df shows what is used', async ({ sh, dir, file, expect }) => {
    expect(
      await sh(
        `head -c 10M /dev/urandom > ${file}; df -k --output=size,used,avail ${dir} | tail -1 | tr -s ' '`,
      ),
      '262144 10240 251904\n'.replace(
        /^/,
        await sh(`df -k --output=size,used,avail ${dir} | tail -1 | grep -o '^ *' | tr -s ' ' | tr -d '\\n'`),
      ),
    );
  }),

  check('a program runs from it', async ({ sh, file, expect }) => {
    expect(await sh(`cp /bin/echo ${file} && chmod 755 ${file} && ${file} from here`), 'from here\n');
    expect(await sh(`printf '#!/bin/sh\\necho script $1\\n' > ${file} && ${file} one`), 'script one\n');
  }),

  check('text tools read and write in place', async ({ sh, file, expect }) => {
    expect(
      await sh(`printf 'c\\nb\\na\\n' > ${file} && sort -o ${file} ${file} && cat ${file}`),
      'a\nb\nc\n',
    );
    expect(
      await sh(`seq 100000 | tee ${file} | md5sum | cut -d' ' -f1; md5sum < ${file} | cut -d' ' -f1`),
      await sh(`seq 100000 | md5sum | cut -d' ' -f1; seq 100000 | md5sum | cut -d' ' -f1`),
    );
    expect(
      await sh(`head -n 1 ${file}; tail -n 1 ${file}; tail -c 7 ${file}; grep -c 7 ${file}`),
      '1\n100000\n100000\n40951\n',
    );
  }),

  check('flock lets one at a time in', async ({ sh, file, expect }) => {
    expect(await sh(`flock ${file} flock -n ${file} echo in || echo out`), 'out\n');
    expect(
      await sh(
        `for i in 1 2 3 4 5; do flock ${file} sh -c 'n=$(cat ${file}); echo $((n + 1)) > ${file}' & done; wait; cat ${file}`,
      ),
      '5\n',
    );
  }),

  check('touch sets times that ls shows', async ({ sh, file, expect }) => {
    expect(
      await sh(`touch -d '2001-02-03 04:05:06.789 UTC' ${file}; TZ=UTC stat -c '%y %x' ${file}`),
      '2001-02-03 04:05:06.789000000 +0000 2001-02-03 04:05:06.789000000 +0000\n',
    );
    expect(
      await sh(`touch -a -d '1999-01-01 UTC' ${file}; stat -c '%X %Y' ${file}`),
      '915148800 981173106\n',
    );
  }),

  check('node reads and writes it', ({ file, expect }) => {
    writeFileSync(file, 'written whole');
    expect(readFileSync(file, 'latin1'), 'written whole');
    writeFileSync(file, 'added', { flag: 'a' });
    expect(readFileSync(file, 'latin1'), 'written wholeadded');
  }),
];
