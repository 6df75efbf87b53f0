import { relative } from 'node:path';
import { root, type Settings } from './settings.ts';

/** The last thing a start says. */
export function addresses(settings: Settings): string {
  const lines: [string, string][] = [['web', settings.publicUrl]];
  if (!settings.smtpUrl) lines.push(['inbox', `http://localhost:${settings.inboxPort}`]);
  lines.push(['API reference', `${settings.publicUrl}/api/reference`]);
  const data = relative(root, settings.data);
  lines.push(['data and logs', `${data.startsWith('..') ? settings.data : data}/`]);
  const rows = lines.map(([name, value]) => `    ${name.padEnd(15)}${value}`);
  return ['', '  Ballast runs.', '', ...rows, '', '  Ctrl-C stops everything.', ''].join('\n');
}
