import { ingrid, mei, nordlys, stranger } from '../story/people';
import { expectProblem, expectSummaryFocused, fillSignIn, heading, inAccount, ownName, signInByForm, signOut } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'sign in', refusals: [401, 422] });

test('signing in leads to the only account, and the name is at the top', async ({ page }) => {
  await signInByForm(page, ingrid);
  await expect(page).toHaveURL(new RegExp(`${inAccount(nordlys)}$`));
  await expect(heading(page, nordlys.name)).toBeVisible();
});

test('signing in goes on to where you were heading', async ({ page }) => {
  await page.goto(inAccount(nordlys, 'billing'));
  await expect(heading(page, 'Sign in')).toBeVisible();
  await fillSignIn(page, ingrid);
  await expect(page).toHaveURL(new RegExp(`${inAccount(nordlys, 'billing')}$`));
  await expect(heading(page, 'Billing')).toBeVisible();
});

test('signing in never goes on to another site', async ({ page, baseURL }) => {
  await page.goto(inAccount(nordlys, 'billing'));
  const address = new URL(page.url());
  expect([...address.searchParams.keys()], 'the place to go on to is in the address').not.toEqual([]);
  for (const name of [...address.searchParams.keys()]) address.searchParams.set(name, '//elsewhere.example/');
  await page.goto(address.toString());
  await fillSignIn(page, ingrid);
  await expect(ownName(page, ingrid)).toBeVisible();
  expect(new URL(page.url()).origin).toBe(baseURL);
});

test('a wrong password and an unknown address get the same answer', async ({ page }) => {
  const words: (string | null)[] = [];
  for (const email of [mei.email, stranger().email]) {
    await page.goto('/sign-in');
    await fillSignIn(page, { email, password: 'not the password' });
    await expect(page).toHaveTitle(/^Error: /);
    await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
    await expectSummaryFocused(page);
    await expect(page.getByLabel('Email address')).toHaveValue(email);
    await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
    words.push(await page.locator(':focus').textContent());
  }
  expect(words[0]).toBe(words[1]);
});

test('an empty form says which fields are missing', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expectProblem(page, page.getByLabel('Email address'), /e-?mail/i);
});

test('signing out closes every page', async ({ page }) => {
  await signInByForm(page, ingrid);
  await signOut(page, ingrid);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(heading(page, 'Sign in')).toBeVisible();
  await page.goBack();
  await page.reload();
  await expect(ownName(page, ingrid)).toHaveCount(0);
});

test('somebody who forgot the password finds the way', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(page.getByLabel('Email address')).toBeVisible();
});
