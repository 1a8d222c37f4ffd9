// A bakery is sold: its owner invites the buyer, hands the account over, and is out or stays as a user.
import { expectAccessible, expectToFit } from '../story/accessible';
import { ingrid, nordlys, olav, stranger } from '../story/people';
import {
  announcement,
  bringIn,
  enter,
  heading,
  inAccount,
  joinWithNewLogin,
  openInviteForm,
  openManageAccess,
  readMail,
  rowOf,
  tick,
  usersTable,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'bakery', database: 'postgres', refusals: [403, 409, 422] });

test('a bakery is handed to its buyer, and the seller stays as a user with the rights that they chose', async ({
  page,
  someoneElse,
  latchkey,
}) => {
  // Several people, each of whose pages axe looks at.
  test.slow();
  const buyer = stranger('Signe Holm');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, buyer, ['See invoices']);

  // What it means is said before it is done.
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, buyer);
  await page.getByRole('link', { name: `Hand the account to ${buyer.name}`, exact: true }).click();
  await expect(heading(page, `Hand the account to ${buyer.name}?`)).toBeVisible();
  const main = page.getByRole('main');
  await expect(main).toContainText('Everything goes along');
  await expect(main).toContainText('Your own login stays yours');
  await expectAccessible(page);
  await expectToFit(page);
  await main.getByRole('radio', { name: 'A user with these permissions', exact: true }).check();
  await tick(main, ['See invoices', 'See the activity log']);
  await main.getByLabel('Why', { exact: true }).fill('Sold, and the books are closed in spring');
  await main.getByRole('button', { name: `Hand the account to ${buyer.name}`, exact: true }).click();
  await expect(announcement(page, `${buyer.name} was asked to take the account over`)).toBeVisible();
  await expect(rowOf(usersTable(page), buyer.email)).toContainText('asked to become an owner');
  await expect(main.getByRole('button', { name: 'Stop this', exact: true })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);

  // The buyer gets a mail, reads what it means, and accepts.
  const link = await readMail(page, buyer.email, `Become an owner of ${nordlys.name}?`, 1, '/owners/');
  await theirs.goto(link);
  await expect(heading(theirs, `Become an owner of ${nordlys.name}?`)).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
  await theirs.getByRole('button', { name: 'Accept', exact: true }).click();
  await expect(announcement(theirs, 'You accepted.')).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);

  // The other owner is told by mail and on every page, and could stop it.
  const third = await someoneElse();
  await enter(third, olav, nordlys, 'billing');
  await expect(third.getByRole('main')).toContainText(`hands this account to ${buyer.name}`);
  await expect(third.getByRole('button', { name: 'Stop this', exact: true })).toBeVisible();
  await expectAccessible(third);
  await expectToFit(third);
  await readMail(third, olav.email, `${buyer.name} is about to become an owner`, 1, '/owners/');

  await latchkey.daysLater(2);
  await theirs.goto(inAccount(nordlys));
  await expect(theirs.getByRole('main')).toContainText('You are an owner: you can do everything in this account.');
  await page.goto(inAccount(nordlys));
  await expect(page.getByRole('main')).toContainText('You can see invoices and see the activity log.');
  await page.goto(inAccount(nordlys, 'users'));
  await expect(heading(page, "You don't have access to User management")).toBeVisible();

  // The new owner hands it back, to be out.
  await theirs.goto(inAccount(nordlys, 'users'));
  await openManageAccess(theirs, ingrid);
  await theirs.getByRole('link', { name: `Hand the account to ${ingrid.name}`, exact: true }).click();
  await theirs.getByRole('radio', { name: 'I leave the account', exact: true }).check();
  await theirs.getByRole('button', { name: `Hand the account to ${ingrid.name}`, exact: true }).click();
  await expect(announcement(theirs, `${ingrid.name} was asked to take the account over`)).toBeVisible();
  await page.goto(inAccount(nordlys));
  await page.getByRole('link', { name: 'Accept or decline', exact: true }).click();
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await expect(announcement(page, 'You accepted.')).toBeVisible();
  await latchkey.daysLater(2);
  await theirs.goto(inAccount(nordlys));
  await expect(heading(theirs, 'Page not found')).toBeVisible();
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(usersTable(page), ingrid.email)).toContainText('Owner');
});

test('another owner stops with one click what would give the account away, and one steps down', async ({
  page,
  someoneElse,
}) => {
  const friend = stranger('Jonas Moe');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, friend, ['See invoices']);
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, friend);
  await page.getByRole('link', { name: `Make ${friend.name} an owner`, exact: true }).click();
  await expect(heading(page, `Make ${friend.name} an owner?`)).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('button', { name: `Make ${friend.name} an owner`, exact: true }).click();
  await expect(announcement(page, `${friend.name} was asked to become an owner`)).toBeVisible();
  await theirs.goto(inAccount(nordlys));
  await theirs.getByRole('link', { name: 'Accept or decline', exact: true }).click();
  await theirs.getByRole('button', { name: 'Accept', exact: true }).click();
  await expect(announcement(theirs, 'You accepted.')).toBeVisible();

  const third = await someoneElse();
  await enter(third, olav, nordlys, 'support');
  await third.getByRole('button', { name: 'Stop this', exact: true }).click();
  await expect(announcement(third, `Stopped: ${friend.name} does not become an owner`)).toBeVisible();
  await expect(third.getByRole('button', { name: 'Stop this', exact: true })).toHaveCount(0);

  await third.getByRole('link', { name: 'View your access', exact: true }).click();
  await expect(heading(third, 'Your access')).toBeVisible();
  await third.getByRole('link', { name: 'Step down as owner', exact: true }).click();
  await expect(heading(third, `Step down as an owner of ${nordlys.name}?`)).toBeVisible();
  await expectAccessible(third);
  await expectToFit(third);
  const main = third.getByRole('main');
  await tick(main, ['See invoices']);
  await main.getByRole('button', { name: 'Step down as owner', exact: true }).click();
  await expect(announcement(third, `You are no longer an owner of ${nordlys.name}`)).toBeVisible();
  await expect(third.getByRole('main')).toContainText('You can see invoices.');
});

test('a partner is invited as an owner, which owners hear of, and becomes one after the waiting time', async ({
  page,
  someoneElse,
  latchkey,
}) => {
  const partner = stranger('Liv Aas');
  await enter(page, ingrid, nordlys, 'users');
  const form = await openInviteForm(page);
  await form.getByLabel('Email address').fill(partner.email);
  await form.getByRole('checkbox', { name: 'Invite as an owner' }).check();
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${partner.email}`)).toBeVisible();
  await readMail(page, ingrid.email, `Somebody is invited to own ${nordlys.name}`, 1, '/users');

  const link = await readMail(page, partner.email, nordlys.name);
  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, link, partner, nordlys);
  await expect(theirs.getByRole('main')).toContainText('becomes an owner on');
  await page.goto(inAccount(nordlys, 'billing'));
  await expect(page.getByRole('main')).toContainText(`${partner.name} becomes an owner of this account`);
  await latchkey.daysLater(2);
  await theirs.goto(inAccount(nordlys));
  await expect(theirs.getByRole('main')).toContainText('You are an owner: you can do everything in this account.');
});
