/** One sample: `name{label="value"} number`. */
const sample = /^([a-zA-Z_:][\w:]*)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[\d.e+-]+|[Nn]a[Nn]|[+-]Inf)$/;

/** Reads Prometheus' text format as strictly as Prometheus does; returns each sample by its name and sorted labels. */
export function parseMetrics(text: string): Map<string, number> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end.');
  const samples = new Map<string, number>();
  const declared = new Set<string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+) /.exec(line) ?? [];
    if (kind === 'TYPE' && name) {
      if (declared.has(name)) throw new Error(`${name} is declared twice.`);
      declared.add(name);
    }
    if (line.startsWith('#')) continue;
    const [, metric = '', labels = '', value] = sample.exec(line) ?? [];
    if (!declared.has(metric) && !declared.has(metric.replace(/_(bucket|sum|count)$/, ''))) {
      throw new Error(`Not a sample of a declared metric: ${line}`);
    }
    const sorted = [...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(([label]) => label).sort();
    const key = sorted.length > 0 ? `${metric}{${sorted.join(',')}}` : metric;
    if (samples.has(key)) throw new Error(`${key} is there twice.`);
    samples.set(key, Number(value?.replace('Inf', 'Infinity')));
  }
  return samples;
}
