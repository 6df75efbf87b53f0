/** How one thing compares with its baseline over all rounds. */
export interface Ratio {
  min: number;
  median: number;
  max: number;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value below which `percent` of the values lie; between two values, in proportion. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new Error('There is no percentile of nothing.');
  const sorted = values.toSorted((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * Each round's value over the same round's baseline. The two ran one after the other,
 * so a machine that is slow for a minute slows both; figures of different rounds are
 * never compared.
 */
export function ratioOf(values: readonly number[], baselines: readonly number[]): Ratio {
  if (values.length !== baselines.length) throw new Error('Every round needs both its value and its baseline.');
  const ratios = values.map((value, round) => value / (baselines[round] as number));
  return { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) };
}
