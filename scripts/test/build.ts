/** Builds api and web as `npm start` does, without starting anything: for the tests, and in a copy with a module off. */
import { mkdirSync } from 'node:fs';
import { buildApi } from '../start/build-api.ts';
import { buildWeb } from '../start/build-web.ts';
import { openChildren } from '../start/children.ts';
import { readSettings } from '../start/settings.ts';
import { StartProblem } from '../start/start-problem.ts';

const settings = readSettings({ BALLAST_DATA: process.env.BALLAST_DATA });
mkdirSync(settings.logs, { recursive: true });
const children = openChildren({ ...settings, onChange() {}, onDeath() {} });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void children.close().then(() => process.exit(1)));
}

try {
  const env = { web: process.env };
  await buildApi({ children, env });
  await buildWeb({ children, env });
} catch (error) {
  console.error(error instanceof StartProblem ? error.message : error);
  process.exitCode = 1;
}
