// The guide in the product: it knows the reader, looks into trouble, and asks whether it helped.
import { bjorn, ingrid, nordlys, stranger } from '../story/people';
import { accountMenu, announcement, enter, heading, inAccount, invite, ownName } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'help', refusals: [422] });

const guide = `/help/users?account=${nordlys.number}`;

test('help opens at the place that fits the page', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await ownName(page, ingrid).click();
  await accountMenu(page).getByRole('link', { name: 'Help', exact: true }).click();
  await expect(page).toHaveURL(/\/help\/users\?account=100001#step-2$/);
  await expect(page.getByRole('heading', { name: /^Step 2/ })).toBeInViewport();
  await enter(page, ingrid, nordlys, 'billing');
  await ownName(page, ingrid).click();
  await accountMenu(page).getByRole('link', { name: 'Help', exact: true }).click();
  await expect(heading(page, 'Invoices, and who sees them')).toBeVisible();
});

test('the guide names the reader and leads to the very place', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await page.goto(guide);
  const main = page.getByRole('main');
  await expect(main).toContainText(`Your name, ${ingrid.name}, stands at the top right`);
  await expect(page.getByRole('img', { name: new RegExp(ingrid.name) })).toBeVisible();
  await main.getByRole('link', { name: 'Open User management', exact: true }).first().click();
  await expect(heading(page, 'User management')).toBeVisible();
});

test('whoever can not invite learns why, from the refused page too', async ({ page }) => {
  await enter(page, bjorn, nordlys, 'users');
  await page.getByRole('link', { name: 'What you can do about it' }).click();
  await expect(page).toHaveURL(/#cannot-invite$/);
  const main = page.getByRole('main');
  await expect(main).toContainText('you lack the permission “Manage users and permissions”');
  await expect(main).toContainText('Ingrid Solberg and Olav Solberg');
});

test('a missing invitation is found and sent again from the guide', async ({ page }) => {
  const { email } = stranger();
  await invite(page, ingrid, nordlys, { email, permissions: ['See invoices'] });
  await page.goto(inAccount(nordlys, 'users'));
  await page.getByRole('link', { name: /doesn't get their invitation/ }).click();
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('button', { name: 'Find the invitation' }).click();
  const main = page.getByRole('main');
  await expect(main).toContainText(`The email to ${email} is in the demo's mailbox`);
  await expect(main).toContainText(`Ingrid Solberg invites you to ${nordlys.name}`);
  await page.getByRole('button', { name: `Resend invitation to ${email}` }).click();
  await expect(announcement(page, `Invitation sent to ${email} again`)).toBeVisible();
  await expect(page.getByLabel(`Link for ${email}`, { exact: true })).toBeVisible();
  await expect(heading(page, 'Managing users and permissions')).toBeVisible();
});

test('the guide without an account in its address looks from the only one', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await page.goto('/help/users');
  await expect(page.getByRole('main')).toContainText(`You can invite people to ${nordlys.name}`);
});

test('an address that nobody invited gets a true answer', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await page.goto(guide);
  await page.getByLabel('Email address').fill('nobody@elsewhere.example');
  await page.getByRole('button', { name: 'Find the invitation' }).click();
  await expect(page.getByRole('main')).toContainText("nobody@elsewhere.example wasn't invited to this account");
});

test('the guide asks whether it helped', async ({ page }) => {
  await enter(page, ingrid, nordlys);
  await page.goto(guide);
  await page.getByLabel('What is missing?').fill('A picture of the list');
  await page.getByRole('button', { name: 'Send answer' }).click();
  await expect(page.getByRole('main')).toContainText('Choose yes or no');
  await expect(page.getByLabel('What is missing?')).toHaveValue('A picture of the list');
  await page.getByRole('radio', { name: 'No', exact: true }).check();
  await page.getByRole('button', { name: 'Send answer' }).click();
  await expect(announcement(page, 'Thank you for your answer')).toBeVisible();
});
