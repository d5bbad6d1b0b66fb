import { attributeCalls } from './attributes.ts';
import { dataCalls } from './data.ts';
import { mappingCalls } from './mapping.ts';
import { nameCalls } from './names.ts';
import { waitCalls } from './waiting.ts';

export * from './attributes.ts';
export * from './data.ts';
export * from './mapping.ts';
export * from './names.ts';
export * from './waiting.ts';

/**
 * The system calls of a client, as tests make them: synchronous, each under its own name, and with an answer that can be
 * compared: its result, or the name of its error. Source: section 2 of the manual, for each.
 */
export const calls = { ...dataCalls, ...attributeCalls, ...nameCalls, ...mappingCalls, ...waitCalls };

export type Calls = typeof calls;
