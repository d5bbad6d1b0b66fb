import { EndedBySignal } from '../daemon/end-on-signal.ts';
import { formatFor, logTo } from '../daemon/log.ts';
import type { Order } from '../daemon/order.ts';
import { parent } from '../daemon/parent.ts';
import { serve } from '../daemon/serve.ts';
import { ignoreSignals } from '../sys/signals.ts';
import { cannotMount, fail } from './failure.ts';
import { terminal } from './terminal.ts';

/** Does what a daemon was started for. */
export async function serveOrder(order: Order): Promise<void> {
  ignoreSignals();
  await (order.foreground ? inForeground(order) : inBackground(order));
}

async function inForeground({ dir, plan, json, log }: Order): Promise<void> {
  try {
    using starter = terminal(json);
    await serve(dir, plan, true, {
      ...starter,
      async mounted(mounted) {
        await starter.mounted(mounted);
        if (plan.log !== undefined && log !== undefined) logTo(plan.log, log);
        else if (plan.verbose) formatFor('standard error');
      },
    });
  } catch (error) {
    fail(cannotMount(dir, error), json);
  }
}

async function inBackground({ dir, plan }: Order): Promise<void> {
  if (plan.log !== undefined) formatFor(plan.log);
  const starter = parent();
  try {
    await serve(dir, plan, false, starter);
  } catch (error) {
    if (error instanceof EndedBySignal) error.die();
    starter.failed(cannotMount(dir, error));
  }
}
