const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size for people, in three digits or more, such as `1.5 GiB`. */
export function size(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  for (; rounded(scaled) >= 1024 && unit < units.length - 1; unit++) scaled /= 1024;
  return `${rounded(scaled)} ${units[unit]}`;
}

function rounded(value: number): number {
  return value < 1000 ? Number(value.toPrecision(3)) : Math.round(value);
}

/** A size for people that another can be compared with, however near they are: `2 MiB (2097153 bytes)`. */
export function exactSize(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${size(bytes)} (${bytes} bytes)`;
}
