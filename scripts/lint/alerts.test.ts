import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matrix } from '@ballast/doctor';
import { describe, expect, it } from 'vitest';
import { root } from '../start/settings.ts';

const folder = join(root, 'deploy/observability');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const symptoms = new Set<string>(Object.values(matrix).map(({ symptom }) => symptom));

/** What `promtool` does not look at: the words of each alert, and whether it is tried at all. */
const alerts = read('alerts.yml')
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => ({
    name: /^\w+/.exec(text)?.[0] ?? '',
    symptom: /^ +symptom: (.+)$/m.exec(text)?.[1],
    command: /^ +command: (.+)$/m.exec(text)?.[1] ?? '',
  }));

/** By whether it is to fire there. */
const tried = read('alerts.test.yml')
  .split(/^ {6}- (?=\{ alertname:|alertname:)/m)
  .slice(1)
  .map((text) => ({ name: /alertname: (\w+)/.exec(text)?.[1], fires: text.includes('exp_alerts:') }));

describe('the alerts', () => {
  it('are found', () => expect(alerts.length).toBeGreaterThan(15));

  it.each(alerts)(
    '$name has a symptom of the failure matrix, and a command that can be given',
    ({ symptom, command }) => {
      expect(symptoms).toContain(symptom);
      expect(command).not.toBe('');
      // Only the worker holds the login that looks at jobs one by one and changes them.
      if (command.includes('ballast jobs')) expect(command).toContain('docker compose exec worker ballast jobs');
    },
  );

  it.each(alerts)('$name is seen to fire for its fault, and to be silent on a healthy stack', ({ name }) => {
    const trials = tried.filter((trial) => trial.name === name).map(({ fires }) => fires);
    expect(trials).toContain(true);
    expect(trials).toContain(false);
  });
});
