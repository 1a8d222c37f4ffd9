import { bjorn, fjordPixel, ingrid, mei, nordlys } from '../story/people';
import { accountMenu, enter, heading, ownName, signInByForm, signOut } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'menu' });

test('your own name opens the account menu', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  const userManagement = accountMenu(page).getByRole('link', { name: 'User management', exact: true });
  await expect(userManagement).toBeHidden();
  await ownName(page, ingrid).click();
  await expect(userManagement).toBeVisible();
  for (const name of ['Account details', 'Your profile', 'Security', 'Help']) {
    await expect(accountMenu(page).getByRole('link', { name, exact: true })).toBeVisible();
  }
  await expect(page.getByRole('button', { name: 'Sign out', exact: true })).toBeVisible();
  await expect(page.getByRole('menu')).toHaveCount(0);
});

test('the keyboard opens the menu, walks it and closes it again', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await ownName(page, ingrid).focus();
  await page.keyboard.press('Enter');
  const userManagement = accountMenu(page).getByRole('link', { name: 'User management', exact: true });
  await expect(userManagement).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(userManagement).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(userManagement).toBeHidden();
  await expect(ownName(page, ingrid)).toBeFocused();
});

test('a click elsewhere closes the menu', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await ownName(page, ingrid).click();
  const userManagement = accountMenu(page).getByRole('link', { name: 'User management', exact: true });
  await expect(userManagement).toBeVisible();
  await heading(page, nordlys.name).click();
  await expect(userManagement).toBeHidden();
});

test('user management is offered to everybody', async ({ page }) => {
  await enter(page, bjorn, nordlys);
  await ownName(page, bjorn).click();
  await expect(accountMenu(page).getByRole('link', { name: 'User management', exact: true })).toBeVisible();
});

test('switching is offered to whoever has several accounts', async ({ page }) => {
  for (const [person, links] of [[mei, 1], [ingrid, 0]] as const) {
    await enter(page, person, nordlys);
    await ownName(page, person).click();
    await expect(accountMenu(page).getByRole('link', { name: 'Switch account' })).toHaveCount(links);
  }
});

test('profile and security are one click away', async ({ page }) => {
  for (const [link, title] of [['Your profile', 'Your profile'], ['Security', 'Security']] as const) {
    await enter(page, ingrid, nordlys);
    await ownName(page, ingrid).click();
    await accountMenu(page).getByRole('link', { name: link, exact: true }).click();
    await expect(heading(page, title)).toBeVisible();
    const areas = page.getByRole('navigation', { name: 'Account', exact: true });
    await areas.getByRole('link', { name: 'Overview' }).click();
    await expect(heading(page, nordlys.name)).toBeVisible();
  }
});

test("the account's name in the header leads to the others", async ({ page }) => {
  await enter(page, mei, nordlys, 'services');
  const banner = page.getByRole('banner');
  const other = banner.getByRole('link', { name: fjordPixel.name });
  await expect(other).toBeHidden();
  await banner.getByRole('button', { name: `Switch account: ${nordlys.name}`, exact: true }).click();
  await other.click();
  await expect(heading(page, fjordPixel.name)).toBeVisible();
  await expect(other).toBeHidden();
  await expect(page).toHaveTitle(`${fjordPixel.name} · Latchkey`);
});

test('signing out ends the session', async ({ page }) => {
  await signInByForm(page, mei);
  await signOut(page, mei);
  await expect(heading(page, 'Sign in')).toBeVisible();
});

test('accounts can be switched from a page outside them too', async ({ page }) => {
  await signInByForm(page, mei);
  await page.goto('/profile');
  await ownName(page, mei).click();
  await accountMenu(page).getByRole('link', { name: 'Switch account', exact: true }).click();
  await expect(heading(page, 'Choose an account')).toBeVisible();
  await signInByForm(page, ingrid);
  await page.goto('/profile');
  await ownName(page, ingrid).click();
  await expect(accountMenu(page).getByRole('link', { name: 'Switch account' })).toHaveCount(0);
});
