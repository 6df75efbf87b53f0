import type { Row } from './report.ts';

const width = 880;
const labels = 430;
const plot = width - labels - 70;
const step = 26;
const top = 40;
/** Ratios run from a tenth to ten times the baseline, by powers. */
const decades = 1;

/** Draws rows as an SVG: a bar from the baseline (1) to the median, a line from the lowest to the highest round. */
export function chart(rows: readonly Row[]): string {
  const height = top + rows.length * step + 16;
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10].map(
    (tick) =>
      `<line x1="${x(tick)}" y1="${top - 8}" x2="${x(tick)}" y2="${height - 12}" class="${tick === 1 ? 'one' : 'grid'}"/>` +
      `<text x="${x(tick)}" y="${top - 14}" text-anchor="middle">${tick} ×</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Ratios to the baselines">`,
    // Readable on a light and on a dark page.
    '<style>text{fill:#6b7280}.grid{stroke:#9ca3af;stroke-opacity:.35}.one{stroke:#6b7280}.range{stroke:#6b7280}.better{fill:#2f855a}.worse{fill:#c05621}</style>',
    ...ticks,
    ...rows.map((row, index) => bar(row, top + index * step)),
    '</svg>',
    '',
  ].join('\n');
}

function bar({ name, baseline, ratio }: Row, y: number): string {
  const [from, to] = [x(1), x(ratio.median)].toSorted((a, b) => a - b) as [number, number];
  const middle = y + step / 2;
  return [
    `<text x="${labels - 8}" y="${middle + 4}" text-anchor="end">${escaped(`${name} ÷ ${baseline}`)}</text>`,
    `<rect x="${from}" y="${y + 6}" width="${Math.max(1, Math.round((to - from) * 10) / 10)}" height="${step - 12}" class="${better(name, ratio.median) ? 'better' : 'worse'}"/>`,
    `<line x1="${x(ratio.min)}" y1="${middle}" x2="${x(ratio.max)}" y2="${middle}" class="range"/>`,
    `<text x="${width - 60}" y="${middle + 4}">${ratio.median.toFixed(2)}</text>`,
  ].join('');
}

/** More jobs a second is better; of everything else, less. */
export function better(name: string, ratio: number): boolean {
  return name.endsWith('jobs/s') ? ratio >= 1 : ratio <= 1;
}

function x(ratio: number): number {
  const power = Math.max(-decades, Math.min(decades, Math.log10(ratio)));
  return Math.round((labels + ((power + decades) / (2 * decades)) * plot) * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
