import { deploy, inContainers, start } from '../commands.ts';
import { finding } from '../finding.ts';
import type { Probe } from '../probe.ts';
import type { Place } from '../subject.ts';

function correct(place: Place): string {
  if (!inContainers(place)) return 'Correct them, and start again.';
  return `Correct them, then: ${place === 'compose' ? start(place, 'api') : deploy(place)}`;
}

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
              fix: correct(place),
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
