import { amira, bjorn, ingrid, mei, nordlys, olav } from '../story/people';
import { accountMenu, enter, expectRefused, heading, inAccount, openUserManagement, ownName, signIn } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'refused' });

test('without the administrator right, user management explains itself', async ({ page }) => {
  await enter(page, bjorn, nordlys);
  await ownName(page, bjorn).click();
  await accountMenu(page).getByRole('link', { name: 'User management', exact: true }).click();
  await expect(heading(page, "You don't have access to User management")).toBeVisible();
  const main = page.getByRole('main');
  await expect(main).toContainText('Manage users and permissions');
  await expect(main).toContainText(ingrid.name);
  await expect(main).toContainText(olav.name);
  await expect(main).not.toContainText(amira.name);
  await expect(main).toContainText(/pay invoices/);
  await expect(page.getByRole('navigation', { name: 'Account', exact: true }).getByRole('link', { name: 'Billing' })).toBeVisible();
});

test('every page behind the right is refused with 403', async ({ page }) => {
  await signIn(page, mei);
  for (const path of ['users', 'users/invite']) {
    const answer = await page.goto(inAccount(nordlys, path));
    expect(answer?.status()).toBe(403);
    await expect(heading(page, /^You don't have access to /)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Send invitation', exact: true })).toHaveCount(0);
  }
  await expectRefused(page, nordlys, { path: 'log', heading: 'Activity log' });
});

test('whoever holds the administrator right gets in, owner or not', async ({ page }) => {
  for (const person of [ingrid, amira]) {
    await enter(page, person, nordlys);
    await openUserManagement(page, person);
  }
});

test('without signing in nothing is refused, but asked to sign in', async ({ page }) => {
  await page.goto(inAccount(nordlys, 'users'));
  await expect(heading(page, 'Sign in')).toBeVisible();
  await expect(page.getByRole('main')).not.toContainText(nordlys.name);
});
