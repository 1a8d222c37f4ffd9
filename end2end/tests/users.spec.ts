import { readFileSync } from 'node:fs';
import { bjorn, ingrid, mei, nordlys, olav } from '../story/people';
import { enter, heading, inAccount, openManageAccess, usersTable } from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'users', refusals: [422] });

test('the list says who can pay, and all who can are a file', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await expect(page.getByText(/^\d+ users$/)).toBeVisible();
  const tools = page.getByRole('search');
  await tools.getByLabel('Access', { exact: true }).selectOption('Pay invoices');
  await tools.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page).toHaveURL(/access=billing\.pay/);
  await expect(tools.getByLabel('Access', { exact: true })).toHaveValue('billing.pay');
  await expect(page.getByText(/^\d+ users found/)).toBeVisible();
  await expect(usersTable(page)).toContainText(bjorn.name);
  await expect(usersTable(page)).toContainText(olav.name);
  await expect(usersTable(page)).not.toContainText(mei.name);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download as CSV', exact: true }).click(),
  ]);
  expect(file.suggestedFilename()).toMatch(/^users-100001-\d{4}-\d\d-\d\d\.csv$/);
  const text = readFileSync(await file.path(), 'utf8');
  expect(text).toContain(bjorn.email);
  expect(text).not.toContain(mei.email);
  await page.getByRole('link', { name: 'Show everybody' }).click();
  await expect(usersTable(page)).toContainText(mei.name);
});

test('who is in the account already is one click away', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  // With scripts this is the dialog over the list, without the page.
  await page.getByRole('link', { name: 'Invite new user', exact: true }).click();
  await page.getByLabel('Email address').fill(mei.email);
  await page.getByRole('checkbox', { name: 'See invoices' }).check();
  await page.getByRole('button', { name: 'Send invitation', exact: true }).click();
  const problems = page.getByRole('alert').filter({ hasText: 'There is a problem' });
  await problems.getByRole('link', { name: 'Manage their access' }).click();
  await expect(heading(page, `Manage access for ${mei.name}`)).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test("Back doesn't throw ticks away unasked", { tag: '@script' }, async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, bjorn);
  await page.getByRole('checkbox', { name: 'See services' }).check();
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    return asked.length === 1 ? dialog.dismiss() : dialog.accept();
  });
  await page.evaluate(() => history.back());
  await expect.poll(() => asked.length).toBe(1);
  await expect(page.getByRole('checkbox', { name: 'See services' })).toBeChecked();
  await page.locator('h1').click();
  await page.evaluate(() => history.back());
  await expect(page).toHaveURL(inAccount(nordlys, 'users'));
  expect(asked).toHaveLength(2);
});
