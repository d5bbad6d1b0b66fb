import { test } from 'vitest';
import { run } from '../support/mount.ts';
import { must, PROJECT } from './consumer.ts';

test('the documentation has a comment on every public name, and no link that leads nowhere', async () => {
  // Warnings are errors, and types are not checked again, which takes three times as long: docs/typedoc.json.
  await must(run('npm', 'run', '--prefix', PROJECT, '--silent', 'docs', '--', '--emit', 'none'));
});
