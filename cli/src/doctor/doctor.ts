import type { LocalCommand } from '../command.ts';

export const doctor: LocalCommand = {
  name: '',
  summary:
    'Says what is wrong with the Ballast that runs here: symptom, cause, evidence, and the command that mends it.',
  details:
    'It changes nothing, and answers within ten seconds even when everything is down. On servers, run it beside the API:\n' +
    'docker compose exec api ballast doctor. It ends with 0 when all is well or there are only warnings, with 1 when there is a fault.',
  options: { all: { description: 'also what is well, and what could not be looked at' } },
  async act({ options }, surroundings) {
    // Loaded when it is asked for: it drags in what the other commands never need.
    const [{ examine }, { readSubject }, { printReport }] = await Promise.all([
      import('@ballast/doctor'),
      import('./read-subject.ts'),
      import('./print-report.ts'),
    ]);
    const report = await examine(await readSubject(surroundings));
    return { text: printReport(report, options.all !== undefined), data: report, ok: report.ok };
  },
};
