import type { Contender } from '../contenders/contender.ts';
import type { Results } from '../results.ts';
import { format, median } from '../statistics.ts';
import type { Metric } from '../workloads/workload.ts';

/** Colours that colour-blind people tell apart too. Source: Okabe and Ito, "Color Universal Design", and Tol, "Colour Schemes". */
const COLOURS = [
  '#999999',
  '#000000',
  '#0072b2',
  '#56b4e9',
  '#009e73',
  '#cc79a7',
  '#d55e00',
  '#e69f00',
  '#882255',
  '#999933',
  '#44aa99',
];

/** All in pixels. */
const WIDTH = 880;
const LEFT = 200;
const RIGHT = 110;
const TOP = 64;
const BAR = 11;
const GAP = 18;
const KEY = { width: 210, height: 18, columns: 3 } as const;

/**
 * Throughput as bars: how many times the base's each one's is, on a logarithmic scale, with the figure itself beside it.
 * To the right of the line is faster than the base, to the left of it slower.
 */
export function chart(results: Results, base: Contender): string {
  const metrics = results.metrics.filter(({ topic }) => topic === 'random' || topic === 'sequential');
  const others = results.contenders.filter(
    (contender) => contender !== base && results.unavailable(contender) === undefined,
  );
  const ratio = (contender: Contender, metric: Metric) => median(results.ratios(contender, base, metric));
  const colour = (contender: Contender) =>
    COLOURS[results.contenders.indexOf(contender) % COLOURS.length] ?? '#000';

  const scale = logarithmic(metrics.flatMap((metric) => others.map((other) => ratio(other, metric))));
  const group = others.length * BAR + GAP;
  const bottom = TOP + metrics.length * group;
  const height = bottom + 18 + Math.ceil(others.length / KEY.columns) * KEY.height;

  const axis = scale.marks.flatMap((mark) => {
    const x = scale.x(mark);
    return [
      `<line x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${bottom}" stroke="${mark === 1 ? '#000' : '#ddd'}"/>`,
      text(x, TOP - 12, `${mark} ×`, 'middle'),
    ];
  });
  const groups = metrics.flatMap((metric, i) => {
    const top = TOP + i * group;
    const middle = top + (others.length * BAR) / 2;
    return [
      text(LEFT - 8, middle, metric.label, 'end'),
      text(LEFT - 8, middle + 13, `${base.label}: ${rate(base, metric)}`, 'end', 10),
      ...others.map((other, k) => bar(other, metric, top + k * BAR)),
    ];
  });
  const keys = others.flatMap((other, k) => {
    const x = LEFT + (k % KEY.columns) * KEY.width;
    const y = bottom + 18 + Math.floor(k / KEY.columns) * KEY.height;
    return [rectangle(x, y - 9, 10, 10, colour(other)), text(x + 15, y, other.label)];
  });
  const title = `Throughput, as a multiple of ${base.label}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif">`,
    `<title>${escaped(title)}</title>`,
    rectangle(0, 0, WIDTH, height, '#fff'),
    text(12, 24, title, 'start', 15),
    ...axis,
    ...groups,
    ...keys,
    '</svg>',
    '',
  ].join('\n');

  function bar(contender: Contender, metric: Metric, y: number): string {
    const value = ratio(contender, metric);
    if (Number.isNaN(value)) return '';
    const [from, to] = [Math.min(scale.x(1), scale.x(value)), Math.max(scale.x(1), scale.x(value))];
    const box = rectangle(from, y, Math.max(1, to - from), BAR - 2, colour(contender));
    return box + text(to + 4, y + 8, rate(contender, metric), 'start', 9);
  }

  function rate(contender: Contender, metric: Metric): string {
    const figure = format(median(results.figures(contender, metric)));
    return `${figure}${metric.topic === 'random' ? '/s' : ' MB/s'}`;
  }
}

/** A scale from one power of ten to another, so that all values and 1 fit in between. */
function logarithmic(values: readonly number[]) {
  const exponents = values.filter((value) => value > 0).map(Math.log10);
  const lowest = Math.floor(Math.min(-0.5, ...exponents));
  const highest = Math.ceil(Math.max(0.5, ...exponents));
  const perDecade = (WIDTH - LEFT - RIGHT) / (highest - lowest);
  return {
    marks: Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i)),
    x: (value: number) => Math.round(LEFT + (Math.log10(value) - lowest) * perDecade),
  };
}

function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

function text(x: number, y: number, words: string, anchor = 'start', size = 12): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
