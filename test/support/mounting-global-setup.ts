import { checkMachine } from './machine.ts';

/** Before the first test of a project whose tests mount. */
export default checkMachine;
