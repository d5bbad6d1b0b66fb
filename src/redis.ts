/** ramproc's file in the RAM of many machines, over Redis or Valkey. Needs the package @redis/client. */

export type { Address, Place } from './shared-file/address.ts';
export { SharedRamFile, type SharedRamFileOptions } from './shared-file/module.ts';
