/** Ends a run with one plain line, `N passed, N failed, N skipped`, for machines that read logs. */
import type { Reporter, TestModule } from 'vitest/node';

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    // A file that does not load has no tests, and an error outside any test belongs to none.
    const broken = modules.filter((module) => module.errors().length > 0).length + unhandledErrors.length;
    const line = `${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`;
    process.on('exit', () => console.log(line));
  }
}
