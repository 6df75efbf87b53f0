/**
 * What is wrong with a running Ballast, in the words of the failure matrix
 * (docs/failure-matrix.md): the symptom that somebody saw, the cause, the evidence and the
 * command that fixes it. It changes nothing, needs nothing to be up, and answers within ten
 * seconds whatever is down: what could not be looked at is said as such.
 *
 * @example
 * const report = await examine(subject);
 * for (const { symptom, cause, fix } of report.findings) console.log(symptom, cause, fix);
 */
export { type Checked, examine, type Report } from './examine.ts';
export { type Code, type Finding, matrix, type Severity } from './finding.ts';
export type { Endpoint, Place, Subject } from './subject.ts';
