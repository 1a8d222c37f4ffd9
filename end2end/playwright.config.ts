import { defineConfig, devices } from '@playwright/test';
import { chromium } from './story/chromium';
import type { Stage } from './story/test';

// Every spec runs twice, as a browser with JavaScript and as one without; the guide's walk also on Postgres.
export default defineConfig<object, Stage>({
  testDir: 'tests',
  outputDir: 'test-results',
  workers: 2,
  // A busy machine is slow at times. On a desk a test that fails now and then shall be seen at once.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['./story/closing_line.ts']],
  use: {
    ...devices['Desktop Chrome'],
    locale: 'en-GB',
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    screenshot: 'only-on-failure',
    // Writing down every step takes a third of the time: where a failed test runs again, only then.
    trace: process.env.CI ? 'on-first-retry' : 'retain-on-failure',
    launchOptions: chromium(),
  },
  projects: [
    { name: 'script' },
    // What pages look like is told once, and some things only scripts do.
    { name: 'no-script', grepInvert: /@looks|@script/, use: { javaScriptEnabled: false } },
    { name: 'script-postgres', testMatch: 'guide.spec.ts', use: { database: 'postgres' } },
    {
      name: 'no-script-postgres',
      testMatch: 'guide.spec.ts',
      use: { database: 'postgres', javaScriptEnabled: false },
    },
  ],
});
