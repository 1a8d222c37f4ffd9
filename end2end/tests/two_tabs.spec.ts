// One login, several accounts, several tabs: nothing gets mixed up.
import { fjordPixel, ingrid, mei, nordlys, olav, stranger } from '../story/people';
import {
  accountMenu,
  announcement,
  enter,
  fillSignIn,
  heading,
  inAccount,
  invitationsTable,
  openInviteForm,
  ownName,
  rowOf,
  sendInvitation,
  signInByForm,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'two tabs', refusals: [401, 409] });

test('two tabs hold two accounts', async ({ page }) => {
  await enter(page, mei, nordlys, 'services');
  const other = await page.context().newPage();
  await other.goto(inAccount(fjordPixel, 'users'));
  await expect(page.getByRole('banner')).toContainText(nordlys.name);
  await expect(other.getByRole('banner')).toContainText(fjordPixel.name);

  const { email } = stranger();
  await page.reload();
  await sendInvitation(other, { email, permissions: ['See services'] });
  await expect(rowOf(invitationsTable(other), email)).toBeVisible();
  await page.reload();
  await expect(page.getByRole('banner')).toContainText(nordlys.name);

  await enter(page, ingrid, nordlys, 'users');
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
});

test('signing out in one tab ends the other', async ({ page }) => {
  await signInByForm(page, mei);
  await page.goto(inAccount(fjordPixel, 'services'));
  const other = await page.context().newPage();
  await other.goto(inAccount(fjordPixel, 'users'));
  await ownName(page, mei).click();
  await accountMenu(page).getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(heading(page, 'Sign in')).toBeVisible();
  await other.reload();
  await expect(heading(other, 'Sign in')).toBeVisible();
});

test('a form outlives the session that it was begun in', async ({ page }) => {
  const { email } = stranger();
  await signInByForm(page, ingrid);
  await page.goto(inAccount(nordlys, 'users'));
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await tick(form, ['See invoices']);
  await page.context().clearCookies();
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(heading(page, 'Sign in')).toBeVisible();
  await expect(page.getByText('You have been signed out')).toBeVisible();
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Sign in in a new tab' }).click();
  const other = await opened;
  await fillSignIn(other, ingrid);
  await expect(ownName(other, ingrid)).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
});

test('what was begun in one tab is not done for who signed in in another', async ({ page }) => {
  const { email } = stranger();
  await signInByForm(page, olav);
  await page.goto(inAccount(nordlys, 'users'));
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(email);
  await tick(form, ['See invoices']);
  const other = await page.context().newPage();
  await signInByForm(other, ingrid);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(heading(page, 'This form was made for somebody else')).toBeVisible();
  await expect(page.getByRole('main')).toContainText(`made for ${olav.name} (${olav.email}), but ${ingrid.name} (${ingrid.email})`);
  await expect(ownName(page, ingrid)).toBeVisible();
  await other.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(other), email)).toHaveCount(0);

  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Sign in in a new tab' }).click();
  await fillSignIn(await opened, olav);
  await expect(ownName(await opened, olav)).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
});

test('a tab becomes wholly that of who signed in in another', async ({ page }) => {
  await signInByForm(page, ingrid);
  await page.goto(inAccount(nordlys, 'users'));
  const other = await page.context().newPage();
  await signInByForm(other, mei);
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Services' }).click();
  await expect(heading(page, 'Services')).toBeVisible();
  await expect(ownName(page, mei)).toBeVisible();
  await expect(ownName(page, ingrid)).toHaveCount(0);
  await expect(page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'User management' })).toHaveCount(0);
});

test('a tab from before an upgrade loads what it goes to anew, once', async ({ page, javaScriptEnabled }) => {
  await signInByForm(page, ingrid);
  await page.goto(inAccount(nordlys, 'users'));
  await page.waitForLoadState('networkidle');
  const loaded: string[] = [];
  page.on('request', (request) => request.isNavigationRequest() && loaded.push(new URL(request.url()).pathname));
  // Another build: its answers are another's, and can't be read.
  const upgrade = async () => {
    await page.route(/\/api\/|\/users\/invite/, async (route) => {
      if (route.request().resourceType() !== 'fetch') return route.fallback();
      const response = await route.fetch();
      const headers = { ...response.headers(), 'x-made-for': 'another/build/' };
      await route.fulfill({ response, headers, body: response.ok() ? '"?"' : await response.text() });
    });
  };
  await upgrade();
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Billing' }).click();
  await expect(heading(page, 'Billing')).toBeVisible();
  expect(loaded).toEqual([inAccount(nordlys, 'billing')]);

  await page.goto(inAccount(nordlys, 'users/invite'));
  await page.getByLabel('Email address').fill('nobody');
  await tick(page.getByRole('main'), ['See invoices']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(page.getByLabel('Email address')).toHaveValue('nobody');
  const { email } = stranger();
  await page.getByLabel('Email address').fill(email);
  loaded.length = 0;
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${email}`)).toBeVisible();
  expect(loaded.at(-1)).toBe(inAccount(nordlys, 'users'));
  if (javaScriptEnabled !== false) expect(loaded).toHaveLength(1);
});
