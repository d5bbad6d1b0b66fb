import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { chdir, cwd } from 'node:process';
import { describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { Engine } from '../../support/engine.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/hanging.ts';
import { mount, ramproc } from '../../support/mount.ts';
import { makeDir } from '../../support/run.ts';

/** The sentence with which a mount is refused. */
async function refusal(on: string, ...options: string[]): Promise<string> {
  const { status, stderr } = await ramproc('mount', makeDir('no'), '--on', on, '--key', 'jobs', ...options);
  expect(status).toBe(32);
  return stderr;
}

/** That a change on one mount shows on another, where the page cache stands between: over both connections of each. */
async function works(on: string, ...options: string[]): Promise<void> {
  const all = ['--on', on, '--key', 'jobs', '--io', 'cached', ...options];
  await using one = await mount(all);
  await using other = await mount(all);
  for (const text of ['first', 'second']) {
    writeFileSync(one.file, text);
    await until(() => readFileSync(other.file, 'latin1') === text, `${text} does not show.`);
  }
}

describe('by TLS', () => {
  async function tls({ cert, key, ca }: Certificates, ...more: string[]) {
    const port = await freePort();
    const own = `--tls-port ${port} --tls-cert-file ${cert} --tls-key-file ${key} --tls-ca-cert-file ${ca}`;
    return { engine: await Engine.start(own, ...more), port };
  }

  test('a mount works with the authority of the engine, also one that is named by a relative path', async () => {
    const own = makeCertificates();
    const { engine, port } = await tls(own, '--tls-auth-clients no');
    await using _engine = engine;
    await works(`rediss://localhost:${port}?ca=${own.ca}`);
    const before = cwd();
    chdir(dirname(own.ca));
    try {
      await works(`rediss://127.0.0.1:${port}/1?ca=${basename(own.ca)}`);
    } finally {
      chdir(before);
    }
    expect(await engine.cli('-n', '1', 'EXISTS', 'ramproc:{jobs}')).toBe('1');
  });

  test('what is wrong with certificates is said', async () => {
    const [own, foreign] = [makeCertificates(), makeCertificates()];
    const { engine, port } = await tls(own, '--tls-auth-clients no');
    await using _engine = engine;
    const at = `rediss://localhost:${port}`;
    for (const url of [at, `${at}?ca=${foreign.ca}`]) {
      expect(await refusal(url)).toMatch(
        /its certificate is not to be trusted \(.*\); name the authority that signed it, as in rediss:\/\/HOST\?ca=FILE\.\n$/,
      );
    }
    expect(await refusal(`rediss://127.0.0.2:${port}?ca=${own.ca}`)).toMatch(
      /its certificate is for another host \(.*127\.0\.0\.2.*\); take a name that it is for\.\n$/,
    );
    expect(await refusal(`${at}?ca=/nowhere.pem`)).toMatch(
      /"\/nowhere\.pem" can't be read: ENOENT, no such file or directory/,
    );
    await using plain = await Engine.start(`--port ${await freePort()}`);
    const port2 = await plain.cli('CONFIG', 'GET', 'port');
    expect(await refusal(`rediss://localhost:${port2.split('\n')[1]}`, '--timeout', '1')).toMatch(
      /it did not answer within 1\.0 s; look whether it is stopped or busy, or does not speak TLS, as by redis:\/\/\.\n$/,
    );
    expect(await refusal(`redis://localhost:${port}`, '--timeout', '1')).toMatch(
      /it closed the connection, as one does that speaks TLS; if it does, take rediss:\/\/\.\n$/,
    );
  });

  test('an engine that wants a certificate of who comes is given one', async () => {
    const own = makeCertificates();
    const { engine, port } = await tls(own);
    await using _engine = engine;
    const at = `rediss://localhost:${port}?ca=${own.ca}`;
    await works(`${at}&cert=${own.cert}&key=${own.key}`);
    expect(await refusal(at)).toMatch(
      /wants a certificate; name yours, as in rediss:\/\/HOST\?cert=FILE&key=FILE/,
    );
  });
});

test('by a socket, with a database of its own', async () => {
  await using engine = await Engine.start();
  await works(`${engine.url}?db=3`);
  expect(await engine.cli('-n', '3', 'EXISTS', 'ramproc:{jobs}')).toBe('1');
  expect(await engine.cli('EXISTS', 'ramproc:{jobs}')).toBe('0');
  expect(await refusal(`${engine.url}?db=99`)).toMatch(/DB index is out of range/);
  renameSync(engine.socket, `${engine.socket} moved`);
  await works(`unix://${encodeURI(`${engine.socket} moved`)}?db=3`);
  renameSync(`${engine.socket} moved`, engine.socket);
});

describe('with a user of the engine', () => {
  const file = () => `${makeDir('password')}/password`;

  test('who may do no more than a file needs, a mount works, and another file is refused', async () => {
    await using engine = await Engine.start();
    const may = ['~ramproc:{jobs}*', '&ramproc:{jobs}*', '+@all', '-@dangerous', '+info'];
    expect(await engine.cli('ACL', 'SETUSER', 'app', 'on', '>hush-hush', ...may)).toBe('OK');
    await engine.cli('ACL', 'SETUSER', 'default', 'off');
    const at = `unix://app@${engine.socket}`;
    const password = file();
    writeFileSync(password, 'hush-hush\n');
    await works(at, '--password-file', password);
    await works(`unix://app:hush-hush@${engine.socket}`);
    const { stderr } = await ramproc(
      ...['mount', makeDir('no'), '--on', at, '--key', 'other', '--password-file', password],
    );
    expect(stderr).toMatch(/its user may not do what is needed \(.*\); allow it by ACL SETUSER/);
    writeFileSync(password, 'another\n');
    expect(await refusal(at, '--password-file', password)).toMatch(/knows no such user and password/);
    expect(await refusal(engine.url)).toMatch(/wants a password/);
    const listed = await ramproc('shared', 'list', '--json', '--on', `unix://app:hush-hush@${engine.socket}`);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ key: 'jobs' }]);
  });

  test.each([
    ['commands', ['~ramproc:*', '&ramproc:*', '+@all', '-@scripting'], /evalsha|script/i],
    ['channels', ['~ramproc:*', 'resetchannels', '+@all'], /channel/],
    ['keys', ['~other:*', '&ramproc:*', '+@all'], /key/],
  ])('who may not use the %s that a file needs, a mount is refused', async (_, may, why) => {
    await using engine = await Engine.start();
    await engine.cli('ACL', 'SETUSER', 'app', 'on', '>hush', ...may);
    const said = await refusal(`unix://app:hush@${engine.socket}`);
    expect(said).toMatch(
      /its user may not do what is needed \(.*\); allow it by ACL SETUSER: \+@all ~ramproc:\* &ramproc:\*\.\n$/,
    );
    expect(said).toMatch(why);
  });
});
