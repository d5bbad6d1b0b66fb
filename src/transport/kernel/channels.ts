/**
 * What a mount's requests come by: its /dev/fuse (`device`), io_uring (`uring`), or what is faster for one client (`auto`), which is /dev/fuse.
 *
 * @example
 * ```ts
 * const channel: ChannelName = 'uring';
 * await mount(procRoot, '/tmp/my-proc', { channel });
 * ```
 */
export type ChannelName = 'auto' | 'device' | 'uring';

export const channels = ['auto', 'device', 'uring'] as const satisfies readonly ChannelName[];

export type ChannelInUse = Exclude<ChannelName, 'auto'>;

/** What is taken when nobody says. Over io_uring a single client is slower, and four are hardly faster: scripts/bench/README.md. */
export function channelInUse(name: ChannelName = 'auto'): ChannelInUse {
  return name === 'auto' ? 'device' : name;
}
