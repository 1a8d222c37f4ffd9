// The customer's guide "Managing users and permissions", from the first click to the last.
import { fjordPixel, ingrid, nordlys, stranger, tom } from '../story/people';
import { areas, rooms } from '../story/permissions';
import {
  accountMenu,
  announcement,
  enter,
  expectOpen,
  expectRefused,
  heading,
  inAccount,
  joinWithLogin,
  joinWithNewLogin,
  openInviteForm,
  openManageAccess,
  openUserManagement,
  ownName,
  permissionsForm,
  readMail,
  removeAccess,
  rowOf,
  saveChanges,
  signIn,
  tick,
  untick,
  usersTable,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'guide' });

test('open user management by clicking your own name', async ({ page }) => {
  await signIn(page, ingrid);
  await expect(heading(page, nordlys.name)).toBeVisible();
  await openUserManagement(page, ingrid);
  await expect(page.getByRole('main')).toContainText(/owners always have full access/i);
  await expect(rowOf(usersTable(page), ingrid.email)).toContainText('Owner');
});

test('invite somebody new, who finds exactly the permitted areas open', async ({ page, someoneElse }) => {
  const newcomer = stranger('Nora Vik');
  await enter(page, ingrid, nordlys);
  await openUserManagement(page, ingrid);

  const form = await openInviteForm(page);
  for (const area of areas) await expect(form.getByRole('group', { name: area })).toBeVisible();
  await form.getByLabel('Email address').fill(newcomer.email);
  await tick(form, ['See services', 'Manage services', 'See invoices']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${newcomer.email}`)).toBeVisible();

  const link = await readMail(page, newcomer.email, nordlys.name);
  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, link, newcomer, nordlys);

  for (const room of rooms) {
    if (room.heading === 'Services' || room.heading === 'Billing') await expectOpen(theirs, nordlys, room);
    else await expectRefused(theirs, nordlys, room);
  }
  await theirs.goto(inAccount(nordlys));
  const navigation = theirs.getByRole('navigation', { name: 'Account', exact: true });
  await expect(navigation.getByRole('link', { name: 'Services' })).toBeVisible();
  await expect(navigation.getByRole('link', { name: 'Billing' })).toBeVisible();
  await expect(navigation.getByRole('link', { name: 'Domains' })).toHaveCount(0);

  await enter(page, ingrid, nordlys, 'users');
  const row = rowOf(usersTable(page), newcomer.email);
  await expect(row).toContainText('Services: see and manage');
  await expect(row).toContainText('Billing: see');
});

test('somebody with a login joins with it, has permissions changed and access removed', async ({ page, someoneElse }) => {
  await enter(page, ingrid, nordlys);
  await openUserManagement(page, ingrid);
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(tom.email);
  await tick(form, ['See domains']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${tom.email}`)).toBeVisible();

  const theirs = await someoneElse();
  await joinWithLogin(theirs, await readMail(page, tom.email, nordlys.name), tom, nordlys);
  await expectOpen(theirs, nordlys, { path: 'domains', heading: 'Domains' });
  await expectRefused(theirs, nordlys, { path: 'services', heading: 'Services' });
  await expectOpen(theirs, fjordPixel, { path: 'services', heading: 'Services' });

  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, tom);
  await untick(permissionsForm(page), ['See domains']);
  await tick(permissionsForm(page), ['See support requests', 'Open and answer support requests']);
  await saveChanges(page);
  await expectRefused(theirs, nordlys, { path: 'domains', heading: 'Domains' });
  await expectOpen(theirs, nordlys, { path: 'support', heading: 'Support requests' });

  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, tom);
  await removeAccess(page, tom);
  await expect(rowOf(usersTable(page), tom.email)).toHaveCount(0);
  const gone = await theirs.goto(inAccount(nordlys, 'support'));
  expect(gone?.status()).toBe(404);
  await expectOpen(theirs, fjordPixel, { path: 'services', heading: 'Services' });
});

test('the guide itself is at hand, from the account menu', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await ownName(page, ingrid).click();
  await accountMenu(page).getByRole('link', { name: 'Help', exact: true }).click();
  await expect(page).toHaveURL(/\/help/);
  await page.goto('/help/users');
  await expect(heading(page, 'Managing users and permissions')).toBeVisible();
});
