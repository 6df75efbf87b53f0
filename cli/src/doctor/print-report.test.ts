import type { Checked, Report } from '@ballast/doctor';
import { expect, it } from 'vitest';
import { printReport } from './print-report.ts';

const report = (...checked: Checked[]): Report => ({ ok: true, findings: [], checked, tookMs: 1_234 });
const well: Checked = { name: 'queue answers', outcome: 'well' };

it('says that all is well only when all was looked at', () => {
  expect(printReport(report(well, { name: 'certificate', outcome: 'unused', why: 'no https' }), false)).toBe(
    'All is well: 1 checks in 1.2 s.',
  );
  const late: Checked = { name: 'jobs move', outcome: 'unknown', why: 'no answer within 8 s' };
  expect(printReport(report(well, late), false)).toBe(
    'Nothing wrong was found where it could be looked: 1 checks in 1.2 s.\n\nNot looked at, because no answer within 8 s: jobs move.',
  );
});

it('prints what a check says beside its mark when all are asked for, and by itself otherwise', () => {
  const backups: Checked = { name: 'backups', outcome: 'well', says: 'Any moment can be restored.' };
  expect(printReport(report(backups), false).split('\n').at(-1)).toBe('Any moment can be restored.');
  expect(printReport(report(backups), true).split('\n').at(-1)).toBe('  well   backups (Any moment can be restored.)');
});
