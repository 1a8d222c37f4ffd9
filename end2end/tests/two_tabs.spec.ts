// One login, several accounts, several tabs: nothing gets mixed up.
import { fjordPixel, ingrid, mei, nordlys, stranger } from '../story/people';
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

test.use({ story: 'two tabs', refusals: [401] });

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
