import type { Browser, BrowserContext, Page, Request } from '@playwright/test';
import { ingrid, nordlys } from '../story/people';
import { heading, inAccount, openInviteForm, signIn, usersTable } from '../story/steps';
import { expect, test } from '../story/test';

const ROUNDS = 5;
const USERS = inAccount(nordlys, 'users');

/** A phone far from its mast: a round trip in milliseconds, bytes per second, and how many times slower it reckons. */
const LINE = { roundTrip: 150, down: 1_600_000 / 8, up: 750_000 / 8, slower: 4 };

test('figures of a browser that comes for the first time', async ({ page, browser, baseURL }) => {
  await signIn(page, ingrid);
  const cookies = await page.context().cookies();
  const visitor = (look: (page: Page) => Promise<void>) => visit(browser, { baseURL, cookies }, look);

  await visitor(async (page) => {
    const wire = counted(page);
    await comesAlive(page, USERS);
    const list = await wire.settled();
    await openInviteForm(page);
    const dialog = await wire.settled();
    say('first visit of User management', `${kB(list.bytes)} kB in ${list.requests} requests`);
    say('    with its dialog open (at most 230 in 15)', `${kB(dialog.bytes)} kB in ${dialog.requests} requests`);
  });

  const firsts: number[] = [];
  const clicks: number[] = [];
  const changes: number[] = [];
  let asked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await visitor(async (page) => {
      await overTheLine(page);
      const begun = Date.now();
      await page.goto(USERS, { waitUntil: 'commit' });
      // Before it comes to life a link leads to the form's own page.
      await openInviteForm(page);
      firsts.push(Date.now() - begun);
    });
    await visitor(async (page) => {
      await overTheLine(page);
      await comesAlive(page, USERS);
      await openInviteForm(page);
      clicks.push(await sinceItsStart(page));
    });
    await visitor(async (page) => {
      await overTheLine(page);
      await comesAlive(page, USERS);
      const wire = counted(page);
      await wire.settled();
      const link = page.getByRole('link', { name: 'Services', exact: true }).first();
      await link.hover();
      // As long as a hand takes from coming near to pressing.
      await page.waitForTimeout(200);
      const begun = await sinceItsStart(page);
      await link.click();
      await expect(heading(page, 'Services')).toBeVisible();
      changes.push((await sinceItsStart(page)) - begun);
      asked = (await wire.settled()).requests;
    });
  }
  const { roundTrip, slower } = LINE;
  say(`"Invite new user", ${roundTrip} ms, 1.6 Mbit/s, CPU ÷ ${slower}`, `${seconds(firsts)} s, clicked as soon as it is there`);
  say('    its dialog, once the page is alive (at most 2.2)', `${seconds(clicks)} s`);
  say('    another page of the account after that', `${seconds(changes)} s, ${asked} requests`);
});

function say(what: string, figure: string) {
  console.log(`${what.padEnd(58)}${figure}`);
}

const kB = (bytes: number) => (bytes / 1000).toFixed(1);
const seconds = (times: number[]) => ((times.sort((one, other) => one - other)[ROUNDS >> 1] ?? 0) / 1000).toFixed(2);

/** Looks with a browser that was never there, but is signed in. */
async function visit(
  browser: Browser,
  { baseURL, cookies }: { baseURL?: string; cookies: Awaited<ReturnType<BrowserContext['cookies']>> },
  look: (page: Page) => Promise<void>,
) {
  const context = await browser.newContext({ baseURL, locale: 'en-GB' });
  await context.addCookies(cookies);
  await look(await context.newPage());
  await context.close();
}

async function comesAlive(page: Page, address: string) {
  await page.goto(address, { waitUntil: 'commit' });
  await expect(usersTable(page)).toBeVisible();
  await page.locator('#page[data-alive]').waitFor({ timeout: 30_000 });
}

const sinceItsStart = (page: Page) => page.evaluate(() => performance.now());

/** Chromium's own throttling, of the line and of the processor. */
async function overTheLine(page: Page) {
  const { roundTrip: latency, down: downloadThroughput, up: uploadThroughput, slower: rate } = LINE;
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput, uploadThroughput });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate });
}

/** Counts every byte that crosses the wire either way, headers too. */
function counted(page: Page) {
  const begun: Request[] = [];
  const finished: Request[] = [];
  page.on('request', (request) => begun.push(request));
  page.on('requestfinished', (request) => finished.push(request));
  return {
    /** What it was once nothing is on its way any more. */
    async settled() {
      for (let before = -1; before !== begun.length || finished.length < begun.length; ) {
        before = begun.length;
        await page.waitForTimeout(600);
      }
      const sizes = await Promise.all(finished.map((request) => request.sizes()));
      const sum = (parts: Awaited<ReturnType<Request['sizes']>>) =>
        parts.requestHeadersSize + parts.requestBodySize + parts.responseHeadersSize + parts.responseBodySize;
      return { requests: finished.length, bytes: sizes.map(sum).reduce((all, bytes) => all + bytes, 0) };
    },
  };
}
