import * as node from 'node:module';
import { ownModule } from '../../sys/own-module.ts';
import { resolve } from './resolve.ts';

/** Importing this has Node resolve what modules import by resolve.ts, in this thread. Before 22.15 it can only do that in another. */
if ('registerHooks' in node) (node.registerHooks as (hooks: object) => void)({ resolve });
else node.register(ownModule('daemon/modules/resolve'));
