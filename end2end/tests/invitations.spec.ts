// What the person sees who opens the link in the mail: every state of an invitation.
import type { Locator, Page } from '@playwright/test';
import { fjordPixel, ingrid, mei, nordlys, olav, stranger, tom, waiting } from '../story/people';
import {
  announcement,
  asked,
  enter,
  expectProblem,
  heading,
  inAccount,
  invitationsTable,
  invite,
  joinWithLogin,
  joinWithNewLogin,
  ownName,
  readMail,
  rowOf,
  signIn,
  usersTable,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'invitations', refusals: [422] });

/** On the page to join: what leads to the question whether to decline. */
function decline(page: Page): Locator {
  return page.getByRole('button', { name: 'Decline invitation' }).or(page.getByRole('link', { name: 'Decline invitation' }));
}

test('the page says who invites, to what, with which rights, and opening it changes nothing', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See invoices', 'Pay invoices'] });
  const theirs = await someoneElse();
  for (let visit = 0; visit < 2; visit += 1) {
    await theirs.goto(link);
    await expect(heading(theirs, `Join ${nordlys.name}`)).toBeVisible();
    const main = theirs.getByRole('main');
    await expect(main).toContainText(ingrid.name);
    await expect(main).toContainText(/pay invoices/);
    await expect(main).toContainText(email);
    await expect(theirs.getByRole('button', { name: 'Create login and join' })).toBeVisible();
    await expect(decline(theirs)).toBeVisible();
  }
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), email)).toBeVisible();
});

test('somebody new creates a login and is in; the link is used up', async ({ page, someoneElse }) => {
  const newcomer = stranger('Kari Moen');
  const link = await invite(page, ingrid, nordlys, { email: newcomer.email, permissions: ['See services'] });
  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, link, newcomer, nordlys);

  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), newcomer.email)).toHaveCount(0);
  await expect(rowOf(usersTable(page), newcomer.email)).toContainText('Services: see');

  const late = await someoneElse();
  await late.goto(link);
  await expect(late.getByRole('main')).toContainText(/used|accepted|already/i);
  await expect(late.getByRole('button', { name: /join/i })).toHaveCount(0);
  await expect(late.getByRole('main').getByRole('link').first()).toBeVisible();
});

test('the form to create a login says what is wrong and keeps the name', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  const theirs = await someoneElse();
  await theirs.goto(link);
  await theirs.getByLabel('Full name').fill('Åse Nygård');
  const secret = theirs.getByLabel('Password', { exact: true });
  await secret.fill('short');
  await theirs.getByRole('button', { name: 'Create login and join' }).click();
  await expectProblem(theirs, theirs.getByLabel('Password', { exact: true }), /password|characters/i);
  await expect(theirs.getByLabel('Full name')).toHaveValue('Åse Nygård');
  await expect(heading(theirs, `Join ${nordlys.name}`)).toBeVisible();
});

test('somebody with a login joins with its password', async ({ page, someoneElse }) => {
  const link = await invite(page, mei, fjordPixel, { email: ingrid.email, permissions: ['See domains'] });
  const theirs = await someoneElse();
  await joinWithLogin(theirs, link, ingrid, fjordPixel);
  await theirs.goto('/accounts');
  await expect(theirs.getByRole('main')).toContainText(nordlys.name);
  await expect(theirs.getByRole('main')).toContainText(fjordPixel.name);
});

test('somebody who is signed in joins with one click', async ({ page, someoneElse }) => {
  const link = await invite(page, mei, fjordPixel, { email: olav.email, permissions: ['See invoices'] });
  const theirs = await someoneElse();
  await signIn(theirs, olav);
  await theirs.goto(link);
  await expect(theirs.getByLabel('Password', { exact: true })).toHaveCount(0);
  await theirs.getByRole('button', { name: `Join ${fjordPixel.name}` }).click();
  await expect(heading(theirs, fjordPixel.name)).toBeVisible();
});

test('somebody who is signed in as another person is told so', async ({ page, someoneElse }) => {
  const newcomer = stranger('Eva Strand');
  const link = await invite(page, ingrid, nordlys, { email: newcomer.email, permissions: ['See services'] });
  const theirs = await someoneElse();
  const first = stranger('Per Strand');
  await joinWithNewLogin(
    theirs,
    await invite(page, ingrid, nordlys, { email: first.email, permissions: ['See services'] }),
    first,
    nordlys,
  );
  await theirs.goto(link);
  await expect(theirs.getByRole('main')).toContainText(first.email);
  await expect(theirs.getByRole('main')).toContainText(newcomer.email);
  await theirs.getByRole('button', { name: 'Sign out and continue' }).click();
  await expect(heading(theirs, `Join ${nordlys.name}`)).toBeVisible();
  await expect(theirs.getByRole('button', { name: 'Create login and join' })).toBeVisible();
  await expect(ownName(theirs, first)).toHaveCount(0);
});

test('declining asks once more, and then the link is closed', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  const theirs = await someoneElse();
  await theirs.goto(link);
  await decline(theirs).click();
  await (await asked(theirs, 'Decline invitation', nordlys.name)).click();
  await expect(theirs.getByRole('main')).toContainText(/declined/i);
  await theirs.goto(link);
  await expect(theirs.getByRole('main')).toContainText(/declined/i);
  await expect(theirs.getByRole('button', { name: /join/i })).toHaveCount(0);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
});

test("who doesn't know the inviter says so, and the account can't invite them again", async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  const theirs = await someoneElse();
  await theirs.goto(link);
  await theirs.getByRole('button', { name: "I don't know this person" }).click();
  await (await asked(theirs, "I don't know this person", ingrid.name)).click();
  await expect(announcement(theirs, `${nordlys.name} can't invite you again`)).toBeVisible();
  await expect(theirs.getByRole('main')).toContainText(/declined/i);
  await theirs.goto(link);
  await expect(theirs.getByRole('main')).toContainText(/declined/i);
  await expect(theirs.getByRole('button', { name: /join/i })).toHaveCount(0);

  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
  await page.goto(inAccount(nordlys, 'users/invite'));
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('checkbox', { name: 'See services' }).check();
  await page.getByRole('button', { name: 'Send invitation' }).click();
  await expectProblem(page, page.getByLabel('Email address'), /doesn't take invitations from this account/);
});

test('a cancelled invitation says so', async ({ page, someoneElse }) => {
  const { email } = stranger();
  const link = await invite(page, ingrid, nordlys, { email, permissions: ['See services'] });
  await page.getByRole('button', { name: `Cancel invitation to ${email}` }).click();
  await (await asked(page, 'Cancel invitation', email)).click();
  await expect(announcement(page, /cancelled/i)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
  const theirs = await someoneElse();
  await theirs.goto(link);
  await expect(theirs.getByRole('main')).toContainText(/cancelled/i);
  await expect(theirs.getByRole('button', { name: /join/i })).toHaveCount(0);
});

test('resending makes a new link and closes the old one', async ({ page, someoneElse }) => {
  const newcomer = stranger('Unni Berg');
  const first = await invite(page, ingrid, nordlys, { email: newcomer.email, permissions: ['See services'] });
  await page.getByRole('button', { name: `Resend invitation to ${newcomer.email}` }).click();
  await expect(announcement(page, newcomer.email)).toBeVisible();
  const second = await readMail(page, newcomer.email, nordlys.name, 2);
  expect(second).not.toBe(first);
  const theirs = await someoneElse();
  await theirs.goto(first);
  await expect(theirs.getByRole('button', { name: /join/i })).toHaveCount(0);
  await joinWithNewLogin(theirs, second, newcomer, nordlys);
});

test('an expired invitation is listed as expired', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await expect(rowOf(invitationsTable(page), waiting.open)).toContainText('Billing: see');
  await expect(rowOf(invitationsTable(page), waiting.expired)).toContainText(/expired/i);
});

test('an unknown link explains itself', async ({ page }) => {
  await page.goto('/invitations/there-is-no-such-invitation');
  const main = page.getByRole('main');
  await expect(main).toContainText(/invitation/i);
  await expect(main).toContainText(/new (link|invitation)|ask|check/i);
  await expect(page.getByRole('button', { name: /join/i })).toHaveCount(0);
});

test('who joins by invitation finds nothing of other accounts', async ({ page, someoneElse }) => {
  const newcomer = stranger('Liv Aas');
  const link = await invite(page, ingrid, nordlys, { email: newcomer.email, permissions: ['See services'] });
  const theirs = await someoneElse();
  await joinWithNewLogin(theirs, link, newcomer, nordlys);
  const answer = await theirs.goto(inAccount(fjordPixel, 'users'));
  expect(answer?.status()).toBe(404);
  await expect(theirs.getByRole('main')).not.toContainText(tom.name);
});
