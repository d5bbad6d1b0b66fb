import type { Contender } from '../contenders/contender.ts';
import type { Results } from '../results.ts';
import { format, median } from '../statistics.ts';
import type { Metric } from '../workloads/workload.ts';

/** Colours that differ in lightness too, for those who don't see the hue. Source: Okabe and Ito, "Color Universal Design". */
const COLOURS = ['#999999', '#000000', '#0072b2', '#56b4e9', '#009e73', '#cc79a7', '#d55e00', '#e69f00'];

const WIDTH = 860;
const LEFT = 190;
const RIGHT = 120;
const TOP = 64;
const BAR = 11;
const GAP = 16;

/**
 * Throughput as bars: how many times the base contender's each one's is, on a logarithmic scale, with the figure itself
 * beside it. To the right of the line is faster than the base, to the left is slower.
 */
export function chart(results: Results, base: Contender, title: string): string {
  const metrics = results.metrics.filter(({ topic }) => topic === 'random' || topic === 'sequential');
  const others = results.contenders.filter(
    (contender) => contender !== base && results.unavailable(contender) === undefined,
  );
  const ratio = (contender: Contender, metric: Metric) => median(results.ratios(contender, base, metric));
  const ratios = metrics
    .flatMap((metric) => others.map((other) => ratio(other, metric)))
    .filter(Number.isFinite);
  const lowest = Math.floor(Math.log10(Math.min(0.5, ...ratios)));
  const highest = Math.ceil(Math.log10(Math.max(2, ...ratios)));
  const x = (value: number) =>
    LEFT + ((Math.log10(value) - lowest) / (highest - lowest)) * (WIDTH - LEFT - RIGHT);

  const group = others.length * BAR + GAP;
  const bottom = TOP + metrics.length * group;
  const legend = bottom + 24;
  const height = legend + Math.ceil(others.length / 3) * 18 + 8;

  const axis = Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i)).map((value) => {
    const line = `<line x1="${x(value)}" x2="${x(value)}" y1="${TOP - 6}" y2="${bottom}" stroke="${value === 1 ? '#000' : '#ddd'}"/>`;
    return `${line}<text x="${x(value)}" y="${TOP - 12}" text-anchor="middle">${value} ×</text>`;
  });
  const groups = metrics.flatMap((metric, i) => {
    const top = TOP + i * group;
    const middle = top + (others.length * BAR) / 2 + 4;
    const name = `<text x="${LEFT - 8}" y="${middle}" text-anchor="end">${inXml(metric.label)}</text>`;
    return [name, ...others.map((other, k) => bar(other, metric, top + k * BAR, colour(k)))];
  });
  const keys = others.map((other, k) => {
    const [left, y] = [LEFT + (k % 3) * 210, legend + Math.floor(k / 3) * 18];
    return `<rect x="${left}" y="${y - 9}" width="10" height="10" fill="${colour(k)}"/><text x="${left + 15}" y="${y}">${inXml(other.label)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="12" y="22" font-size="15">${inXml(title)}</text>`,
    ...axis,
    ...groups,
    ...keys,
    '</svg>',
    '',
  ].join('\n');

  function bar(contender: Contender, metric: Metric, y: number, fill: string): string {
    const value = ratio(contender, metric);
    if (!Number.isFinite(value)) return '';
    const [from, to] = [Math.min(x(1), x(value)), Math.max(x(1), x(value))];
    const unit = metric.topic === 'random' ? '/s' : ' MB/s';
    const text = `${format(median(results.figures(contender, metric)))}${unit}`;
    return (
      `<rect x="${from}" y="${y}" width="${Math.max(1, to - from)}" height="${BAR - 2}" fill="${fill}"/>` +
      `<text x="${to + 4}" y="${y + 8}" font-size="9">${text}</text>`
    );
  }
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#000';
}

function inXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
