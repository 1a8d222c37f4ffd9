// What careless and hostile people type.
import { bjorn, ingrid, mei, nordlys, stranger } from '../story/people';
import {
  announcement,
  bringIn,
  enter,
  expectProblem,
  expectSummaryFocused,
  heading,
  inAccount,
  invitationsTable,
  rowOf,
  sendInvitation,
  signIn,
  tick,
  usersTable,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'bad input', refusals: [409, 413, 422] });

const addresses = ['', 'bjorn', '@nordlys.example', 'two@at@signs.example', 'a b@nordlys.example', `${'a'.repeat(300)}@nordlys.example`];

for (const address of addresses) {
  test(`"${address.slice(0, 24)}" is no e-mail address`, async ({ page }) => {
    await enter(page, ingrid, nordlys, 'users/invite');
    const email = page.getByLabel('Email address');
    // Typed or pasted, past what the browser's own field would let through.
    await email.evaluate((input: HTMLInputElement) => {
      input.type = 'text';
      input.removeAttribute('maxlength');
    });
    await email.fill(address);
    await tick(page.getByRole('main'), ['See services']);
    await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
    await expectProblem(page, page.getByLabel('Email address'), /e-?mail address/i);
    await expectSummaryFocused(page);
    await expect(page.getByRole('checkbox', { name: 'See services' })).toBeChecked();
  });
}

test('an invitation that grants nothing is not sent', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'There is a problem' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText(/permission/i);
  await expect(page.getByLabel('Email address')).toHaveValue(email);
});

test('the summary leads to the field', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill('nobody');
  await tick(page.getByRole('main'), ['See services']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expectSummaryFocused(page);
  await page.locator(':focus').getByRole('link').first().click();
  await expect(page.getByLabel('Email address')).toBeFocused();
});

test('an address is the same in capitals and with spaces around it', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  const field = page.getByLabel('Email address');
  await field.evaluate((input: HTMLInputElement) => (input.type = 'text'));
  await field.fill(`  ${email.toUpperCase()} `);
  await tick(page.getByRole('main'), ['See services']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, /Invitation sent to/)).toBeVisible();

  await page.goto(inAccount(nordlys, 'users/invite'));
  await field.fill(email);
  await tick(page.getByRole('main'), ['See services']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  await expect(announcement(page, /invited already/)).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(1);
});

test('a name is shown as it is, never run', async ({ page, someoneElse }) => {
  const newcomer = stranger('<img src=x onerror=alert(1)> & "Søren"');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See services']);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(usersTable(page), newcomer.email)).toContainText(newcomer.name);
  await expect(page.locator('img[src="x"]')).toHaveCount(0);
  await page.goto(inAccount(nordlys, 'log'));
  await expect(page.getByRole('main')).toContainText(newcomer.name);
});

test('sending twice in a row invites once', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users/invite');
  await page.getByLabel('Email address').fill(email);
  await tick(page.getByRole('main'), ['See services']);
  await page.getByRole('button', { name: 'Send invitation', exact: true }).dblclick();
  await expect(
    announcement(page, `Invitation sent to ${email}`).or(page.getByRole('heading', { name: 'There is a problem' })),
  ).toBeVisible();
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(1);
});

test('going back and forth loses nothing and sends nothing again', async ({ page }) => {
  const { email } = stranger();
  await enter(page, ingrid, nordlys, 'users');
  await sendInvitation(page, { email, permissions: ['See services'] });
  await page.reload();
  await page.goBack();
  await page.goForward();
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(1);
});

for (const path of ['/accounts/abc', '/accounts/-1', '/accounts/100001%00', '/accounts/100001/nothing-here', '/nothing-here']) {
  test(`${path} is not found, and says so in words`, async ({ page }) => {
    await signIn(page, ingrid);
    const answer = await page.goto(path);
    expect(answer?.status()).toBeGreaterThanOrEqual(400);
    expect(answer?.status()).toBeLessThan(500);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  });
}

test('a form from another site is refused', async ({ page, baseURL }) => {
  await enter(page, ingrid, nordlys, 'users/invite');
  const email = stranger().email;
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Send invitation', exact: true }) });
  const action = new URL((await form.getAttribute('action')) ?? '', page.url()).toString();
  const answer = await page.request.post(action, {
    form: { form: 'users/invite', account: nordlys.number, email, 'permissions[]': 'services.view' },
    headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site', referer: `${baseURL}/` },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(403);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(heading(page, 'User management')).toBeVisible();
  await expect(rowOf(invitationsTable(page), email)).toHaveCount(0);
});

test('the search finds a person and admits when there is none', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  const search = page.getByRole('searchbox');
  if ((await search.count()) === 0) {
    // With no more than 25 users the whole list is there.
    for (const person of [bjorn, mei]) await expect(rowOf(usersTable(page), person.email)).toBeVisible();
    return;
  }
  await search.first().fill('bjørn');
  await search.first().press('Enter');
  await expect(rowOf(usersTable(page), bjorn.email)).toBeVisible();
  await expect(rowOf(usersTable(page), mei.email)).toHaveCount(0);
});
