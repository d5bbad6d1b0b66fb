/** The middle one of some figures, or the mean of the two in the middle. NaN for none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** With three significant digits, which is more than a measurement here is good for, and commas. */
export function format(figure: number): string {
  return figure.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
