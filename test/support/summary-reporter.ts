// Says at the end of a run what was skipped and why, and closes it with `N passed, N failed, N skipped`.
// A skip without a reason is named as one: tests skip with `context.skip('the reason')` or a title that holds it. What passed only when
// it was tried again is named, too.

import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** Reason -> how many tests, and where. */
  readonly reasons: Map<string, { count: number; readonly files: Set<string> }>;
  /** Names of tests that failed, were tried again, and passed. */
  readonly unsteady: string[];
}

/** Vitest reporter; used beside the usual one. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const tally: Tally = { passed: 0, failed: errors.length, skipped: 0, reasons: new Map(), unsteady: [] };
    for (const module of modules) {
      // A file that could not be loaded, or whose hooks failed, has no failed test to show for it.
      const before = tally.failed;
      for (const test of module.children.allTests()) count(test, tally);
      if (tally.failed === before && module.state() === 'failed') tally.failed++;
    }
    process.stdout.write(textOf(tally));
  }
}

function count(test: TestCase, tally: Tally): void {
  const result = test.result();
  if (result.state === 'passed' && test.diagnostic()?.flaky === true)
    tally.unsteady.push(`${test.fullName} (${test.module.relativeModuleId})`);
  if (result.state === 'passed') tally.passed++;
  else if (result.state === 'failed') tally.failed++;
  else {
    tally.skipped++;
    const note = result.state === 'skipped' ? result.note : undefined;
    const reason = note ?? `no reason given: ${test.fullName}`;
    const entry = tally.reasons.get(reason) ?? { count: 0, files: new Set<string>() };
    entry.count++;
    entry.files.add(test.module.relativeModuleId);
    tally.reasons.set(reason, entry);
  }
}

function textOf(tally: Tally): string {
  let text = '';
  if (tally.reasons.size > 0) {
    text += '\nSkipped\n';
    for (const [reason, { count: tests, files }] of tally.reasons) text += `  ${reason} (${tests}, ${[...files].join(' ')})\n`;
  }
  if (tally.unsteady.length > 0) text += `\nPassed at the second try only\n  ${tally.unsteady.join('\n  ')}\n`;
  return `${text}\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`;
}
