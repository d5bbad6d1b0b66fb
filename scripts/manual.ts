/**
 * Makes the manual page, the completions and each command's help in dist/, from the table that the command line is read by. The date of the page is
 * today's, or that of SOURCE_DATE_EPOCH.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shells } from '../src/cli/completion.ts';
import { makeProgram } from '../src/cli/program.ts';
import { bash } from './manual/bash.ts';
import { fish } from './manual/fish.ts';
import { manPage } from './manual/man-page.ts';
import { model } from './manual/model.ts';
import { zsh } from './manual/zsh.ts';

const DIST = join(import.meta.dirname, '../dist');
const { SOURCE_DATE_EPOCH: seconds } = process.env;
const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);

function write(path: string, text: string): void {
  mkdirSync(join(DIST, path, '..'), { recursive: true });
  writeFileSync(join(DIST, path), text);
}

const program = await makeProgram();
const all = model(program);
write('man/ramproc.1', manPage(all, date.toISOString().slice(0, 10)));
const completions = { bash, zsh, fish };
for (const shell of shells) write(`completion/${shell}`, completions[shell](all));
for (const command of [program, ...program.commands])
  for (const name of [command.name(), ...command.aliases()])
    write(`help/${name}.txt`, command.helpInformation());
