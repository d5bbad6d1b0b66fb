import { struct } from '../../../abi/c-struct.ts';

/** What a request begins with that has nothing of a fixed form: a name, or no body at all. */
export const nothing = struct({});
