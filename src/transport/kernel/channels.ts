/** What requests can come by: the mount's /dev/fuse, or io_uring. */
export const channels = ['auto', 'device', 'uring'] as const;
export type ChannelName = (typeof channels)[number];
export type ChannelInUse = Exclude<ChannelName, 'auto'>;

/** What is taken when nobody says. Over io_uring a single client is slower, and four are hardly faster: scripts/bench/README.md. */
export function channelInUse(name: ChannelName = 'auto'): ChannelInUse {
  return name === 'auto' ? 'device' : name;
}
