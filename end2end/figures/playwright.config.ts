import { defineConfig, devices } from '@playwright/test';
import { chromium } from '../story/chromium';
import type { Stage } from '../story/test';

// Not a test: scripts/bench runs it to measure what a browser sees.
export default defineConfig<object, Stage>({
  testDir: '.',
  outputDir: '../test-results/figures',
  workers: 1,
  timeout: 300_000,
  reporter: 'line',
  use: {
    ...devices['Desktop Chrome'],
    locale: 'en-GB',
    launchOptions: chromium(),
    story: 'figures',
  },
});
