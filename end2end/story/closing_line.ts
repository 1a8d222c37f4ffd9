import type { FullResult, Reporter, TestCase, Suite } from '@playwright/test/reporter';

/**
 * Closes the run with what went wrong, shortly once more, and one line that counts every test. Fails the run if one was
 * skipped or there were none. A test that passed only when tried again is counted as such: it is to be looked at.
 */
export default class ClosingLine implements Reporter {
  private suite: Suite | undefined;
  private begun = false;

  onBegin(_config: unknown, suite: Suite) {
    this.suite = suite;
  }

  onTestBegin() {
    this.begun = true;
  }

  async onEnd(): Promise<{ status?: FullResult['status'] } | undefined> {
    if (!this.begun) return undefined;
    const tests = this.suite?.allTests() ?? [];
    const count = (outcome: ReturnType<TestCase['outcome']>) =>
      tests.filter((test) => test.outcome() === outcome).length;
    const passed = count('expected');
    const passedAgain = count('flaky');
    const notRun = count('skipped');
    for (const line of tests.flatMap(whatWentWrong)) console.log(line);
    const failed = tests.length - passed - passedAgain - notRun;
    const again = passedAgain > 0 ? `, ${passedAgain} passed only when tried again` : '';
    console.log(`browser: ${passed} passed, ${failed} failed, ${notRun} skipped${again}`);
    return passed === 0 || notRun > 0 ? { status: 'failed' } : undefined;
  }

  printsToStdio() {
    return true;
  }
}

/** Of each try that failed the beginning of its errors. */
function whatWentWrong(test: TestCase): string[] {
  const errors = test.results.flatMap(({ errors }) => errors);
  if (errors.length === 0) return [];
  const plain = (text = '') => text.replace(/\u001b\[\d+m/g, '').split('\n').slice(0, 12).join('\n    ');
  return [`\n${test.titlePath().filter(Boolean).join(' › ')}`, ...errors.map(({ message, value }) => `    ${plain(message ?? value)}`)];
}
