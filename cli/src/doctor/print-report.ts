import type { Checked, Finding, Report } from '@ballast/doctor';
import { plain } from '../output/table.ts';

/** For people: what is wrong first, and nothing about what is well unless it is asked for. */
export function printReport(report: Report, all: boolean): string {
  const unknown = report.checked.filter(({ outcome }) => outcome === 'unknown');
  return [
    headline(report),
    ...report.findings.map(printFinding),
    ...(all ? [] : report.checked.flatMap(({ says }) => (says ? [plain(says)] : []))),
    ...(all ? [report.checked.map(printCheck).join('\n')] : unknown.length > 0 ? [printUnknown(unknown)] : []),
  ].join('\n\n');
}

function headline({ findings, checked, tookMs }: Report): string {
  const faults = findings.filter(({ severity }) => severity === 'fault').length;
  const warnings = findings.length - faults;
  const looked = `${checked.filter(({ outcome }) => outcome === 'well' || outcome === 'found').length} checks in ${(tookMs / 1_000).toFixed(1)} s`;
  // What was not looked at is well for nobody who knows of it.
  const partly = checked.some(({ outcome }) => outcome === 'unknown');
  if (findings.length === 0)
    return `${partly ? 'Nothing wrong was found where it could be looked' : 'All is well'}: ${looked}.`;
  const parts = [
    ...(faults > 0 ? [`${faults} ${faults === 1 ? 'fault' : 'faults'}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`] : []),
  ];
  return `${parts.join(', ')}: ${looked}.`;
}

function printFinding({ severity, symptom, cause, evidence, fix, code }: Finding): string {
  return [
    `${severity === 'fault' ? 'FAULT  ' : 'WARNING'}  ${symptom}  (${code})`,
    `  cause     ${plain(cause)}`,
    ...evidence.map((line, index) => `  ${index === 0 ? 'evidence' : '        '}  ${plain(line)}`),
    `  fix       ${plain(fix)}`,
  ].join('\n');
}

function printUnknown(unknown: readonly Checked[]): string {
  const byReason = Map.groupBy(unknown, ({ why }) => why ?? '');
  return [...byReason]
    .map(([why, of]) => `Not looked at, because ${plain(why)}: ${of.map(({ name }) => name).join(', ')}.`)
    .join('\n');
}

const marks: Record<Checked['outcome'], string> = { well: 'well', found: 'FOUND', unknown: '?', unused: '-' };

function printCheck({ name, outcome, why = '', says = why }: Checked): string {
  return `  ${marks[outcome].padEnd(5)}  ${name}${says ? ` (${plain(says)})` : ''}`;
}
