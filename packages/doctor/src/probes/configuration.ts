import { start } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';

export const configuration: Probe = {
  name: 'configuration',
  async look({ subject: { problems, warnings, notHere, place } }) {
    return [
      ...(problems.length === 0
        ? []
        : [
            finding('config.invalid', {
              cause: 'Settings are missing or wrong; a process that reads them refuses to start.',
              evidence: [...problems],
              fix:
                place === 'compose' ? `Correct them, then: ${start(place, 'api')}` : 'Correct them, and start again.',
            }),
          ]),
      ...warnings.map((warning) =>
        finding('config.mistyped', { cause: warning, evidence: [], fix: 'Correct the name, or remove it.' }),
      ),
      ...(notHere.length === 0
        ? []
        : [
            finding('config.not_here', {
              cause:
                'The running processes have settings that this terminal does not: what they point at was not looked at.',
              evidence: notHere.map((name) => `${name} was given to npm start`),
              fix: `Run it again with ${notHere.join(' and ')} set.`,
            }),
          ]),
    ];
  },
};
