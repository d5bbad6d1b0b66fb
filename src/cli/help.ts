import { type Command, Help } from 'commander';
import { exitStatus } from './exit-code.ts';

/** A line of a list: what it is about, and what there is to say. */
export type Item = readonly [term: string, what: string];

const lists = new WeakMap<Command, Readonly<Record<string, readonly Item[]>>>();

/** The lists at the end of a command's help, by their headings. */
export function listsOf(command: Command): Readonly<Record<string, readonly Item[]>> {
  return lists.get(command) ?? {};
}

/** Adds lists to the end of a command's help, each under its heading, and the exit status. */
export function addLists(command: Command, more: Readonly<Record<string, readonly Item[]>>): Command {
  const all = { ...more, 'Exit status:': exitStatus };
  lists.set(command, all);
  return command.configureHelp({
    formatHelp(of, helper) {
      const ends = Object.entries(all).map(([heading, items]) => `${heading}\n${format(items, helper)}\n`);
      return [Help.prototype.formatHelp.call(helper, of, helper), ...ends].join('\n');
    },
  });
}

function format(items: readonly Item[], helper: Help): string {
  const width = Math.max(...items.map(([term]) => term.length));
  return items.map(([term, what]) => helper.formatItem(term, width, what, helper)).join('\n');
}
