import { bjorn, ingrid, nordlys, stranger } from '../story/people';
import { enter, expectRefused, heading, inAccount, sendInvitation, signIn } from '../story/steps';
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

test('the log is only for those who may see it', async ({ page }) => {
  await signIn(page, bjorn);
  await expectRefused(page, nordlys, { path: 'log', heading: 'Activity log' });
});
