export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export const none: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The line that the whole run ends with. */
export function finalLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: { status: string; name: string; assertionResults: { fullName: string; status: string }[] }[];
}

/** Counts of a report by vitest's JSON reporter. A file that could not be loaded has no tests, and failed. */
export function countsOf(report: Report): Counts {
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** How many tests passed per queue backend, from the names that suites give themselves ("… on redis"). */
export function perBackend(report: Report): { postgres: number; redis: number } {
  const names = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => test.status === 'passed')
    .map((test) => test.fullName);
  const on = (backend: string) => names.filter((name) => new RegExp(`\\bon ${backend}\\b`, 'i').test(name)).length;
  return { postgres: on('postgres'), redis: on('redis') };
}
