// Whom the provider put into an account, without a mail: they come by themselves, and see first what they get.
import { expectNoSidewaysScroll } from '../story/accessible';
import { ingrid, nordlys, stranger } from '../story/people';
import { enter, heading, inAccount, invitationsTable, joinWithNewLogin, readMail, rowOf, usersTable } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'claim' });

test('whoever the provider put in comes by "Forgot your password?", sees what waits, and is in', async ({
  page,
  someoneElse,
  latchkey,
}) => {
  const kari = stranger('Kari Nordmann');
  const token = await latchkey.token('members:write');
  const made = await fetch(`${latchkey.url}/api/v1/accounts/id:${nordlys.number}/members/crm-4711`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      email: kari.email,
      name: 'Kari from sales',
      grants: [{ permissions: ['services.view'], services: 'all' }, { permissions: ['billing.pay'] }],
    }),
  });
  expect(made.status).toBe(201);

  await enter(page, ingrid, nordlys, 'users');
  const waiting = rowOf(invitationsTable(page), kari.email);
  await expect(waiting).toContainText("Hasn't signed in here yet");
  await expect(waiting).toContainText('Kari from sales');
  await expectNoSidewaysScroll(page);

  const theirs = await someoneElse();
  await theirs.goto('/sign-in');
  await theirs.getByRole('link', { name: 'Forgot your password?' }).click();
  await theirs.getByLabel('Email address').fill(kari.email);
  await theirs.getByRole('button', { name: 'Send link' }).click();
  await expect(heading(theirs, 'Check your email')).toBeVisible();
  const link = await readMail(theirs, kari.email, 'waiting for you');

  await theirs.goto(link);
  await expect(heading(theirs, `Join ${nordlys.name}`)).toBeVisible();
  const main = theirs.getByRole('main');
  await expect(main).toContainText(/You will be able to .*see services/);
  await expect(main).toContainText('pay invoices');
  await expect(theirs.getByLabel('Full name')).toHaveValue('Kari from sales');
  await page.reload();
  await expect(waiting, 'looking takes nothing up').toBeVisible();

  await joinWithNewLogin(theirs, link, kari, nordlys);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(usersTable(page), kari.email)).toContainText(kari.name);
  await expect(waiting).toHaveCount(0);
});
