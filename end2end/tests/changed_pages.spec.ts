// Pages that others changed: proxies and translations on their way, extensions in the browser. What can't come to life
// stays plain HTML that works.
import type { Browser, Page, Route } from '@playwright/test';
import { ingrid, nordlys, stranger } from '../story/people';
import {
  accountMenu,
  enter,
  expectProblem,
  heading,
  inAccount,
  invitationsTable,
  openInviteForm,
  ownName,
  rowOf,
  sendInvitation,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'changed pages' });

interface Change {
  by: string;
  /** What becomes of a document's body. */
  body: (html: string) => string;
  /** Whether the page comes to life all the same. */
  lives?: boolean;
}

const hidden = '<a href="/cdn-cgi/l/email-protection" class="__cf_email__" data-cfemail="00">[email&#160;protected]</a>';
const decoder = (code: string) => `<script data-cfasync="false" src="/cdn-cgi/scripts/decode.js?${code}"></script>`;
const addresses = /(?<=>)[\w.+-]+@[\w-]+\.\w+(?=<)/g;

const changes: Change[] = [
  { by: 'a proxy that hides e-mail addresses', body: (html) => html.replace(addresses, hidden) + decoder('leave') },
  {
    by: 'a proxy that hides e-mail addresses, whose script brings them back',
    body: (html) => html.replace(addresses, hidden) + decoder('restore'),
    lives: true,
  },
  { by: 'a translation', body: (html) => html.replace(/>([^<>]+)</g, '><font dir="auto">$1</font><') },
  { by: 'a proxy that drops comments', body: (html) => html.replace(/<!.*?>/g, '') },
  { by: 'a proxy that adds white space', body: (html) => html.replace(/<(main|form|li|p)\b/g, '\n  <$1') },
  { by: 'an extension beside a field', body: (html) => html.replace(/(<input[^>]*name="email"[^>]*>)/g, '$1<span class="filler"></span>').replace(/<h1>/, '<div class="filler"></div><h1>') },
  {
    by: 'extensions around the page',
    body: (html) => `<div class="filler"></div>${html}<filler-button></filler-button><div>text</div>`,
    lives: true,
  },
];

/** A browser for which this happens to each document of an account, and what it complained about beside what is told on purpose. */
async function changed(browser: Browser, context: object, change: Change): Promise<{ page: Page; complaints: string[] }> {
  const page = await (await browser.newContext(context)).newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const told = /changed on its way|cdn-cgi\/scripts|status of 4|preloaded using link preload/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !told) complaints.push(message.text());
  });
  await page.route('**/accounts/**', async (route) => {
    if (route.request().resourceType() !== 'document') return route.fallback();
    const response = await route.fetch({ maxRedirects: 0 });
    const body = (await response.text()).replace(/(?<=<body>).*(?=<\/body>)/s, (html) => {
      const end = html.lastIndexOf('</div>') + '</div>'.length;
      return change.body(html.slice(0, end)) + html.slice(end);
    });
    await route.fulfill({ response, body });
  });
  const restore = `for (const a of document.querySelectorAll('.__cf_email__')) a.replaceWith(new Text('kari@nordlys.example'))`;
  await page.route('/cdn-cgi/**', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: route.request().url().endsWith('restore') ? restore : '' }),
  );
  return { page, complaints };
}

for (const change of changes) {
  test(`what is changed by ${change.by} works on`, async ({ browser, baseURL, locale, javaScriptEnabled }) => {
    const { page, complaints } = await changed(browser, { baseURL, locale, javaScriptEnabled }, change);
    await enter(page, ingrid, nordlys, 'users');
    await page.waitForLoadState('networkidle');
    const lives = change.lives === true && javaScriptEnabled !== false;
    await expect(page.locator('#page[data-alive]')).toHaveCount(lives ? 1 : 0);

    await page.getByRole('link', { name: 'By last activity' }).or(page.getByRole('link', { name: 'Billing' })).first().click();
    await expect(page).toHaveURL(/sort=|billing/);
    await ownName(page, ingrid).click();
    await accountMenu(page).getByRole('link', { name: 'User management', exact: true }).click();
    await expect(heading(page, 'User management')).toBeVisible();

    await page.goto(inAccount(nordlys, 'users/invite'));
    await page.getByLabel('Email address').fill('nobody');
    await tick(page.getByRole('main'), ['See services']);
    await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
    await expectProblem(page, page.getByLabel('Email address'), /e-?mail address/i);
    await expect(page.getByLabel('Email address')).toHaveValue('nobody');
    await expect(page.getByRole('checkbox', { name: 'See services' })).toBeChecked();
    const { email } = stranger();
    await page.getByLabel('Email address').fill(email);
    await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
    await expect(page).toHaveURL(/\/users$/);
    await expect(page.getByRole('status').filter({ hasText: 'Invitation sent to' })).toBeVisible();

    await page.goBack();
    await expect(heading(page, 'Invite new user')).toBeVisible();
    await expect(page.getByText('This page has stopped working')).toBeHidden();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}

test('a page that is changed while it comes to life works on without', async ({ browser, baseURL, locale, javaScriptEnabled }) => {
  // In a browser of its own: here it may complain.
  const context = await browser.newContext({ baseURL, locale, javaScriptEnabled });
  const page = await context.newPage();
  await enter(page, ingrid, nordlys);
  let letThrough = () => {};
  const free = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route(/\/pkg\/.*\.wasm$/, async (route) => {
    if (!/latchkey(_bg)?\.wasm$/.test(route.request().url())) await free;
    await route.continue();
  });
  await page.goto(inAccount(nordlys, 'users'), { waitUntil: 'domcontentloaded' });
  if (javaScriptEnabled !== false) {
    await page.getByRole('main').evaluate((main) => main.prepend(document.createElement('aside')));
    letThrough();
    await expect(page.locator('html[data-dead]')).toHaveCount(1);
  }
  await expect(page.getByText('This page has stopped working')).toBeHidden();
  const form = await openInviteForm(page);
  await expect(heading(page, 'Invite new user')).toBeVisible();
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await context.close();
});

test('where a link leads whose piece is gone, the page is loaded', async ({ browser, baseURL, locale, javaScriptEnabled }) => {
  const context = await browser.newContext({ baseURL, locale, javaScriptEnabled });
  const page = await context.newPage();
  const gone = (route: Route) => route.fulfill({ status: 404 });
  await page.route(/\/pkg\/.*invite_dialog\.wasm$/, gone);
  await enter(page, ingrid, nordlys, 'users');
  await page.waitForLoadState('networkidle');
  await page.route(/\/pkg\/.*\.wasm$/, gone);
  await page.getByRole('link', { name: 'Invite new user' }).click();
  await expect(heading(page, 'Invite new user')).toBeVisible();
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Billing' }).click();
  await expect(heading(page, 'Billing')).toBeVisible();
  await page.goBack();
  await expect(heading(page, 'Invite new user')).toBeVisible();
  await expect(page.getByText('This page has stopped working')).toBeHidden();
  await context.close();
});

test('a piece that is gone is fetched ahead twice at most, however often one comes to its link', { tag: '@script' }, async ({ browser, baseURL, locale }) => {
  const context = await browser.newContext({ baseURL, locale });
  const page = await context.newPage();
  let tries = 0;
  await page.route(/\/pkg\/.*billing_page\.wasm$/, (route) => {
    tries += 1;
    return route.fulfill({ status: 404 });
  });
  await enter(page, ingrid, nordlys);
  await page.locator('#page[data-alive]').waitFor();
  const comeTo = (name: string) => page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name }).hover();
  await comeTo('Billing');
  await expect.poll(() => tries).toBe(2);
  await comeTo('Domains');
  await comeTo('Billing');
  const another = page.waitForRequest(/\/pkg\/.*support_page\.wasm$/);
  await comeTo('Support requests');
  await another;
  expect(tries).toBe(2);
  await context.close();
});

test('a page that died after a form says so, and its links go on', async ({ browser, baseURL, locale, javaScriptEnabled }) => {
  const context = await browser.newContext({ baseURL, locale, javaScriptEnabled });
  const page = await context.newPage();
  await enter(page, ingrid, nordlys, 'users');
  const { email } = stranger();
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  await page.getByRole('button', { name: `Cancel invitation to ${email}` }).click();
  await expect(heading(page, /Cancel/)).toBeVisible();
  await page.reload();
  await page.waitForLoadState('networkidle');
  await page.route(/\/pkg\/.*\.wasm$/, (route) => route.abort());
  await page.getByRole('main').getByRole('button', { name: 'Cancel invitation' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'This page has stopped working' });
  if (javaScriptEnabled !== false) {
    await expect(notice).toBeVisible();
    await expect(page.locator('.progress')).toBeHidden();
    await page.unroute(/\/pkg\/.*\.wasm$/);
    await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'User management' }).click();
  }
  await expect(heading(page, 'User management')).toBeVisible();
  await expect(notice).toBeHidden();
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
  await context.close();
});
