import { expectAccessible, expectToFit } from '../story/accessible';
import { turnAppOn } from '../story/authenticator';
import { amira, fjordPixel, ingrid, mei, nordlys, olav, stranger } from '../story/people';
import { announcement, enter, expectProblem, heading, inAccount, mailsTo, openInviteForm, signInByForm, tick } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'policies', refusals: [401, 403, 409, 422] });

test('a second factor is required, and the account opens once it is set up', async ({ page, someoneElse }) => {
  await signInByForm(page, ingrid);
  await page.goto(inAccount(nordlys, 'account'));
  await page.getByRole('link', { name: 'Security rules', exact: true }).click();
  await expect(heading(page, 'Security rules')).toBeVisible();
  const areas = page.getByRole('navigation', { name: 'Account', exact: true });
  await expect(areas.getByRole('link', { name: 'Security rules' })).toHaveAttribute('aria-current', 'page');
  await expect(page.getByText('You have no second factor yourself yet')).toBeVisible();
  await turnAppOn(page);

  await page.goto(inAccount(nordlys, 'policy'));
  const lacking = page.getByRole('table', { name: 'Without a second factor' });
  await expect(lacking).toContainText(mei.name);
  await expect(lacking).not.toContainText(ingrid.name);
  await expectAccessible(page);
  await expectToFit(page);
  const days = page.getByLabel('Days to set it up');
  await days.fill('90');
  await page.getByRole('button', { name: 'Require a second factor' }).click();
  await expectProblem(page, days, /from 0 to 30/);
  await days.fill('1');
  await page.getByRole('button', { name: 'Require a second factor' }).click();
  await expect(announcement(page, 'A second factor is required of everybody now')).toBeVisible();

  const theirs = await someoneElse();
  await signInByForm(theirs, mei);
  await theirs.goto(inAccount(nordlys));
  await expect(theirs.getByText('this account opens only for those who have a second factor')).toBeVisible();
  await theirs.goto(inAccount(fjordPixel));
  await expect(heading(theirs, fjordPixel.name)).toBeVisible();
  await expect(theirs.getByText('this account opens only for those who have a second factor')).toHaveCount(0);
  await theirs.goto(inAccount(nordlys));

  await page.getByRole('button', { name: 'No longer require it' }).click();
  await expect(announcement(page, 'A second factor is no longer required')).toBeVisible();
  await page.getByLabel('Days to set it up').fill('0');
  await page.getByRole('button', { name: 'Require a second factor' }).click();
  await expect(announcement(page, 'A second factor is required of everybody now')).toBeVisible();

  // Also by a link of a page that is alive.
  await theirs.getByRole('navigation', { name: 'Account', exact: true }).getByRole('link', { name: 'Domains' }).click();
  await expect(heading(theirs, 'This account needs a second factor')).toBeVisible();
  await expect(theirs).toHaveURL(inAccount(nordlys, 'domains'));
  await expectAccessible(theirs);
  await theirs.getByRole('link', { name: 'Set up a second factor' }).click();
  await expect(heading(theirs, 'Security')).toBeVisible();
  await turnAppOn(theirs);
  const answer = await theirs.goto(inAccount(nordlys, 'domains'));
  expect(answer?.status()).toBe(200);
  await expect(heading(theirs, 'Domains')).toBeVisible();

  await expect(async () => {
    await page.goto('/demo/mailbox');
    await expect(mailsTo(page, mei.email, 'needs a second factor from you now')).toHaveCount(1, { timeout: 500 });
    await expect(mailsTo(page, olav.email, 'The security rules of')).toHaveCount(3, { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await page.goto(inAccount(nordlys, 'policy'));
  await page.getByRole('button', { name: 'No longer require it' }).click();
  await expect(announcement(page, 'A second factor is no longer required')).toBeVisible();
});

test('invitations go to the chosen domains only', async ({ page }) => {
  await enter(page, olav, nordlys, 'policy');
  await page.getByLabel('Domains', { exact: true }).fill('nordlys.example, bücher.example');
  const save = page.getByRole('button', { name: 'Save domains' });
  await save.click();
  await expect(announcement(page, 'Changes saved')).toBeVisible();

  const { email } = stranger();
  await page.goto(inAccount(nordlys, 'users'));
  const form = await openInviteForm(page);
  const address = form.getByLabel('Email address');
  await address.fill(email);
  await tick(form, ['See invoices']);
  await form.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expectProblem(page, address, /only invites email addresses of nordlys\.example and bücher\.example/);
  await expect(address).toHaveValue(email);

  await page.goto(inAccount(nordlys, 'policy'));
  await page.getByLabel('Domains', { exact: true }).fill('');
  await save.click();
  await expect(announcement(page, 'Changes saved')).toBeVisible();
});

test('how long a sign-in lasts is chosen, and only owners see it', async ({ page }) => {
  await enter(page, olav, nordlys, 'policy');
  await page.getByLabel("When the account isn't used").selectOption({ label: '30 minutes' });
  await page.getByRole('button', { name: 'Save times' }).click();
  await expect(announcement(page, 'Changes saved')).toBeVisible();
  await expect(page.getByLabel("When the account isn't used")).toHaveValue('30');

  await enter(page, amira, nordlys);
  const answer = await page.goto(inAccount(nordlys, 'policy'));
  expect(answer?.status()).toBe(403);
  await expect(heading(page, "You don't have access to Security rules")).toBeVisible();
});
