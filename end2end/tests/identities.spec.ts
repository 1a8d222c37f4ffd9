import { expectAccessible, expectToFit } from '../story/accessible';
import { codeOf, turnAppOn } from '../story/authenticator';
import { bjorn, nordlys, stranger, tom } from '../story/people';
import { announcement, heading, inAccount, mailsTo, ownName, signOut } from '../story/steps';
import { expect, test } from '../story/test';
import type { Page } from '@playwright/test';

test.use({ story: 'identities', identityProvider: 'operators', refusals: [401, 409, 422] });

/** Chooses the identity provider on the sign-in page. */
async function signInWithAcme(page: Page) {
  await page.getByRole('button', { name: 'Sign in with Acme Login' }).click();
}

/** Says there who one is, and comes back. */
async function sayWho(page: Page, email: string) {
  await expect(heading(page, 'Who are you?')).toBeVisible();
  await page.getByLabel('Your address here').fill(email);
  await page.getByRole('button', { name: 'Go back' }).click();
}

test('an identity is linked once, opens the login from then on, and is taken away', async ({ page }) => {
  await page.goto(inAccount(nordlys, 'billing'));
  await expectAccessible(page);
  await signInWithAcme(page);
  await sayWho(page, bjorn.email);

  await expect(page.getByText(`At Acme Login you are ${bjorn.email}`)).toBeVisible();
  await expect(page.getByLabel('Email address')).toHaveValue(bjorn.email);
  await expectAccessible(page);
  await page.getByLabel('Password', { exact: true }).fill(bjorn.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(heading(page, 'Link Acme Login to your login?')).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('button', { name: 'Link Acme Login' }).click();
  await expect(announcement(page, 'Acme Login is linked to your login')).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${inAccount(nordlys, 'billing')}$`));
  await signOut(page, bjorn);

  await page.goto('/sign-in');
  await signInWithAcme(page);
  await expect(ownName(page, bjorn)).toBeVisible();

  // The provider doesn't say when it asked who one is: what is sensitive takes the password first.
  await page.goto('/security');
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await expect(heading(page, 'Confirm that it is you')).toBeVisible();
  await page.getByLabel('Password', { exact: true }).fill(bjorn.password);
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  await expect(heading(page, 'Set up an authenticator app')).toBeVisible();
  const { key } = await turnAppOn(page);
  await signOut(page, bjorn);
  await page.goto('/sign-in');
  await signInWithAcme(page);
  await expect(heading(page, 'Second factor')).toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(codeOf(key, 1));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(ownName(page, bjorn)).toBeVisible();

  await page.goto('/security');
  const row = page.getByRole('table', { name: 'Linked sign-ins' }).getByRole('row').filter({ hasText: bjorn.email });
  await expect(row).toContainText('Acme Login');
  await expectAccessible(page);
  await expectToFit(page);
  await row.getByRole('link', { name: `Remove Acme Login (${bjorn.email})` }).click();
  await expect(heading(page, 'Remove the link to Acme Login?')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Remove' }).click();
  await expect(announcement(page, 'Acme Login no longer opens your login')).toBeVisible();
  await signOut(page, bjorn);
  await page.goto('/sign-in');
  await signInWithAcme(page);
  await expect(page.getByText(`At Acme Login you are ${bjorn.email}`)).toBeVisible();

  await expect(async () => {
    await page.goto('/demo/mailbox');
    await expect(mailsTo(page, bjorn.email, 'A link to your login')).toHaveCount(2, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
});

test('whoever has no login, or another, is told what to do', async ({ page, someoneElse }) => {
  await page.goto('/sign-in');
  await signInWithAcme(page);
  await sayWho(page, stranger().email);
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByText('A login begins with an invitation')).toBeVisible();
  await expectAccessible(page);

  const theirs = await someoneElse();
  await theirs.goto('/sign-in');
  await signInWithAcme(theirs);
  await sayWho(theirs, bjorn.email);
  await theirs.getByLabel('Email address').fill(tom.email);
  await theirs.getByLabel('Password', { exact: true }).fill(tom.password);
  await theirs.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(theirs.getByText(`You are signed in as ${tom.email}`)).toBeVisible();
  await expect(theirs.getByRole('button', { name: 'Link Acme Login' })).toHaveCount(0);
  await theirs.getByRole('link', { name: 'Not now' }).click();
  await expect(ownName(theirs, tom)).toBeVisible();
});
