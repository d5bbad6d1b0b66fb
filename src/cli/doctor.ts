import { Command } from 'commander';
import { examine, type Finding, type Health } from '../daemon/doctor.ts';
import { loginOf } from '../daemon/shared-password.ts';
import { oneLine } from '../text/one-line.ts';
import { columns } from './columns.ts';
import { addLists } from './help.ts';
import { HELPER } from './install-helper.ts';
import { addFlags, type Flags } from './option.ts';
import { doctorRows } from './options.ts';

export const doctorCommand = new Command('doctor')
  .summary('look whether this machine and this user can mount')
  .description(
    'Looks at all that mounting needs, in the order in which it would be missed, and says what to do about what is missing; with --on also at an engine, and at those of what is mounted in any case. The exit status is 1 when nothing can be mounted.',
  )
  .action(run);
addFlags(doctorCommand, doctorRows);
addLists(doctorCommand, {
  'States:': [
    ['ok', 'as it should be'],
    ['warn', 'something that ramproc can do would be refused here'],
    ['FAIL', 'nothing can be mounted'],
  ],
  'Examples:': [
    ['ramproc doctor', 'a line for each thing'],
    ['ramproc doctor --json', 'the same for a program'],
    ['ramproc doctor --on redis://host', 'and whether a file can be had from that engine'],
  ],
});

async function run({ json = false, on, passwordFile }: Flags<typeof doctorRows>): Promise<void> {
  const findings = await examine(HELPER, on === undefined ? undefined : loginOf(on, passwordFile));
  if (json) console.log(oneLine(JSON.stringify(findings)));
  else console.log(columns(['STATE', 'WHAT', 'FOUND'], findings.map(row)));
  if (findings.some(({ state }) => state === FAILED)) process.exitCode = 1;
}

const FAILED: Health = 'FAIL';

function row({ what, state, found, remedy }: Finding): string[] {
  return [state, what, remedy === undefined ? found : `${found} -> ${remedy}`];
}
