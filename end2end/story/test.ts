import { test as base, expect, type BrowserContext, type Cookie, type Page } from '@playwright/test';
import { type Latchkey, type Stage as Server, withLatchkey } from './server';

export { expect };

/** What a spec may set for its worker: every distinct stage has a server and data of its own. */
export interface Stage extends Server {
  /** A spec names its own story (`test.use({ story: 'manage' })`) and gets fresh demo data, shared by its tests only. */
  story: string;
}

interface Scene {
  /** The 4xx answers that the page's own forms and questions for content may get in this spec; the browser logs each as an error. */
  refusals: number[];
  /** Opens a page in a browser of its own: somebody else's, without anybody's cookies. */
  someoneElse: () => Promise<Page>;
}

/** The cookies of those who have signed in before in this worker, by e-mail address. */
export type Keyring = Map<string, Cookie[]>;

const keyring: Keyring = new Map();

/** Signing in is slow and rate limited on purpose, so helpers reuse what is here. */
export function rememberedCookies(): Keyring {
  return keyring;
}

export const test = base.extend<Scene, Stage & { latchkey: Latchkey }>({
  database: ['sqlite', { option: true, scope: 'worker' }],
  identityProvider: ['none', { option: true, scope: 'worker' }],
  story: ['', { option: true, scope: 'worker' }],
  refusals: [[], { option: true }],

  latchkey: [
    async ({ database, identityProvider, story: _ }, use) => {
      await withLatchkey({ database, identityProvider }, use);
    },
    { scope: 'worker', timeout: 90_000 },
  ],

  baseURL: async ({ latchkey }, use) => {
    await use(latchkey.url);
  },

  context: async ({ context, refusals, latchkey }, use, testInfo) => {
    const complaints = listen(context, refusals);
    await use(context);
    expect.soft(complaints(), 'what the browser complained about').toEqual([]);
    await attachLog(latchkey, testInfo);
  },

  someoneElse: async ({ browser, baseURL, javaScriptEnabled, refusals, locale }, use) => {
    const opened: { context: BrowserContext; complaints: () => string[] }[] = [];
    await use(async () => {
      const context = await browser.newContext({ baseURL, javaScriptEnabled, locale });
      opened.push({ context, complaints: listen(context, refusals) });
      return context.newPage();
    });
    for (const { context, complaints } of opened) {
      expect.soft(complaints(), "what somebody else's browser complained about").toEqual([]);
      await context.close();
    }
  },
});

/** Listens to everything that the pages of a context complain about. */
function listen(context: BrowserContext, refusals: number[]): () => string[] {
  const refusedDocuments = new Set<string>();
  const refusedAnswers = new Set<string>();
  const heard: { text: string; url: string }[] = [];

  context.on('response', (response) => {
    const request = response.request();
    if (response.status() < 400 || response.status() >= 500) return;
    if (request.isNavigationRequest() && !request.frame().parentFrame()) refusedDocuments.add(response.url());
    else if (refusals.includes(response.status()) && (request.method() === 'POST' || response.url().includes('/api/'))) refusedAnswers.add(response.url());
  });
  context.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    heard.push({ text: message.text(), url: message.location().url });
  });
  context.on('weberror', (error) => {
    heard.push({ text: `uncaught: ${error.error().message}`, url: error.page()?.url() ?? '' });
  });

  // A page that is left quickly, or runs no scripts, doesn't use what it fetched ahead: a hint, no fault.
  // And the tests' own scripts don't get into the sandboxed frame of a mail.
  const isHint = ({ text }: { text: string }) =>
    text.includes('was preloaded using link preload but not used') ||
    /^Blocked script execution in '[^']*\/demo\/mailbox\/[^']*\/html'/.test(text);

  // Chromium logs every 4xx as an error, also where a refusal is exactly what was asked for.
  const isExpected = ({ text, url }: { text: string; url: string }) =>
    text.startsWith('Failed to load resource: the server responded with a status of 4') &&
    (refusedDocuments.has(url) || refusedAnswers.has(url));
  return () => heard.filter((one) => !isExpected(one) && !isHint(one)).map(({ text, url }) => `${text} (${url})`);
}

async function attachLog(latchkey: Latchkey, testInfo: typeof test extends { info(): infer T } ? T : never) {
  if (testInfo.status === testInfo.expectedStatus) return;
  await testInfo.attach('server log, last lines', {
    body: latchkey.log().split('\n').slice(-60).join('\n'),
    contentType: 'text/plain',
  });
}
