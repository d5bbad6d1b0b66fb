/** The errors of the trait layer, so that a handler's module needs nothing of the kernel's interface. */
export * from '../abi/errno.ts';
