import prettyBytes from 'pretty-bytes';

/** A size for people, such as `1.5 GiB`. */
export function size(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}

/** A size for people that another can be compared with, however near they are: `2 MiB (2097153 bytes)`. */
export function exactSize(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${size(bytes)} (${bytes} bytes)`;
}
