import type { FullResult, Reporter, TestCase, Suite } from '@playwright/test/reporter';

/** Closes the run with one line that counts every test, and fails it if one was skipped or there were none. */
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
    const notRun = count('skipped');
    console.log(`browser: ${passed} passed, ${tests.length - passed - notRun} failed, ${notRun} skipped`);
    return passed === 0 || notRun > 0 ? { status: 'failed' } : undefined;
  }

  printsToStdio() {
    return true;
  }
}
