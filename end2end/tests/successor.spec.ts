// No owner can be reached, and the successor takes the account over; or an owner is there after all.
import { expectAccessible, expectToFit } from '../story/accessible';
import { ingrid, nordlys, olav, stranger } from '../story/people';
import { announcement, bringIn, enter, heading, inAccount, readMail, rowOf, usersTable } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'successor', database: 'postgres', refusals: [404, 422] });

test('a successor asks for the account, and owns it when no owner says no', async ({
  page,
  someoneElse,
  latchkey,
}) => {
  // Several people, each of whose pages axe looks at.
  test.slow();
  const daughter = stranger('Runa Solberg');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, daughter, ['See invoices']);

  // An owner names her, and sees what that means.
  await enter(page, ingrid, nordlys, 'users');
  await page.getByRole('link', { name: 'Name a successor', exact: true }).click();
  await expect(heading(page, 'Name a successor')).toBeVisible();
  const main = page.getByRole('main');
  await expect(main).toContainText('all owners get an email at once, after 3 days and after 7 days');
  await expectAccessible(page);
  await expectToFit(page);
  await main.getByLabel('Days until this person becomes an owner', { exact: true }).fill('3');
  await main.getByRole('button', { name: 'Name a successor', exact: true }).click();
  await expect(main).toContainText('Enter a whole number of days from 7 to 60');
  await expect(main).toContainText('Choose somebody who is in the account');
  await expectAccessible(page);
  await main
    .getByLabel('Who may take the account over', { exact: true })
    .selectOption({ label: `${daughter.name} (${daughter.email})` });
  await main.getByLabel('Days until this person becomes an owner', { exact: true }).fill('14');
  await main.getByRole('button', { name: 'Name a successor', exact: true }).click();
  await expect(announcement(page, `${daughter.name} is the successor now. All owners were told.`)).toBeVisible();
  await expect(rowOf(usersTable(page), daughter.email)).toContainText('Successor');
  await expectAccessible(page);
  await expectToFit(page);

  // She finds it where she enters, and reads what happens then.
  await theirs.goto(inAccount(nordlys));
  await theirs.getByRole('link', { name: `Take over ${nordlys.name}`, exact: true }).click();
  await expect(heading(theirs, `Take over ${nordlys.name}?`)).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
  await theirs.getByRole('button', { name: `Take over ${nordlys.name}`, exact: true }).click();
  await expect(announcement(theirs, `You asked to take over ${nordlys.name}. All owners were told.`)).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);

  // It stands on an owner's pages outside of the account, too, and leads there.
  await page.goto('/profile');
  await expect(page.getByRole('main')).toContainText(`${daughter.name} asked to take over ${nordlys.name} on`);
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('link', { name: 'See how it stands', exact: true }).click();
  await expect(heading(page, new RegExp(`^${daughter.name} becomes an owner on`))).toBeVisible();

  // An owner is here after all,
  const third = await someoneElse();
  await readMail(third, olav.email, `${daughter.name} asks to take over ${nordlys.name}`, 1, '/owners/');
  await enter(third, olav, nordlys, 'billing');
  await expect(third.getByRole('main')).toContainText(`${daughter.name} asked to take over this account on`);
  await expect(third.getByRole('button', { name: 'Stop this', exact: true })).toBeVisible();
  await expectAccessible(third);
  await expectToFit(third);
  await third.getByRole('button', { name: "I'm here", exact: true }).click();
  await expect(announcement(third, `You are here: ${daughter.name} does not take over this account`)).toBeVisible();
  await expect(third.getByRole('button', { name: "I'm here", exact: true })).toHaveCount(0);

  // and none is the next time.
  await theirs.goto(inAccount(nordlys, 'take-over'));
  await theirs.getByRole('button', { name: `Take over ${nordlys.name}`, exact: true }).click();
  await expect(announcement(theirs, `You asked to take over ${nordlys.name}.`)).toBeVisible();
  await latchkey.daysLater(15);
  await theirs.goto(inAccount(nordlys));
  await expect(theirs.getByRole('main')).toContainText('You are an owner: you can do everything in this account.');
  await third.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(usersTable(third), daughter.email)).toContainText('Owner');
  await expect(rowOf(usersTable(third), daughter.email)).not.toContainText('Successor');
});

test('a successor is removed, and finds nothing to take over any more', async ({ page, someoneElse }) => {
  const friend = stranger('Jonas Moe');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, friend, ['See invoices']);
  await enter(page, ingrid, nordlys, 'owners/successor');
  const main = page.getByRole('main');
  await main
    .getByLabel('Who may take the account over', { exact: true })
    .selectOption({ label: `${friend.name} (${friend.email})` });
  await main.getByRole('button', { name: 'Name a successor', exact: true }).click();
  await expect(announcement(page, `${friend.name} is the successor now.`)).toBeVisible();
  await page.getByRole('link', { name: 'Name a successor', exact: true }).click();
  await main.getByRole('button', { name: `Remove ${friend.name} as successor`, exact: true }).click();
  await expect(announcement(page, `${friend.name} is the successor no longer`)).toBeVisible();
  await theirs.goto(inAccount(nordlys));
  await expect(theirs.getByRole('main')).toContainText('You can see invoices.');
  await expect(theirs.getByRole('link', { name: `Take over ${nordlys.name}`, exact: true })).toHaveCount(0);
  await theirs.goto(inAccount(nordlys, 'take-over'));
  await expect(heading(theirs, 'Page not found')).toBeVisible();
});
