import { bjorn, ingrid, nordlys, stranger } from '../story/people';
import { enter, expectRefused, heading, inAccount, openManageAccess, sendInvitation, signIn } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'activity' });

test('the log says who did what, newest first', async ({ page }) => {
  const [first, second] = [stranger(), stranger()];
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email: first.email, permissions: ['See services'] });
  await page.goto(inAccount(nordlys, 'users'));
  await sendInvitation(page, { email: second.email, permissions: ['See invoices'] });

  await page.goto(inAccount(nordlys, 'log'));
  await expect(heading(page, 'Activity log')).toBeVisible();
  const main = page.getByRole('main');
  await expect(main).toContainText(ingrid.name);
  const text = await main.innerText();
  expect(text.indexOf(second.email)).toBeGreaterThan(-1);
  expect(text.indexOf(first.email)).toBeGreaterThan(text.indexOf(second.email));
});

test('an owner finds the signed digests below the log', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'log');
  const main = page.getByRole('main');
  await expect(main.getByRole('heading', { name: 'Signed digests' })).toBeVisible();
  // The server signs within the hour; whether it has, doesn't matter here.
  const digest = main.getByRole('link', { name: /^Download the digest of / }).first();
  await expect(digest.or(main.getByText('There is no digest yet.'))).toBeVisible();
});

test('the log can be taken along as CSV', async ({ page }) => {
  const invited = stranger();
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email: invited.email, permissions: ['See services'] });
  await page.goto(inAccount(nordlys, 'log'));
  const link = page.getByRole('main').getByRole('link', { name: /CSV/ });
  await expect(link).toBeVisible();
  const file = await page.request.get((await link.getAttribute('href')) ?? '');
  expect(file.status()).toBe(200);
  expect(file.headers()['content-type']).toContain('text/csv');
  const text = await file.text();
  expect(text).toContain(invited.email);
  expect(text).toContain(ingrid.name);
});

test('the log comes by days, and the last week of it by a button', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'log');
  const main = page.getByRole('main');
  const today = main.getByRole('rowheader').first();
  await expect(today).toHaveText(/^\w+day, \d+ \w+ \d{4}$/);
  const whole = await main.getByRole('row').count();
  await main.getByRole('button', { name: 'Last 7 days', exact: true }).click();
  await expect(page).toHaveURL(/last=7/);
  const [from, to] = [main.getByLabel('From', { exact: true }), main.getByLabel('To', { exact: true })];
  const days = Date.parse(await to.inputValue()) - Date.parse(await from.inputValue());
  expect(days).toBe(6 * 24 * 60 * 60 * 1000);
  expect(await main.getByRole('row').count()).toBeLessThanOrEqual(whole);
  await expect(main.getByRole('link', { name: /CSV/ })).toHaveAttribute('href', /from=\d{4}-\d\d-\d\d&to=\d{4}/);
});

test('what somebody did is a link away from managing their access', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, bjorn);
  await page.getByRole('main').getByRole('link', { name: 'Their activity', exact: true }).click();
  await expect(heading(page, 'Activity log')).toBeVisible();
  await expect(page.getByLabel('Person', { exact: true })).toHaveValue(bjorn.name);
  await expect(page.getByRole('main')).toContainText(bjorn.name);
});

test.describe('on Kiritimati', () => {
  test.use({ timezoneId: 'Pacific/Kiritimati' });

  test('times are those of the browser, and stay as they are when the page comes to life', async ({
    page,
    javaScriptEnabled,
  }) => {
    await enter(page, ingrid, nordlys, 'log');
    await page.reload();
    const main = page.getByRole('main');
    // Without scripts nobody says where the browser is.
    const here = javaScriptEnabled === false ? 'UTC' : 'Pacific/Kiritimati';
    await expect(main).toContainText(`Days and times are as in ${here}.`);
    // What the server sends to the same browser, before any script can change it.
    const sent = await (await page.request.get(page.url())).text();
    const sentTimes = [...sent.matchAll(/<time[^>]*>([^<]*)</g)].map(([, time]) => time);
    if (javaScriptEnabled !== false) await expect(page.locator('#page[data-alive]')).toHaveCount(1);
    const times = main.getByRole('table', { name: 'Activity' }).locator('time');
    expect(await times.allTextContents()).toEqual(sentTimes);
    const moment = (await times.first().getAttribute('datetime')) ?? '';
    const options = { timeZone: here, hour: '2-digit', minute: '2-digit' } as const;
    const time = new Date(moment).toLocaleTimeString('en-GB', options);
    await expect(times.first()).toHaveText(javaScriptEnabled === false ? `${time} UTC` : time);
  });
});

test('the log is only for those who may see it', async ({ page }) => {
  await signIn(page, bjorn);
  await expectRefused(page, nordlys, { path: 'log', heading: 'Activity log' });
});
