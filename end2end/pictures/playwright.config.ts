import { defineConfig, devices } from '@playwright/test';
import { chromium } from '../story/chromium';
import type { Stage } from '../story/test';

// Not a test: scripts/screenshots runs it to get pictures of the pages.
export default defineConfig<object, Stage>({
  testDir: '.',
  outputDir: '../test-results/pictures',
  workers: 1,
  timeout: 600_000,
  reporter: 'list',
  use: {
    ...devices['Desktop Chrome'],
    locale: 'en-GB',
    launchOptions: chromium(),
    story: 'pictures',
  },
});
