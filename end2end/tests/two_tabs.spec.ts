// One login, several accounts, several tabs: nothing gets mixed up.
import { fjordPixel, ingrid, mei, nordlys, stranger } from '../story/people';
import {
  accountMenu,
  enter,
  heading,
  inAccount,
  invitationsTable,
  ownName,
  rowOf,
  sendInvitation,
  signInByForm,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'two tabs' });

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
