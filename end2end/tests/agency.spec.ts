// An agency gets one shop for a month, asks for its DNS, gets it until Friday, and is out on Saturday.
import { expectAccessible, expectToFit } from '../story/accessible';
import { ingrid, nordlys, stranger } from '../story/people';
import {
  announcement,
  enter,
  heading,
  inAccount,
  joinWithNewLogin,
  openInviteForm,
  openManageAccess,
  readMail,
  sendInvitation,
  tick,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'agency', database: 'postgres', refusals: [403, 422] });

/** So many days from today, as a date field holds it. */
function inDays(days: number): string {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}

test('an agency asks for the DNS of its shop, gets it until a day, and is out on the day after', async ({
  page,
  someoneElse,
  latchkey,
}) => {
  // Several people, each of whose pages axe looks at.
  test.slow();
  const agency = stranger('Nora Vik');
  const [friday, month] = [inDays(4), inDays(30)];
  await enter(page, ingrid, nordlys, 'users');
  const invite = await openInviteForm(page);
  await invite.getByLabel('Email address').fill(agency.email);
  await tick(invite, ['Manage services']);
  await invite.getByRole('radio', { name: 'Only these', exact: true }).first().check();
  await invite.getByRole('checkbox', { name: 'Webshop', exact: true }).check();
  await invite.getByLabel('Until', { exact: true }).fill(month);

  // The owner looks what that would be, before it is sent.
  await invite.getByRole('button', { name: 'See it as the new user', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Seeing as a new user', exact: true })).toBeVisible();
  await page.goto(inAccount(nordlys, 'services'));
  await expect(page.getByRole('table', { name: 'Services' }).getByRole('link')).toHaveText(['Webshop']);
  await page.getByRole('link', { name: 'Stop seeing as a new user', exact: true }).click();
  await expect(heading(page, 'Invite new user')).toBeVisible();
  const form = page.getByRole('main');
  await expect(form.getByLabel('Email address')).toHaveValue(agency.email);
  await expect(form.getByRole('checkbox', { name: 'Webshop', exact: true })).toBeChecked();
  await expect(form.getByLabel('Until', { exact: true })).toHaveValue(month);
  await expectAccessible(page);
  await expectToFit(page);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, `Invitation sent to ${agency.email}`)).toBeVisible();
  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, await readMail(page, agency.email, nordlys.name), agency, nordlys);

  // They ask, and whoever can give it is told.
  await theirs.goto(inAccount(nordlys, 'domains'));
  await expect(heading(theirs, "You don't have access to Domains")).toBeVisible();
  await expectAccessible(theirs);
  await expectToFit(theirs);
  await theirs.getByLabel('What', { exact: true }).selectOption('Manage domains and DNS');
  await theirs.getByLabel('Why', { exact: true }).fill('The shop moves to a new address');
  await theirs.getByLabel('Until', { exact: true }).fill(friday);
  await theirs.getByRole('button', { name: 'Ask for this', exact: true }).click();
  await expect(theirs.getByRole('main')).toContainText(/Asked on .* were told\./);
  const link = await readMail(page, ingrid.email, 'Somebody asks for access', 1, '/users');

  // It is given on one domain.
  await page.goto('/demo/mailbox');
  await page.goto(link);
  await expect(page.getByRole('table', { name: 'Requests' })).toContainText('The shop moves to a new address');
  await expectAccessible(page);
  await expectToFit(page);
  await page.getByRole('button', { name: `Give to ${agency.name}`, exact: true }).click();
  await expect(heading(page, `Extra access for ${agency.name}`)).toBeVisible();
  const main = page.getByRole('main');
  await expect(main.getByRole('checkbox', { name: 'Manage domains and DNS' })).toBeChecked();
  await expect(main.getByLabel('Until', { exact: true })).toHaveValue(friday);
  await main.getByRole('radiogroup', { name: 'Which domains?' }).getByRole('radio', { name: 'Only these' }).check();
  await main.getByRole('checkbox', { name: 'nordlysbakeri.example', exact: true }).check();
  await expectAccessible(page);
  await expectToFit(page);
  await main.getByRole('button', { name: 'Give extra access', exact: true }).click();
  await expect(announcement(page, `Extra access given to ${agency.name}`)).toBeVisible();
  await expect(page.getByRole('heading', { name: /^Extra access until / })).toBeVisible();
  await expectAccessible(page);
  await expectToFit(page);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(page.getByRole('table', { name: 'Requests' })).toHaveCount(0);
  await theirs.goto(inAccount(nordlys, 'domains'));
  await expect(theirs.getByRole('table', { name: 'Domains' }).getByRole('link')).toHaveText(['nordlysbakeri.example', 'Renew']);

  // The owner looks whether that is all.
  await openManageAccess(page, agency);
  await page.getByRole('link', { name: `See it as ${agency.name}`, exact: true }).click();
  await expect(page.getByRole('region', { name: `Seeing as ${agency.name}`, exact: true })).toBeVisible();
  await page.goto(inAccount(nordlys, 'services'));
  await expect(page.getByRole('table', { name: 'Services' }).getByRole('link')).toHaveText(['Webshop']);
  await expectAccessible(page);
  await expectToFit(page);
  await page.goto(inAccount(nordlys, 'billing'));
  await expect(heading(page, "You don't have access to Billing")).toBeVisible();
  await page.getByRole('link', { name: `Stop seeing as ${agency.name}`, exact: true }).click();
  await expect(page.getByRole('region', { name: `Seeing as ${agency.name}`, exact: true })).toHaveCount(0);

  // On the day after, the shop is all that is left.
  await latchkey.daysLater(5);
  await theirs.goto(inAccount(nordlys, 'domains'));
  await expect(heading(theirs, "You don't have access to Domains")).toBeVisible();
  await theirs.goto(inAccount(nordlys, 'services'));
  await expect(theirs.getByRole('table', { name: 'Services' }).getByRole('link')).toHaveText(['Webshop']);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, agency);
  await expect(page.getByRole('main')).toContainText(/ended on .*, as agreed/);
});

test('how an invitation stands goes on by itself', async ({ page, latchkey, javaScriptEnabled }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email, permissions: ['See invoices'] });
  const row = page.getByRole('table', { name: 'Pending invitations' }).getByRole('row').filter({ hasText: email });
  await expect(async () => {
    await latchkey.mailWaits(email, true);
    await page.reload();
    await expect(row).toContainText('On its way to the mail server', { timeout: 1_000 });
  }).toPass();
  await latchkey.mailWaits(email, false);
  // Without scripts the page is loaded again.
  if (javaScriptEnabled === false) await page.reload();
  await expect(row).not.toContainText('On its way to the mail server');
  await expect(row.getByText('Sent', { exact: true })).toBeVisible();
});
