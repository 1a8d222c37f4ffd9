import { expectAccessible } from '../story/accessible';
import { amira, bjorn, fjordPixel, ingrid, mei, nordlys, olav, stranger, tom } from '../story/people';
import {
  announcement,
  asked,
  bringIn,
  enter,
  expectOpen,
  expectRefused,
  heading,
  inAccount,
  openManageAccess,
  permissionsForm,
  removeAccess,
  rowOf,
  saveChanges,
  signIn,
  tick,
  untick,
  usersTable,
} from '../story/steps';
import { expect, test } from '../story/test';

test.use({ story: 'manage', refusals: [403, 409, 422] });

test('the table says who may do what', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  const table = usersTable(page);
  await expect(rowOf(table, ingrid.email)).toContainText('You');
  await expect(rowOf(table, olav.email)).toContainText('Owner');
  await expect(rowOf(table, bjorn.email)).toContainText('Billing: see and pay');
  await expect(rowOf(table, mei.email)).toContainText('Domains: see and manage');
  for (const person of [amira, bjorn, mei]) {
    await expect(table.getByRole('link', { name: `Manage access for ${person.name}`, exact: true })).toBeVisible();
  }
});

test('the form shows what the person holds', async ({ page }) => {
  await enter(page, ingrid, nordlys, 'users');
  await openManageAccess(page, mei);
  const form = permissionsForm(page);
  for (const label of ['See services', 'Manage services', 'See domains', 'Manage domains and DNS']) {
    await expect(form.getByRole('checkbox', { name: label })).toBeChecked();
  }
  for (const label of ['See invoices', 'Transfer domains away', 'Manage users and permissions']) {
    await expect(form.getByRole('checkbox', { name: label })).not.toBeChecked();
  }
});

test("a change takes effect on the person's very next request", async ({ page, someoneElse }) => {
  const newcomer = stranger('Jon Dale');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See invoices']);
  await expectOpen(theirs, nordlys, { path: 'billing', heading: 'Billing' });

  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);
  await untick(permissionsForm(page), ['See invoices']);
  await tick(permissionsForm(page), ['See domains']);
  await saveChanges(page);
  await expectRefused(theirs, nordlys, { path: 'billing', heading: 'Billing' });
  await expectOpen(theirs, nordlys, { path: 'domains', heading: 'Domains' });
});

test('unticking what is implied takes what implies it', async ({ page, someoneElse }) => {
  const newcomer = stranger('Ada Moe');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See invoices', 'Pay invoices', 'See services']);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);
  await untick(permissionsForm(page), ['See invoices']);
  await saveChanges(page);
  await expectRefused(theirs, nordlys, { path: 'billing', heading: 'Billing' });
  await expectOpen(theirs, nordlys, { path: 'services', heading: 'Services' });
});

test('taking one right of a full area takes only that one', async ({ page }) => {
  await enter(page, mei, fjordPixel, 'users');
  await openManageAccess(page, tom);
  const form = permissionsForm(page);
  await expect(form.getByRole('checkbox', { name: 'All of Support requests' })).toBeChecked();
  await untick(form, ['Open and answer support requests']);
  await saveChanges(page);
  await page.goto(inAccount(fjordPixel, 'users'));
  await expect(rowOf(usersTable(page), tom.email)).toContainText('Support requests: see');
  await expect(rowOf(usersTable(page), tom.email)).not.toContainText('and write');
});

test('what would change is told while one ticks, and is not thrown away unasked', async ({ page, someoneElse, javaScriptEnabled }) => {
  const newcomer = stranger('Kari Nes');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See invoices', 'Pay invoices']);
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);
  const form = permissionsForm(page);
  const save = form.getByRole('button', { name: 'Save changes', exact: true });
  const ticks = async () => {
    await untick(form, ['Pay invoices']);
    await tick(form, ['See services']);
  };
  if (javaScriptEnabled !== false) {
    await expect(page.locator('#page[data-alive]')).toHaveCount(1);
    const other = form.getByRole('button', { name: /^See it as/ });
    const quiet = await other.evaluate((button) => getComputedStyle(button).backgroundColor);
    await expect(save).toHaveCSS('background-color', quiet);
    await ticks();
    await expect(save).not.toHaveCSS('background-color', quiet);
    await expect(form).toContainText('New: see services');
    await expect(form).toContainText('No longer: pay invoices');
    await expectAccessible(page);

    const asked: string[] = [];
    page.once('dialog', async (question) => {
      asked.push(question.message());
      await question.dismiss();
    });
    await page.getByRole('link', { name: 'Back to user management', exact: true }).click();
    await expect(heading(page, `Manage access for ${newcomer.name}`)).toBeVisible();
    await expect(form.getByRole('checkbox', { name: 'See services' })).toBeChecked();
    page.once('dialog', async (question) => {
      asked.push(question.type());
      await question.accept();
    });
    await page.reload();
    await expect(form.getByRole('checkbox', { name: 'See services' })).not.toBeChecked();
    expect(asked).toEqual(['What you entered here will be lost. Go on all the same?', 'beforeunload']);
  }
  await ticks();
  await saveChanges(page);
  await expect(announcement(page, `${newcomer.name} can now see services, but no longer pay invoices. They get an email`)).toBeVisible();
  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);
  await save.click();
  await expect(announcement(page, `Nothing was changed: ${newcomer.name} has the same access as before.`)).toBeVisible();
});

test('removing access asks once more and then shuts the account', async ({ page, someoneElse }) => {
  const newcomer = stranger('Siri Holm');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See services']);

  await page.goto(inAccount(nordlys, 'users'));
  await openManageAccess(page, newcomer);
  const manage = page.url();
  await page.getByRole('button', { name: 'Remove access' }).or(page.getByRole('link', { name: 'Remove access' })).click();
  await asked(page, 'Remove access', newcomer.name);
  await expectOpen(theirs, nordlys, { path: 'services', heading: 'Services' });

  await page.goto(manage);
  await removeAccess(page, newcomer);
  await expect(heading(page, 'User management')).toBeVisible();
  await expect(rowOf(usersTable(page), newcomer.email)).toHaveCount(0);
  const answer = await theirs.goto(inAccount(nordlys, 'services'));
  expect(answer?.status()).toBe(404);
});

test('somebody is removed in two clicks from their row, which say what they lose', async ({ page, someoneElse, javaScriptEnabled }) => {
  const newcomer = stranger('Nora Vik');
  const theirs = await someoneElse();
  await bringIn({ page, theirs }, ingrid, nordlys, newcomer, ['See invoices', 'Pay invoices']);

  await page.goto(inAccount(nordlys, 'users'));
  const opener = rowOf(usersTable(page), newcomer.email).getByRole('button', { name: `Remove access for ${newcomer.name}`, exact: true });
  await opener.click();
  const question = page.getByRole('heading', { name: `Remove access for ${newcomer.name}?`, exact: true });
  await expect(question).toBeVisible();
  const place = page.getByRole(javaScriptEnabled === false ? 'main' : 'dialog');
  await expect(place).toContainText('Billing: see and pay');
  if (javaScriptEnabled !== false) {
    // Over the list, and nothing is done by pressing Enter once too often.
    await expect(page).toHaveURL(/\/users$/);
    await expect(question).toBeFocused();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expect(place).toBeHidden();
    await expect(opener).toBeFocused();
    await opener.click();
    await place.getByRole('link', { name: 'Cancel', exact: true }).click();
    await expect(place).toBeHidden();
    await opener.click();
  }
  await place.getByRole('button', { name: 'Remove access', exact: true }).click();
  await expect(announcement(page, `Access removed for ${newcomer.name}`)).toBeVisible();
  await expect(rowOf(usersTable(page), newcomer.email)).toHaveCount(0);
  const answer = await theirs.goto(inAccount(nordlys, 'billing'));
  expect(answer?.status()).toBe(404);
});

test('an owner always has full access, whoever looks', async ({ page }) => {
  for (const person of [ingrid, amira]) {
    await enter(page, person, nordlys, 'users');
    const link = usersTable(page).getByRole('link', { name: `View access of ${olav.name}`, exact: true });
    if (person === amira && (await link.count()) === 0) continue;
    await link.click();
    await expect(page.getByRole('main')).toContainText(/owner/i);
    await expect(page.getByRole('main')).toContainText(/full access/i);
    if (person === amira) {
      await expect(page.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
      await expect(page.getByRole('button', { name: 'Remove access' })).toHaveCount(0);
    }
  }
});

test('an administrator changes only what they hold themselves', async ({ page }) => {
  await enter(page, amira, nordlys, 'users');
  await openManageAccess(page, mei);
  const form = permissionsForm(page);
  await expect(form.getByRole('checkbox', { name: 'Manage services' })).toBeEnabled();
  await expect(form.getByRole('checkbox', { name: 'Manage domains and DNS' })).toBeDisabled();
  await expect(form.getByRole('checkbox', { name: 'Manage domains and DNS' })).toBeChecked();
  await tick(form, ['See invoices']);
  await saveChanges(page);
  await page.goto(inAccount(nordlys, 'users'));
  await expect(rowOf(usersTable(page), mei.email)).toContainText('Domains: see and manage');
  await expect(rowOf(usersTable(page), mei.email)).toContainText('Billing: see');
});

test('nobody but an owner changes their own permissions', async ({ page }) => {
  await enter(page, amira, nordlys, 'users');
  const own = rowOf(usersTable(page), amira.email);
  await expect(own).toContainText('You');
  await own.getByRole('link', { name: 'View your access', exact: true }).click();
  await expect(heading(page, 'Your access')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save changes' })).toHaveCount(0);
});

test('a user that is not in the account is not found', async ({ page }) => {
  await signIn(page, ingrid);
  const answer = await page.goto(inAccount(nordlys, 'users/00000000-0000-7000-8000-000000000000'));
  expect(answer?.status()).toBe(404);
});
