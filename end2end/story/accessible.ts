import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const COLOURS = ['color-contrast', 'link-in-text-block'];

type Theme = 'dark' | 'light';

/**
 * Nothing for axe to find, in the light theme and in the dark one, of which only the colours are another. Without scripts
 * they are the same.
 */
export async function expectAccessible(page: Page, both: readonly Theme[] = ['dark', 'light']) {
  const themes = test.info().project.use.javaScriptEnabled === false ? (['light'] as const) : both;
  await withScripts(page, async (alive) => {
    for (const colorScheme of themes) {
      await alive.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // The colours of the other theme are there with the next frame, those of a transition with the one after.
      await alive.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      const axe = axeOn(alive);
      const again = colorScheme !== themes[0];
      const { violations } = await (again ? axe.withRules(COLOURS) : axe.withTags(RULES)).analyze();
      const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ target }) => target.join(' ')) }));
      expect.soft(found, `what axe finds in the ${colorScheme} theme`).toEqual([]);
    }
  });
}

/** No page has frames: nothing is gathered from several, which would take another page for each look. */
function axeOn(page: Page) {
  return new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
}

/**
 * Axe needs timers, which stand still in a browser without scripts. There it looks at a copy of the document in a
 * browser that has them, with a policy that keeps the document's own scripts from running.
 */
async function withScripts(page: Page, look: (page: Page) => Promise<void>) {
  if (test.info().project.use.javaScriptEnabled !== false) return look(page);
  const html = await page.content();
  const address = page.url();
  const browser = page.context().browser();
  if (!browser) throw new Error('A page without a browser cannot be copied');
  const context = await browser.newContext({
    javaScriptEnabled: true,
    viewport: page.viewportSize(),
    storageState: await page.context().storageState(),
  });
  const copy = await context.newPage();
  await copy.route((url) => url.href === address.replace(/#.*/, ''), (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: html, headers: { 'content-security-policy': "script-src 'none'" } }),
  );
  await copy.goto(address);
  await look(copy);
  await context.close();
}

/** Everything fits into the window's width: nothing makes the page scroll sideways. */
export async function expectNoSidewaysScroll(page: Page) {
  const { content, window, widest } = await page.evaluate(() => {
    const root = document.documentElement;
    const tooWide = [...document.querySelectorAll('body *')].filter(
      (element) => element.getBoundingClientRect().right > root.clientWidth + 1,
    );
    return {
      content: root.scrollWidth,
      window: root.clientWidth,
      widest: tooWide.slice(0, 5).map((element) => `${element.tagName.toLowerCase()}.${element.className}`),
    };
  });
  expect.soft(content, `the page is as wide as the window (beyond it: ${widest.join(', ')})`).toBeLessThanOrEqual(window);
}

/** At narrow phone width (WCAG 1.4.10 measures at 320 CSS pixels) and with text at 200 % (WCAG 1.4.4). */
export async function expectToFit(page: Page) {
  const size = page.viewportSize() ?? { width: 1280, height: 720 };
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize(size);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await expectNoSidewaysScroll(page);
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
}
