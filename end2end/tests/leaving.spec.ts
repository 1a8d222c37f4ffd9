import { expectAccessible, expectToFit } from '../story/accessible';
import { fjordPixel, ingrid, mei, nordlys, stranger } from '../story/people';
import { announcement, bringIn, enter, expectProblem, fillSignIn, heading, mailsTo, rowOf, signInByForm, usersTable } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'leaving', refusals: [422] });

test('a login is deleted by its person, and its name stays in the log alone', async ({ page, someoneElse }) => {
  const solveig = stranger();
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, solveig, ['See invoices']);

  await theirs.goto('/profile');
  const link = theirs.getByRole('link', { name: 'What Latchkey knows about me' });
  const file = await theirs.request.get((await link.getAttribute('href')) ?? '');
  expect(file.headers()['content-disposition']).toMatch(/^attachment; filename="latchkey-about-me-.*\.json"$/);
  const known = await file.json();
  expect(known.login.email).toBe(solveig.email);
  expect(known.accounts.map((account: { name: string }) => account.name)).toEqual([nordlys.name]);

  await theirs.getByRole('link', { name: 'Delete your login' }).click();
  await expect(heading(theirs, 'Delete your login')).toBeVisible();
  await expect(theirs.getByRole('row', { name: new RegExp(nordlys.name) })).toContainText('Your access ends');
  await expectAccessible(theirs);
  await expectToFit(theirs);
  const field = theirs.getByLabel('Your email address');
  await field.fill(ingrid.email);
  await theirs.getByRole('button', { name: 'Delete my login' }).click();
  await expectProblem(theirs, field, /isn't the email address of your login/);
  await expectAccessible(theirs);
  await field.fill(solveig.email);
  await theirs.getByRole('button', { name: 'Delete my login' }).click();
  await expect(announcement(theirs, 'Your login was deleted')).toBeVisible();
  await expect(heading(theirs, 'Sign in')).toBeVisible();

  await theirs.goto('/accounts');
  await expect(heading(theirs, 'Sign in')).toBeVisible();
  await fillSignIn(theirs, solveig);
  await expect(theirs.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(async () => {
    await theirs.goto('/demo/mailbox');
    await expect(mailsTo(theirs, solveig.email, /was deleted/)).toHaveCount(1, { timeout: 500 });
  }).toPass({ timeout: 20_000 });

  await enter(page, ingrid, nordlys, 'users');
  await expect(usersTable(page)).toBeVisible();
  await expect(rowOf(usersTable(page), solveig.email)).toHaveCount(0);
  await page.goto(`/accounts/${nordlys.number}/log?kind=account.left_with_login`);
  await expect(page.getByRole('main')).toContainText('Left by deleting their login');
  await expect(page.getByRole('main')).toContainText(solveig.name);
});

test('whoever is the only owner is led to hand over first', async ({ page }) => {
  await signInByForm(page, mei);
  await page.goto('/profile');
  await page.getByRole('link', { name: 'Delete your login' }).click();
  await expect(page.getByRole('row', { name: new RegExp(fjordPixel.name) })).toContainText('You are its only owner');
  await expect(page.getByRole('button', { name: 'Delete my login' })).toHaveCount(0);
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('link', { name: `User management of ${fjordPixel.name}` }).click();
  await expect(heading(page, 'User management')).toBeVisible();
});
