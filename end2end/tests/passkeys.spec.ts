import type { Page } from '@playwright/test';
import { expectAccessible, expectToFit } from '../story/accessible';
import { addPasskey, makePasskey, plugIn } from '../story/passkeys';
import { bjorn, ingrid, mei, nordlys, stranger, tom } from '../story/people';
import {
  announcement,
  fillSignIn,
  heading,
  inAccount,
  openInviteForm,
  ownName,
  signInByForm,
  signOut,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

// On Postgres, where an hour can be made to pass.
test.use({ story: 'passkeys', database: 'postgres', refusals: [401, 409, 422] });

/** What is said where the browser's answer is missing. */
async function expectRefused(page: Page, words: string | RegExp) {
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByRole('alert').filter({ hasText: words })).toBeVisible();
}

test('a passkey is added, signs in, and is removed', async ({ page, javaScriptEnabled }) => {
  await signInByForm(page, tom);
  if (javaScriptEnabled === false) {
    await page.goto('/security');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await expect(page.getByText('This takes JavaScript')).toBeVisible();
    await page.getByRole('button', { name: 'Create passkey' }).click();
    await expectRefused(page, 'This takes JavaScript');
    return expectAccessible(page);
  }
  await plugIn(page);
  expect(await addPasskey(page, 'My laptop')).toHaveLength(10);
  await expectAccessible(page);
  await expectToFit(page);
  await makePasskey(page, 'The same laptop');
  await expectRefused(page, 'on this device already');
  await signOut(page, tom);

  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(ownName(page, tom)).toBeVisible();

  await page.goto('/security');
  await page.getByRole('link', { name: 'Manage My laptop' }).click();
  await expect(heading(page, /My laptop/)).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByLabel('Name', { exact: true }).fill('Work laptop');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(announcement(page, 'Changes saved')).toBeVisible();
  await page.getByRole('link', { name: 'Manage Work laptop' }).click();
  await page.getByRole('button', { name: 'Remove with a passkey' }).click();
  await expect(announcement(page, 'Passkey removed')).toBeVisible();
  await expect(page.getByText('Work laptop')).toHaveCount(0);
});

test('the browser offers a passkey in the field for the address', async ({ page, javaScriptEnabled }) => {
  await page.goto('/sign-in');
  await expect(page.getByLabel('Email address')).toHaveAttribute('autocomplete', 'username webauthn');
  if (javaScriptEnabled === false) {
    await expect(page.getByText('This takes JavaScript')).toBeVisible();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    return expectRefused(page, 'This takes JavaScript');
  }
  await plugIn(page, { offers: true });
  await signInByForm(page, mei);
  await addPasskey(page, 'Phone');
  await page.context().clearCookies();
  await page.goto('/sign-in', { waitUntil: 'commit' });
  await expect(ownName(page, mei)).toBeVisible();
});

test('a passkey is the second factor after the password, and so is a recovery code', async ({ page, javaScriptEnabled }) => {
  if (javaScriptEnabled === false) {
    await page.goto('/sign-in/second-factor');
    return expect(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
  }
  await plugIn(page);
  await signInByForm(page, bjorn);
  const codes = await addPasskey(page, 'Security key');
  await signOut(page, bjorn);
  await fillSignIn(page, bjorn);
  await expect(heading(page, 'Second factor')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(ownName(page, bjorn)).toBeVisible();

  await signOut(page, bjorn);
  await fillSignIn(page, bjorn);
  await page.getByLabel('Code', { exact: true }).fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(ownName(page, bjorn)).toBeVisible();
});

test('a passkey confirms who one is, and the form goes on', async ({ page, javaScriptEnabled, latchkey }) => {
  const { email } = stranger();
  await signInByForm(page, ingrid);
  if (javaScriptEnabled !== false) {
    await plugIn(page);
    await addPasskey(page, 'Phone');
  }
  await page.goto(inAccount(nordlys, 'users'));
  await latchkey.hourLater();
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await tick(form, ['See invoices']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(heading(page, 'Confirm that it is you')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  if (javaScriptEnabled === false) {
    await page.getByLabel('Password', { exact: true }).fill(ingrid.password);
    await page.getByRole('button', { name: 'Continue' }).click();
  } else {
    await page.getByRole('button', { name: 'Use a passkey' }).click();
  }
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
});
