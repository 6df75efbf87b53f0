export interface Device {
  browser: string | null;
  system: string | null;
  handheld: boolean;
}

/** Order matters: Edge and Opera also say Chrome, Chrome also says Safari. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome|Chromium)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*Safari\//, 'Safari'],
];

/** iPhone and Android before Mac and Linux, which they also claim to be. */
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows NT/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux|X11/, 'Linux'],
];

/** Says which kind of device a session is on, well enough for a person to know their own; a User-Agent proves nothing. */
export function describeDevice(userAgent: string | null | undefined): Device {
  const text = userAgent ?? '';
  const first = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(text))?.[1] ?? null;
  const system = first(SYSTEMS);
  return {
    browser: first(BROWSERS),
    system,
    handheld: system === 'iPhone' || system === 'iPad' || system === 'Android',
  };
}
